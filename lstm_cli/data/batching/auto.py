"""What ``auto`` stands for in ``train.batch_size`` and ``train.epochs``: rules that depend on the training data alone.

A network learns by updates. With few sequences a batch is smaller, so that an epoch has enough updates; with few
updates in an epoch there are more epochs. The numbers were chosen by measuring, see ``docs/guide/defaults.md``.
"""

import math

#: Updates that an epoch is to have, and the smallest and largest batch.
_PER_EPOCH, _SMALLEST, _LARGEST = 30, 8, 32
#: Updates that a run is to have at least and at most, how many epochs it has in between, and the fewest and most.
_LEAST, _MOST, _EPOCHS, _SHORTEST, _LONGEST = 1500, 2500, 10, 3, 500
#: Updates where there is hardly any noise, so that precision grows for long.
_SMOOTH = 4000


def batch_size_for(count: int) -> int:
    """Return the size of batches for a number of sequences, or of windows where the training data is read in them.

    It is the power of two that makes about thirty updates an epoch, from 8 to 32.
    """
    size: int = 2 ** round(math.log2(max(1.0, count / _PER_EPOCH)))
    return min(max(size, _SMALLEST), _LARGEST)


def epochs_for(updates: int, *, smooth: bool) -> int:
    """Return the number of epochs, given the updates of each: ten, or as many as make 1,500 to 2,500 updates in all.

    Where values are `smooth`, with hardly any noise, as many as make 4,000 updates.
    """
    each = max(1, updates)
    wanted = _SMOOTH if smooth else min(max(_EPOCHS * each, _LEAST), _MOST)
    return min(max(round(wanted / each), _SHORTEST), _LONGEST)
