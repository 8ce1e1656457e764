"""What the ranks of a prediction have found for some sequences, each for its own batches, put together on rank 0."""

from collections.abc import Sequence

import numpy as np

from lstm_cli.data import Encoded
from lstm_cli.ranks import World

#: Arrays by number: of the sequence that they belong to, for instance.
Found = dict[int, tuple[np.ndarray, ...]]


def together(world: World, sequences: Sequence[Encoded], own: Found) -> Found:
    """Return on rank 0 what all ranks have found for the same sequences; on others nothing."""
    about = f"{len(sequences)} sequences of {sum(each.steps for each in sequences)} steps to {sequences[-1].where}"
    if world.rank:
        world.give(about, packed(own))
        return {}
    for arrays in world.taken(about):
        own |= unpacked(arrays)
    return own


def packed(found: Found) -> list[np.ndarray]:
    """Return the numbers (N,), then of each array for them the lengths (N,), and the values end to end."""
    arrays = [np.array(list(found), np.int64)]
    for each in zip(*found.values(), strict=True):
        arrays += [np.array([len(array) for array in each], np.int64), np.concatenate(each)]
    return arrays


def unpacked(arrays: Sequence[np.ndarray]) -> Found:
    """Return what `packed` was given."""
    numbers, parts = arrays[0].tolist(), []
    for lengths, values in zip(arrays[1::2], arrays[2::2], strict=True):
        parts.append(np.split(values, np.cumsum(lengths)[:-1]))
    return dict(zip(numbers, zip(*parts, strict=True), strict=True))
