"""Ops that may write their result over an input.

In a graph they are pure; `lstm_cli.ops.rewrites` turns them into their destructive form where, in the whole function,
nothing else reads that input.
"""

from collections.abc import Mapping
from copy import copy
from types import MappingProxyType
from typing import Self

import numpy as np

from lstm_cli.ops.contract import dense_array
from lstm_cli.ops.rewrites import TrimmableOp


class InplaceOp(TrimmableOp):
    """An Op that computes all its outputs, some of them over an input. Subclasses list `inplace` in `__props__`.

    Attributes
    ----------
    overwrites : mapping of int to int
        Output number to the number of the input in whose memory it may be written.
    inplace : bool
        Whether it is.
    """

    overwrites: Mapping[int, int] = MappingProxyType({0: 0})
    inplace: bool = False

    def trim(self, unused: frozenset[int]) -> Self:
        """Return itself: all outputs come out of one pass."""
        return self

    def in_place(self) -> Self:
        """Return the destructive form."""
        op = copy(self)
        op.inplace = True
        op.destroy_map = {output: [overwritten] for output, overwritten in self.overwrites.items()}
        return op

    def writable(self, array: np.ndarray) -> np.ndarray:
        """Return the array to be written over: itself, or a copy where the Op must not destroy it."""
        return dense_array(array, array.dtype) if self.inplace else np.array(array, order="C")
