"""A recurrent layer over a padded batch as one Op, and its gradient as another.

Legend: T time, B batch, I input, H units, G gate blocks, S further states, V tokens. The equations are in
`lstm_cli.kernels.cells`, what is kept for the gradient in `lstm_cli.kernels.recurrent.forward`.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.type import TensorType

from lstm_cli.kernels.cells import CELLS, cell_of
from lstm_cli.kernels.cells.activations import ACTIVATIONS
from lstm_cli.kernels.recurrent import layer as kernels
from lstm_cli.kernels.recurrent.arguments import Shape
from lstm_cli.ops.contract import Storage, infers_shape, is_disconnected, output_buffer
from lstm_cli.ops.rewrites import TrimmableOp

NO_IDS = np.empty((0, 0), np.int32)


def recurrent(
    x: Variable,
    lengths: Variable,
    W: Variable,
    b: Variable,
    initial: Sequence[Variable],
    *,
    cell: str,
    activation: str = "tanh",
    reverse: bool = False,
    mask: Variable | None = None,
    gain: Variable | None = None,
) -> tuple[Variable, tuple[Variable, ...]]:
    """Run a recurrent layer over a padded batch, each sequence for its own number of steps.

    Parameters
    ----------
    x : (T, B, I)
    lengths : (B,) int64
        Real steps of each sequence, 1 to T, in any order.
    W : (G H, I + H)
        Gate blocks of rows i, f, o, z (lstm), r, u, n (gru) or one (rnn); columns [x, h].
    b : (G H), for a gru (4 H) with the bias of n's hidden part last
    initial : (B, H) each
        State before the first step: (h, c) for an lstm, else (h,).
    cell : str
        One of `lstm_cli.kernels.cells.CELLS`: lstm, gru or rnn.
    activation : tanh, linear, relu, sigmoid or softsign
        Of z (lstm), n (gru) or h (rnn).
    reverse : bool
        Run each sequence from its last real step to its first; h[t] stays at its own place t.
    mask : (B, H), optional
        Multiplies h wherever it enters a matrix product (recurrent dropout). No gradient flows to it.
    gain : as b, optional
        Of layer normalisation of the sums, which is only done where it is given: see `lstm_cli.kernels.cells.norm`.

    Returns
    -------
    h : (T, B, H), zeros at padding
    finals : tuple of (B, H), the state after the last step in the direction of travel
    """
    op = Recurrent(cell, activation, reverse, mask is not None, normalized=gain is not None)
    return _run(op, [x], lengths, W, b, initial, mask, gain)


def recurrent_tokens(
    ids: Variable,
    lengths: Variable,
    table: Variable,
    W: Variable,
    b: Variable,
    initial: Sequence[Variable],
    *,
    cell: str,
    activation: str = "tanh",
    reverse: bool = False,
    mask: Variable | None = None,
    gain: Variable | None = None,
) -> tuple[Variable, tuple[Variable, ...]]:
    """Return ``recurrent(table[ids], …)``, multiplying W with the table instead of the batch.

    The better choice where the vocabulary is smaller than the number of steps in a batch.

    Parameters
    ----------
    ids : (T, B) int32
    table : (V, I)
        The embedding of each token. All else as in `recurrent`.
    """
    op = Recurrent(cell, activation, reverse, mask is not None, tokens=True, normalized=gain is not None)
    return _run(op, [ids, table], lengths, W, b, initial, mask, gain)


def _run(
    op: "Recurrent", source: list[Variable], lengths: Variable, W: Variable, b: Variable,
    initial: Sequence[Variable], mask: Variable | None, gain: Variable | None,
) -> tuple[Variable, tuple[Variable, ...]]:  # fmt: skip
    optional = (variable for variable in (mask, gain) if variable is not None)
    outputs = op(*source, lengths, W, b, *initial, *optional, return_list=True)
    return outputs[0], tuple(outputs[1 : 1 + op.states])


class Recurrent(TrimmableOp):
    """``(x | ids, table; lengths, W, b, *initial[, mask][, gain]) -> (h, *finals, shards, gates, further)``.

    The last three outputs are for the gradient only; `keeps`: whether they are filled.
    """

    __props__ = ("cell", "activation", "reverse", "masked", "tokens", "keeps", "normalized")

    def __init__(
        self, cell: str, activation: str, reverse: bool, masked: bool, tokens: bool = False, keeps: bool = True,
        normalized: bool = False,
    ) -> None:  # fmt: skip
        if cell not in CELLS:
            raise ValueError(f"cell: got {cell!r}, expected one of {', '.join(CELLS)}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation: got {activation!r}, expected one of {', '.join(ACTIVATIONS)}")
        self.cell, self.activation, self.reverse = cell, activation, bool(reverse)
        self.masked, self.tokens, self.keeps, self.normalized = masked, tokens, keeps, normalized
        self.states = len(CELLS[cell].states)

    @property
    def layer(self) -> kernels.Layer:
        """What the kernels need to know."""
        return kernels.Layer(cell_of(self.cell, normalized=self.normalized), self.activation, self.reverse)

    def trim(self, unused: frozenset[int]) -> Self:
        """Keep nothing for a gradient that is not taken."""
        keeps = self.keeps and not unused.issuperset(range(1 + self.states, 4 + self.states))
        return type(self)(self.cell, self.activation, self.reverse, self.masked, self.tokens, keeps, self.normalized)

    def split(self, inputs: Sequence[Any]) -> tuple[Sequence[Any], Any, Any, Any, Sequence[Any], Any, Any]:
        """Return source, lengths, W, b, initial states, mask or None and gain or None."""
        start = 2 if self.tokens else 1
        lengths, W, b, *rest = inputs[start:]
        mask, gain = rest[self.states] if self.masked else None, rest[-1] if self.normalized else None
        return inputs[:start], lengths, W, b, rest[: self.states], mask, gain

    def make_node(self, *inputs: Variable) -> Apply:
        """Check kinds and number of inputs."""
        variables = [pt.as_tensor_variable(v) for v in inputs]
        source, lengths, W, b, initial, mask, gain = self.split(variables)
        dtype = W.type.dtype
        kinds = {"lengths": (lengths, 1, "int64"), "W": (W, 2, dtype), "b": (b, 1, dtype)}
        kinds |= {f"initial[{i}]": (state, 2, dtype) for i, state in enumerate(initial)}
        kinds |= {"ids": (source[0], 2, "int32"), "table": (source[1], 2, dtype)} if self.tokens else {}
        kinds |= {} if self.tokens else {"x": (source[0], 3, dtype)}
        kinds |= {"mask": (mask, 2, dtype)} if mask is not None else {}
        kinds |= {"gain": (gain, 1, dtype)} if gain is not None else {}
        for name, (variable, dimensions, expected) in kinds.items():
            if (variable.type.ndim, variable.type.dtype) != (dimensions, expected):
                wanted = f"{expected} of {dimensions} dimensions"
                raise TypeError(f"recurrent: {name}: got {variable.type}, expected {wanted}")
        if dtype not in ("float32", "float64"):
            raise TypeError(f"recurrent: W: got {dtype}, expected float32 or float64")
        h = TensorType(dtype, (source[0].type.shape[0], *initial[0].type.shape))
        reserve = [TensorType("int64", ()), TensorType(dtype, (None,) * 3), TensorType(dtype, (None, None))]
        return Apply(self, variables, [h(), *(s.type() for s in initial), *(kind() for kind in reserve)])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes; those of the reserve are only known once it is there."""
        state = self.split(shapes)[4][0]
        return [(shapes[0][0], *state), *([state] * self.states), None, None, None]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Gradients flow to all but token ids, lengths and mask, and from all but the reserve."""
        source = [False, True] if self.tokens else [True]
        states = [True] * self.states
        flows = [*source, False, True, True, *states, *([False] * self.masked), *([True] * self.normalized)]
        return [[flow] * (1 + self.states) + [False] * 3 for flow in flows]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels."""
        given = arguments(self, inputs)
        dtype, state = given.W.dtype, given.initial[0].shape
        h = output_buffer(outputs[0], (inputs[0].shape[0], *state), dtype)
        finals = np.empty((self.states, *state), dtype)
        reserve = kernels.new_reserve(self.layer, given, self.keeps)
        kernels.run_forward(self.layer, given, reserve, h, finals)
        results = [*finals, reserve.shards, reserve.gates, reserve.further]
        for output, result in zip(outputs[1:], results, strict=True):
            output[0] = result

    def gradient_op(self) -> "RecurrentGradient":
        """Return the Op of the gradient."""
        return RecurrentGradient(self)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the gradient Op's outputs."""
        dtype, states = outputs[0].type.dtype, self.states
        flowing = [
            pt.constant(np.empty((0,) * output.type.ndim, dtype)) if is_disconnected(cotangent) else cotangent
            for output, cotangent in zip(outputs[: 1 + states], cotangents[: 1 + states], strict=True)
        ]
        h, reserve = outputs[0], outputs[-3:]
        dx, dW, db, *rest = self.gradient_op()(*inputs, h, *reserve, *flowing, return_list=True)
        source = [disconnected_type(), dx] if self.tokens else [dx]
        mask = [disconnected_type()] * self.masked
        return [*source, disconnected_type(), dW, db, *rest[:states], *mask, *rest[states:]]


class RecurrentGradient(TrimmableOp):
    """``(*inputs, h, shards, gates, further, dh, *dfinals) -> (dx | dtable, dW, db, *dinitial[, dgain])``.

    In place, the gates of the forward pass are overwritten. A cotangent without elements is zero.
    """

    __props__ = ("forward", "wanted", "inplace")

    def __init__(self, forward: Recurrent, wanted: bool = True, inplace: bool = False) -> None:
        self.forward, self.wanted, self.inplace = forward, wanted, inplace
        if inplace:
            self.destroy_map = {1: [self.inputs + 2]}

    @property
    def inputs(self) -> int:
        """Inputs of the forward Op."""
        return 4 + self.forward.tokens + self.forward.states + self.forward.masked + self.forward.normalized

    def trim(self, unused: frozenset[int]) -> Self:
        """Leave out the gradient of the input where nothing reads it: for the first layer of a model."""
        return type(self)(self.forward, self.wanted and 0 not in unused, self.inplace)

    def in_place(self) -> Self:
        """Return the Op that overwrites the gates."""
        return type(self)(self.forward, self.wanted, True)

    def make_node(self, *inputs: Variable) -> Apply:
        """Make outputs of the types of what they are the gradients of."""
        return Apply(self, list(inputs), [v.type() for v in self._likes(inputs)])

    def _likes(self, inputs: Sequence[Any]) -> list[Any]:
        """Return, of all inputs, those that the outputs are the gradients of."""
        source, _, W, b, initial, _, gain = self.forward.split(inputs[: self.inputs])
        return [source[-1], W, b, *initial, *([] if gain is None else [gain])]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes of what the outputs are the gradients of."""
        return self._likes(shapes)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels."""
        given = arguments(self.forward, inputs[: self.inputs])
        h, shards, gates, further, *flowing = inputs[self.inputs :]
        dh, *dfinals = (np.ascontiguousarray(cotangent) for cotangent in flowing)
        reserve = kernels.Reserve(shards, gates if self.inplace else kernels.copied(gates), further)
        source = given.table if self.forward.tokens else given.x
        likes = [source if self.wanted else source[:0], given.W, given.b]
        dsource, dW, db = (output_buffer(o, like.shape, like.dtype) for o, like in zip(outputs, likes, strict=False))
        dinitial = np.empty((self.forward.states, *given.initial[0].shape), h.dtype)
        nothing = dsource.reshape(-1)[:0]
        dx, dtable = (nothing, dsource) if self.forward.tokens else (dsource, nothing)
        gradients = kernels.Gradients(dx, dtable, dW, db, dinitial, np.empty_like(given.gain))
        kernels.run_backward(self.forward.layer, given, reserve, h, dh, dfinals, gradients)
        for output, gradient in zip(outputs[3:], [*dinitial, gradients.gain], strict=False):
            output[0] = gradient


def arguments(op: Recurrent, inputs: Sequence[np.ndarray]) -> kernels.Inputs:
    """Check the inputs against each other, once per call: kernels do not."""
    source, lengths, W, b, initial, mask, gain = op.split([np.ascontiguousarray(a) for a in inputs])
    steps, batch = source[0].shape[:2]
    units, columns, cell = initial[0].shape[1], source[-1].shape[-1], CELLS[op.cell]
    expected = {
        "lengths": (lengths, (batch,)),
        "W": (W, (cell.weight_blocks * units, columns + units)),
        "b": (b, (cell.sum_blocks * units,)),
        **{f"initial[{i}]": (state, (batch, units)) for i, state in enumerate(initial)},
        **({"mask": (mask, (batch, units))} if op.masked else {}),
        **({"gain": (gain, b.shape)} if op.normalized else {}),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(f"recurrent ({op.cell}): {name}: got shape {array.shape}, expected {shape}")
    if not batch or lengths.min() < 1 or lengths.max() > steps:
        wrong = np.flatnonzero((lengths < 1) | (lengths > steps))[:3].tolist()
        raise ValueError(
            f"recurrent ({op.cell}): lengths: got {lengths[wrong].tolist()} for sequences {wrong} of {batch}, "
            f"expected 1 to {steps} (the steps of the batch)"
        )
    mask, gain = W[:0, :0] if mask is None else mask, b[:0] if gain is None else gain
    if not op.tokens:
        shape = Shape(steps, batch, columns, units)
        return kernels.Inputs(shape, source[0], NO_IDS, W[:0, :0], lengths, W, b, initial, mask, gain)
    ids, table = source
    if ids.min() < 0 or ids.max() >= len(table):
        found = f"got {ids.min()} to {ids.max()}"
        raise ValueError(f"recurrent ({op.cell}): ids: {found}, expected 0 to {len(table) - 1}, the rows of the table")
    shape, nothing = Shape(steps, batch, 0, units), np.empty((0, 0, 0), W.dtype)
    return kernels.Inputs(shape, nothing, ids, table, lengths, W, b, initial, mask, gain)
