"""Orders drawn by lot that are the same for ever."""

import numpy as np
from numpy.typing import NDArray


def permutation(count: int, *keys: int) -> NDArray[np.int64]:
    """Return 0 … count - 1 in an order that follows from the keys alone.

    Raw bits are sorted: numpy promises that the bits of a generator stay what they are, but not its permutations.
    """
    bits = np.random.PCG64(np.random.SeedSequence(keys)).random_raw(count)
    return np.argsort(bits, kind="stable")
