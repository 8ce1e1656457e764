"""How the sequences of a batch, or the batches of an evaluation, are dealt to ranks: by their steps.

Legend: B batch.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Share:
    """Which part of a whole batch a batch is.

    Attributes
    ----------
    rank
        Whose part it is.
    columns : int64 array (b,)
        Its columns of the whole batch.
    sequences : int64 array (B,)
        The sequences of the whole batch.
    steps
        T of the whole batch.
    idle
        There are fewer sequences than ranks: this one runs a column of another's, in which nothing counts.
    """

    rank: int
    columns: Indices
    sequences: Indices
    steps: int
    idle: bool


def owners(work: Indices, ranks: int) -> Indices:
    """Return the rank that each piece of work is dealt to: the largest first, each to the rank with the least so far.

    The largest share is at most 4/3 - 1/(3 ranks) times that of the best division (Graham 1969, longest processing
    time first).
    """
    order = np.argsort(-work, kind="stable")
    loads = [(0, rank) for rank in range(ranks)]
    found = np.empty(len(work), np.int64)
    for piece in order.tolist():
        load, rank = loads[0]
        heapq.heapreplace(loads, (load + int(work[piece]), rank))
        found[piece] = rank
    return found
