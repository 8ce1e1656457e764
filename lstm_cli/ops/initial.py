"""The states that a batch of sequences starts from: learned ones, or where a stream was left.

Legend: B batch, S numbers of state of all recurrent passes together, H units of one of them.
"""

from collections.abc import Sequence
from operator import and_
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.ops.contract import Storage, infers_shape, is_disconnected, or_zeros


def initial_states(
    state: Variable, fresh: Variable, widths: Sequence[int], learned: Sequence[Variable]
) -> list[Variable]:
    """Return ``state + fresh * learned``, cut into the states that single passes start from.

    Parameters
    ----------
    state : (B, S)
        Where each sequence was left; zeros for those that begin.
    fresh : (B,)
        1 for a sequence that begins, 0 for one that continues.
    widths : sequence of int
        H of every state, one after the other in the columns of `state`.
    learned : sequence of vectors
        What sequences begin with, one after the other S numbers; nothing where they begin with zeros.

    Returns
    -------
    states : list of (B, H), one for each width
    """
    states: list[Variable] = InitialStates(tuple(widths))(state, fresh, *learned, return_list=True)
    return states


class InitialStates(Op):
    """``(state (B, S), fresh (B,), *learned (…)) -> states (B, H)``."""

    __props__ = ("widths",)

    def __init__(self, widths: tuple[int, ...]) -> None:
        self.widths = widths

    def make_node(self, *inputs: Variable) -> Apply:
        state, fresh, *learned = (pt.as_tensor_variable(variable) for variable in inputs)
        states = [TensorType(state.type.dtype, (None, width))() for width in self.widths]
        return Apply(self, [state, fresh, *learned], states)

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(shapes[0][0], width) for width in self.widths]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False] * len(self.widths)] * 2 + self._reached(node.inputs[2:])

    def _reached(self, learned: Sequence[Variable]) -> list[list[bool]]:
        """Return which outputs the numbers of each learned state reach; all where sizes are not known in advance."""
        sizes = [vector.type.shape[0] for vector in learned]
        if None in sizes:
            return [[True] * len(self.widths)] * len(learned)
        ends, stops = np.cumsum(sizes), np.cumsum(self.widths)
        return [
            [bool(stop - width < end and stop > end - size) for width, stop in zip(self.widths, stops, strict=True)]
            for size, end in zip(sizes, ends, strict=True)
        ]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        state, fresh, *learned = inputs
        if state.shape != (len(fresh), sum(self.widths)):
            raise ValueError(f"states of shape {state.shape}, expected ({len(fresh)}, {sum(self.widths)})")
        if learned:
            state = state + fresh[:, np.newaxis] * np.concatenate(learned)
        stop = 0
        for width, output in zip(self.widths, outputs, strict=True):
            start, stop = stop, stop + width
            output[0] = state[:, start:stop].copy()

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        _, fresh, *learned = inputs
        flowing = [or_zeros(c, like) for c, like in zip(cotangents, outputs, strict=True)]
        gradients = InitialStatesGradient(len(learned))(*learned, fresh, *flowing, return_list=True) if learned else []
        used = [not is_disconnected(c) for c in cotangents]
        reached = [any(map(and_, row, used)) for row in self._reached(learned)]
        kept = [g if connected else disconnected_type() for g, connected in zip(gradients, reached, strict=True)]
        return [disconnected_type(), disconnected_type(), *kept]


class InitialStatesGradient(Op):
    """``(*learned (…), fresh (B,), *dstates (B, H)) -> dlearned (…)``."""

    __props__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [learned.type() for learned in inputs[: self.count]])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return shapes[: self.count]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        learned, fresh, dstates = inputs[: self.count], inputs[self.count], inputs[self.count + 1 :]
        gradient = np.concatenate([fresh @ dstate for dstate in dstates])
        stop = 0
        for vector, output in zip(learned, outputs, strict=True):
            start, stop = stop, stop + vector.size
            output[0] = gradient[start:stop]
