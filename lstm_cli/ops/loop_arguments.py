"""The inputs of a closed loop's Ops, checked against each other, with the sequences in the kernels' order.

Legend: T time, B batch, H units.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lstm_cli.kernels.cells import CELLS, RNN
from lstm_cli.kernels.rollout.memory import Layer, Loop, schedule_of


class LayerKind(NamedTuple):
    """What there is to know of a recurrent layer beside its arrays."""

    cell: str
    activation: str
    masked: bool
    dropped: bool

    @property
    def states(self) -> int:
        """Parts of the layer's state."""
        return len(CELLS[self.cell].states)

    @property
    def arrays(self) -> int:
        """Inputs of the Op that are the layer's: W, b, the initial state, mask, drop."""
        return 2 + self.states + self.masked + self.dropped


class Order(NamedTuple):
    """The order of a closed loop's sequences, longest first: their numbers; None if they are in this order already."""

    numbers: np.ndarray | None

    def of(self, array: np.ndarray) -> np.ndarray:
        """Return an array (B, …) in this order."""
        return array if self.numbers is None else array[self.numbers]

    def of_stack(self, stack: np.ndarray) -> np.ndarray:
        """Return a stack (T, B, …) in this order."""
        return stack if self.numbers is None else np.ascontiguousarray(stack[:, self.numbers])


class Arguments(NamedTuple):
    """The inputs of a closed loop, checked, its sequences longest first."""

    loop: Loop
    numbers: np.ndarray
    lengths: np.ndarray
    order: Order

    def restore(self, array: np.ndarray) -> np.ndarray:
        """Return an array (B, …) with the sequences as they came."""
        numbers = self.order.numbers
        return array if numbers is None else array[np.argsort(numbers)]

    def restore_stack(self, stack: np.ndarray) -> np.ndarray:
        """Return a stack (T, B, …) with the sequences as they came."""
        numbers = self.order.numbers
        return stack if numbers is None else np.ascontiguousarray(stack[:, np.argsort(numbers)])


def arguments(op: Any, inputs: Sequence[np.ndarray]) -> Arguments:
    """Check the inputs against each other, once per call, and put the sequences in order: kernels do neither."""
    numbers, feed, lengths, observed, *arrays = inputs
    steps, batch = feed.shape
    if numbers.shape[:2] != (steps, batch) or lengths.shape != (batch,) or observed.shape != (batch,):
        raise ValueError(f"rollout: numbers {numbers.shape}, feed {feed.shape}, lengths {lengths.shape} do not agree")
    if not batch or lengths.min() < 1 or lengths.max() > steps or observed.min() < 1 or (feed[0] != 1).any():
        raise ValueError(f"rollout: expected lengths from 1 to {steps}, and an observed state at the first step")
    descending = np.argsort(-lengths, kind="stable")
    order = Order(None if (descending == np.arange(batch)).all() else descending)
    layers = list(_layers(op, arrays, batch, order))
    lengths = order.of(lengths)
    loop = Loop(layers, schedule_of(lengths, order.of_stack(feed), observed), op.size, op.residual)
    _check_shapes(op, loop, numbers, batch)
    return Arguments(loop, np.ascontiguousarray(order.of_stack(numbers)), lengths, order)


def _layers(op: Any, arrays: Sequence[np.ndarray], batch: int, order: Order) -> Iterator[Layer]:
    """Yield the layers, the output layer last: a plain recurrent one whose weights for its own past are zeros."""
    *arrays, W, b = map(np.ascontiguousarray, arrays)
    none, nothing = np.empty((0, 0), W.dtype), np.empty((0, 0, 0), W.dtype)
    start = 0
    for kind in op.layers:
        own, *rest = arrays[start : start + kind.arrays]
        bias, states = rest[0], [order.of(state) for state in rest[1 : 1 + kind.states]]
        further = iter(rest[1 + len(states) :])
        mask = np.ascontiguousarray(order.of(next(further))) if kind.masked else none
        drop = order.of_stack(next(further)) if kind.dropped else nothing
        yield Layer(CELLS[kind.cell], kind.activation, own, bias, states, mask, drop)
        start += kind.arrays
    past = np.zeros((len(W), len(W)), W.dtype)
    initial = np.zeros((batch, len(W)), W.dtype)
    yield Layer(RNN, op.activation, np.concatenate([W, past], axis=1), b, [initial], none, nothing)


def _check_shapes(op: Any, loop: Loop, numbers: np.ndarray, batch: int) -> None:
    width = numbers.shape[2]
    for number, layer in enumerate(loop.layers):
        blocks, states = layer.cell.weight_blocks * layer.units, [state.shape for state in layer.initial]
        biases = layer.cell.sum_blocks * layer.units
        right = len(layer.W) == blocks and layer.b.shape == (biases,) and layer.inputs == width
        right &= states == [(batch, layer.units)] * len(states)
        right &= layer.mask.shape in ((0, 0), (batch, layer.units))
        right &= layer.drop.shape in ((0, 0, 0), (*numbers.shape[:2], layer.units))
        if not right:
            raise ValueError(
                f"rollout: layer {number}: W {layer.W.shape}, b {layer.b.shape}, initial {states}, mask "
                f"{layer.mask.shape}, drop {layer.drop.shape} do not fit {width} inputs and {batch} sequences"
            )
        width = layer.units
    if numbers.shape[2] < op.size or (op.system is None and width != op.size):
        raise ValueError(f"rollout: {width} outputs and {numbers.shape[2]} inputs do not fit a state of {op.size}")
