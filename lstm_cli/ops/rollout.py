"""A network in a closed loop as one Op, and its gradient, backpropagation through time, as another.

At each step the network sees a state and outputs y; the system computes the next state from both, or y is it.

    y_t = network(s_t, past)        s'_t = system(s_t, y_t), or y_t, or s_t + y_t        s_{t+1} = s'_t

Where `feed` is 1 the observed state enters in place of the last one. PyTensor's scan of a closed loop takes minutes to
compile. Here the graphs that are compiled are one step of the system and its vector-Jacobian product; the network's
steps are kernels, and the gradients of its weights are summed over all steps at once.

Legend: T time, B batch, I input, H units, O outputs, D numbers of the state.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels.recurrent.layer import copied
from lstm_cli.kernels.rollout import loop as kernels
from lstm_cli.ops.contract import Storage, infers_shape, is_disconnected
from lstm_cli.ops.loop_arguments import Arguments, LayerKind, arguments
from lstm_cli.ops.rewrites import TrimmableOp


class System(Protocol):
    """What the network drives: one step, and the step's vector-Jacobian product.

    Attributes
    ----------
    diverged
        After a closed loop: the first step, from 1, whose next state was not finite, and the sequence; None if none.
    """

    diverged: tuple[int, int] | None

    def step(self, turn: int, state: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Return the next state (n, D) of states (n, D) and outputs (n, O); `turn` is the step's number, for errors."""

    def step_gradient(
        self, turn: int, state: np.ndarray, output: np.ndarray, dnext: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of state and output for that of the next state."""


class LayerInputs(NamedTuple):
    """A recurrent layer: W (G H, I + H), b, initial states (B, H), mask (B, H), drop (T, B, H)."""

    kind: LayerKind
    W: Variable
    b: Variable
    initial: Sequence[Variable]
    mask: Variable | None = None
    drop: Variable | None = None

    @property
    def variables(self) -> list[Variable]:
        """Return the arrays in the order of the Op's inputs."""
        return [self.W, self.b, *self.initial, *(v for v in (self.mask, self.drop) if v is not None)]


def rollout(
    numbers: Variable,
    feed: Variable,
    lengths: Variable,
    observed: Variable,
    layers: Sequence[LayerInputs],
    output: tuple[Variable, Variable, str],
    *,
    size: int,
    system: System | None = None,
    residual: bool = False,
) -> tuple[Variable, Variable]:
    """Run a network in a closed loop.

    Parameters
    ----------
    numbers : (T, B, I)
        Observed states in the first D columns, where there are any; in the others what the closed loop does not change.
    feed : (T, B) int64
        1 where the observed state enters: at the `observed` first steps of each sequence, and with teacher forcing.
    lengths, observed : (B,) int64
        Steps of each sequence, and how many of the first are observed, 1 or more.
    layers : sequence of LayerInputs
    output : W (O, H), b (O,), activation
        The output layer.
    size : int
        D.
    system : System, optional
        Without one O is D, and the output is the next state.
    residual : bool
        Without a system: the output is the change to the state.

    Returns
    -------
    following : (T, B, D)
        The state after each step; zeros beyond a sequence's length.
    outputs : (T, B, O)
        The network's outputs. No gradient flows through them.
    """
    W, b, activation = output
    op = Rollout(tuple(layer.kind for layer in layers), activation, size, residual, system)
    arrays = [variable for layer in layers for variable in layer.variables]
    following, outputs, _ = op(numbers, feed, lengths, observed, *arrays, W, b, return_list=True)
    return following, outputs


class Rollout(Op):
    """``(numbers, feed, lengths, observed, *(W, b, *initial[, mask][, drop]), W, b) -> (following, outputs, work)``."""

    __props__ = ("layers", "activation", "size", "residual", "system")

    def __init__(
        self, layers: tuple[LayerKind, ...], activation: str, size: int, residual: bool, system: System | None
    ) -> None:
        self.layers, self.activation, self.size = layers, activation, size
        self.residual, self.system = bool(residual), system

    def make_node(self, *inputs: Variable) -> Apply:
        """Check kinds and number of inputs."""
        variables = [pt.as_tensor_variable(v) for v in inputs]
        dtype = variables[-2].type.dtype
        expected = [(3, dtype), (2, "int64"), (1, "int64"), (1, "int64")]
        for kind in self.layers:
            states = [(2, dtype)] * (kind.states + kind.masked)
            expected += [(2, dtype), (1, dtype), *states, *[(3, dtype)] * kind.dropped]
        expected += [(2, dtype), (1, dtype)]
        found = [(v.type.ndim, v.type.dtype) for v in variables]
        if found != expected or dtype not in ("float32", "float64"):
            raise TypeError(f"rollout: got inputs of (dimensions, dtype) {found}, expected {expected}")
        following, outputs = (TensorType(dtype, (None, None, None)) for _ in range(2))
        return Apply(self, variables, [following(), outputs(), TensorType(dtype, (None,))()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes; that of the memory is known once it is there."""
        steps = shapes[0][:2]
        return [(*steps, self.size), (*steps, shapes[-1][0]), None]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Gradients flow to weights and initial states, from the states alone."""
        flows = [False] * 4
        for kind in self.layers:
            flows += [True] * (2 + kind.states) + [False] * (kind.masked + kind.dropped)
        return [[flow, False, False] for flow in [*flows, True, True]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the closed loop."""
        given = arguments(self, inputs)
        step = None if self.system is None else self.system.step
        work = kernels.run_forward(given.loop, given.numbers, step)
        _, ys, following = kernels.views(given.loop, work)
        if self.system is not None:
            self.system.diverged = _not_finite(following, given, inputs[3])
        real = np.arange(len(ys))[:, np.newaxis, np.newaxis] < given.lengths[:, np.newaxis]
        outputs[0][0] = given.restore_stack(np.where(real, following, following.dtype.type(0)))
        outputs[1][0] = given.restore_stack(np.where(real, ys, ys.dtype.type(0)))
        outputs[2][0] = work

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the gradient Op's outputs."""
        flows = self.connection_pattern(outputs[0].owner)
        if is_disconnected(cotangents[0]):
            return [disconnected_type() for _ in inputs]
        gradients = iter(RolloutGradient(self)(*inputs, outputs[2], cotangents[0], return_list=True))
        return [next(gradients) if flow else disconnected_type() for flow, *_ in flows]


class RolloutGradient(TrimmableOp):
    """``(*inputs, work, dfollowing) -> gradients of each layer's W, b and initial states``.

    In place, the gates in `work` are overwritten.
    """

    __props__ = ("forward", "inplace")

    def __init__(self, forward: Rollout, inplace: bool = False) -> None:
        self.forward, self.inplace = forward, inplace
        if inplace:
            self.destroy_map = {0: [len(forward.connection_pattern(None))]}

    def trim(self, unused: frozenset[int]) -> Self:
        """Return itself: weights and initial states take one pass."""
        return self

    def in_place(self) -> Self:
        """Return the Op that overwrites the gates."""
        return type(self)(self.forward, True)

    def make_node(self, *inputs: Variable) -> Apply:
        """Make outputs of the types of what they are the gradients of."""
        *given, _, _ = inputs
        flows = self.forward.connection_pattern(None)
        return Apply(self, list(inputs), [v.type() for v, (flow, *_) in zip(given, flows, strict=True) if flow])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes of what the outputs are the gradients of."""
        flows = self.forward.connection_pattern(None)
        return [shape for shape, (flow, *_) in zip(shapes[:-2], flows, strict=True) if flow]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Go back through the closed loop."""
        *arrays, work, dfollowing = inputs
        given = arguments(self.forward, arrays)
        system = self.forward.system
        dfollowing = np.ascontiguousarray(given.order.of_stack(dfollowing))
        step_gradient = None if system is None else system.step_gradient
        work = work if self.inplace else copied(work)
        *layers, output = kernels.run_backward(given.loop, work, dfollowing, step_gradient)
        columns = output.W.shape[1] - len(output.W)
        found = [g for layer in layers for g in (layer.W, layer.b, *map(given.restore, layer.initial))]
        for cell, gradient in zip(outputs, [*found, output.W[:, :columns].copy(), output.b], strict=True):
            cell[0] = gradient


def _not_finite(following: np.ndarray, given: Arguments, observed: np.ndarray) -> tuple[int, int] | None:
    """Return step and sequence of the first state that is not finite."""
    wrong = np.flatnonzero(~np.isfinite(following).all(axis=2))
    if not len(wrong):
        return None
    time, sequence = (int(k) for k in np.divmod(wrong[0], following.shape[1]))
    sequence = sequence if given.order.numbers is None else int(given.order.numbers[sequence])
    return time - int(observed[sequence]) + 2, sequence
