"""Deterministic permutations, stable across numpy versions."""

import numpy as np
from numpy.typing import NDArray


def permutation(count: int, *keys: int) -> NDArray[np.int64]:
    """Return 0 … count - 1 in an order that depends on the keys alone.

    Raw bits are sorted: numpy guarantees the bit stream of a generator across versions, but not its permutations.
    """
    bits = np.random.PCG64(np.random.SeedSequence(keys)).random_raw(count)
    return np.argsort(bits, kind="stable")
