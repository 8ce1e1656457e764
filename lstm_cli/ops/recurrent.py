"""A recurrent layer over a padded batch as one Op, and its gradient as another.

Legend: T time, B batch, I input, H units, G gate blocks. The equations stand in `lstm_cli.ops.reference`.
"""

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.type import TensorType

from lstm_cli.ops import reference
from lstm_cli.ops.contract import Storage, or_zeros
from lstm_cli.ops.rewrites import TrimmableOp

BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}
BIASES = {"rnn": 1, "lstm": 4, "gru": 4}
STATES = {"rnn": 1, "lstm": 2, "gru": 1}


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
) -> tuple[Variable, tuple[Variable, ...]]:
    """Run a recurrent layer over a padded batch, each sequence for its own number of steps.

    Parameters
    ----------
    x : (T, B, I)
    lengths : (B,) int64
        Real steps of each sequence, 1 to T, in any order (longest first spares the Op some work).
    W : (G H, I + H)
        Gate blocks of rows i, f, o, z (lstm), r, u, n (gru) or one (rnn); columns [x, h].
    b : (G H), for a gru (4 H) with the bias of n's hidden part last
    initial : (B, H) each
        State before the first step: (h, c) for an lstm, else (h,).
    cell : lstm, gru or rnn
    activation : tanh, linear, relu, sigmoid or softsign
        Of z (lstm), n (gru) or h (rnn).
    reverse : bool
        Run each sequence from its last real step to its first; h[t] stays at its own place t.
    mask : (B, H), optional
        Multiplies h wherever it enters a matrix product (recurrent dropout). No gradient flows to it.

    Returns
    -------
    h : (T, B, H), zeros at padding
    finals : tuple of (B, H), the state after the last step in the direction of travel
    """
    op = Recurrent(cell, activation, reverse, mask is not None)
    outputs = op(x, lengths, W, b, *initial, *([] if mask is None else [mask]), return_list=True)
    return outputs[0], tuple(outputs[1 : 1 + STATES[cell]])


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
) -> tuple[Variable, tuple[Variable, ...]]:
    """Return ``recurrent(table[ids], …)``; for a vocabulary smaller than the batch, much faster.

    Parameters
    ----------
    ids : (T, B) int32
    table : (V, I)
        The embedding of each token. All else as in `recurrent`.
    """
    return recurrent(
        table[ids], lengths, W, b, initial, cell=cell, activation=activation, reverse=reverse, mask=mask
    )


class Recurrent(TrimmableOp):
    """``(x, lengths, W, b, *initial[, mask]) -> (h, *finals)``."""

    __props__ = ("cell", "activation", "reverse", "masked")

    def __init__(self, cell: str, activation: str, reverse: bool, masked: bool) -> None:
        if cell not in BLOCKS:
            raise ValueError(f"cell: got {cell!r}, expected one of {', '.join(BLOCKS)}")
        if activation not in reference.ACTIVATIONS:
            raise ValueError(f"activation: got {activation!r}, expected one of {', '.join(reference.ACTIVATIONS)}")
        self.cell, self.activation, self.reverse, self.masked = cell, activation, reverse, masked

    def trim(self, unused: frozenset[int]) -> "Recurrent":
        return self

    def make_node(self, x: Variable, lengths: Variable, *rest: Variable) -> Apply:
        x, lengths, *rest = (pt.as_tensor_variable(v) for v in (x, lengths, *rest))
        dtype = x.type.dtype
        batch, units = rest[2].type.shape
        h = TensorType(dtype, shape=(x.type.shape[0], batch, units))
        return Apply(self, [x, lengths, *rest], [h(), *(s.type() for s in rest[2 : 2 + STATES[self.cell]])])

    def infer_shape(self, fgraph: object, node: Apply, shapes: list) -> list:
        state = shapes[4]
        return [(shapes[0][0], *state), *([state] * STATES[self.cell])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        outputs, states = len(node.outputs), STATES[self.cell]
        flows = [True, False, True, True, *([True] * states), *([False] * self.masked)]
        return [[flow] * outputs for flow in flows]

    def options(self, rest: Sequence[np.ndarray]) -> dict:
        return {
            "cell": self.cell,
            "activation": self.activation,
            "reverse": self.reverse,
            "mask": rest[-1] if self.masked else None,
        }

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        x, lengths, W, b, *rest = inputs
        h, finals = reference.recurrent(x, lengths, W, b, rest[: STATES[self.cell]], **self.options(rest))
        for cell, value in zip(outputs, [h, *finals], strict=True):
            cell[0] = value

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        flowing = [or_zeros(c, like) for c, like in zip(cotangents, outputs, strict=True)]
        gradient = RecurrentGradient(self)(*inputs, *flowing, return_list=True)
        dx, dW, db, *dinitial = gradient
        return [dx, disconnected_type(), dW, db, *dinitial, *([disconnected_type()] * self.masked)]


class RecurrentGradient(TrimmableOp):
    """``(*inputs, dh, *dfinals) -> (dx, dW, db, *dinitial)``."""

    __props__ = ("forward",)

    def __init__(self, forward: Recurrent) -> None:
        self.forward = forward

    def trim(self, unused: frozenset[int]) -> "RecurrentGradient":
        return self

    def make_node(self, *inputs: Variable) -> Apply:
        x, _, W, b, *rest = inputs
        return Apply(self, list(inputs), [v.type() for v in (x, W, b, *rest[: STATES[self.forward.cell]])])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        states = STATES[self.forward.cell]
        ahead, (dh, *dfinals) = inputs[: -1 - states], inputs[-1 - states :]
        results = slow_gradient(self.forward, ahead, dh, dfinals)
        for cell, value in zip(outputs, results, strict=True):
            cell[0] = value


def slow_gradient(op: Recurrent, inputs: Sequence[np.ndarray], dh: np.ndarray, dfinals: list) -> list[np.ndarray]:
    """Gradient by complex-free reverse differentiation of the reference, one step at a time."""
    x, lengths, W, b, *rest = inputs
    states, units, width = STATES[op.cell], rest[0].shape[1], x.shape[2]
    mask = rest[-1] if op.masked else np.ones_like(rest[0])
    slope = SLOPES[op.activation]
    act = reference.ACTIVATIONS[op.activation]
    state, tape = [np.array(s) for s in rest[:states]], []
    for t in reversed(range(len(x))) if op.reverse else range(len(x)):
        rows = np.flatnonzero(lengths > t)
        before = [s[rows] for s in state]
        after = reference.STEPS[op.cell](x[t, rows], before, before[0] * mask[rows], W, b, act)
        for held, new in zip(state, after, strict=True):
            held[rows] = new
        tape.append((t, rows, before, after))
    dx, dW, db, d = np.zeros_like(x), np.zeros_like(W), np.zeros_like(b), [np.array(v) for v in dfinals]
    for t, rows, before, after in reversed(tape):
        hidden = before[0] * mask[rows]
        xh = np.concatenate([x[t, rows], hidden], axis=1)
        q = d[0][rows] + dh[t, rows]
        if op.cell == "rnn":
            g = q * slope(after[0])
            gx = gh = gb = g
            direct = 0
        elif op.cell == "lstm":
            i, f, o, z = np.split(xh @ W.T + b, 4, axis=1)
            i, f, o, z = reference.sigmoid(i), reference.sigmoid(f), reference.sigmoid(o), act(z)
            tc = np.tanh(after[1])
            dc = d[1][rows] + q * o * (1 - tc * tc)
            gx = gh = gb = np.concatenate(
                [dc * z * i * (1 - i), dc * before[1] * f * (1 - f), q * tc * o * (1 - o), dc * i * slope(z)], axis=1
            )
            d[1][rows] = dc * f
            direct = 0
        else:
            zx = np.split(x[t, rows] @ W[:, :width].T + b[: 3 * units], 3, axis=1)
            zh = np.split(hidden @ W[:, width:].T, 3, axis=1)
            r, u, m = reference.sigmoid(zx[0] + zh[0]), reference.sigmoid(zx[1] + zh[1]), zh[2] + b[3 * units :]
            n = act(zx[2] + r * m)
            gn = q * (1 - u) * slope(n)
            gu = q * (before[0] - n) * u * (1 - u)
            gr = gn * m * r * (1 - r)
            gx, gh = np.concatenate([gr, gu, gn], axis=1), np.concatenate([gr, gu, gn * r], axis=1)
            gb = np.concatenate([gr, gu, gn, gn * r], axis=1)
            direct = q * u
        d[0][rows] = (gh @ W[:, width:]) * mask[rows] + direct
        dx[t, rows] = gx @ W[:, :width]
        dW += np.concatenate([gx.T @ x[t, rows], gh.T @ hidden], axis=1)
        db += gb.sum(0)
    return [dx, dW, db, *d]


# Derivatives in terms of the activation's value.
SLOPES = {
    "tanh": lambda y: 1 - y * y,
    "linear": np.ones_like,
    "relu": lambda y: (y > 0).astype(y.dtype),
    "sigmoid": lambda y: y * (1 - y),
    "softsign": lambda y: (1 - np.abs(y)) ** 2,
}
