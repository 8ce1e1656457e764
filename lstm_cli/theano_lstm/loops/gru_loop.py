"""theano-lstm's GRU over whole sequences as one Op on numpy, and its gradient as another.

Its reset gate multiplies h before the matrix product, which the kernels of the trainer's GRU do not do.

Legend: T time, B batch, I input, H units.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.ops.contract import Storage, infers_shape, is_disconnected, or_zeros
from lstm_cli.theano_lstm.loops.by_scan import second_gradients

CELL = "gru_reset_before"


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


# Each activation, and its slope given its value.
_ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], Any]]] = {
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "linear": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.where(x > 0, x, 0).astype(x.dtype), lambda y: (y > 0).astype(y.dtype)),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "softsign": (lambda x: x / (1 + abs(x)), lambda y: (1 - abs(y)) ** 2),
}


def gru_loop(x: Variable, W: Variable, b: Variable, start: Variable, activation: str) -> Variable:
    """Return h (T, B, H) of a GRU at all steps.

    ::

        r, u = sigmoid(W_r [x, h] + b_r), …      n = a(W_n [x, r h] + b_n)      h' = (1 - u) h + u n

    Parameters
    ----------
    x : (T, B, I)
    W, b : (3 H, I + H), (3 H,)
        Gate blocks r, u, n.
    start : (B, H)
        h before the first step.
    activation : str
        a.
    """
    h: Variable = GRULoop(activation)(x, W, b, start, return_list=True)[0]
    return h


class GRULoop(Op):
    """``(x, W, b, start) -> (h, gates (T, B, 3 H))``; the gates r, u and n are for the gradient."""

    __props__ = ("activation",)

    def __init__(self, activation: str) -> None:
        self.activation = activation

    def make_node(self, x: Variable, W: Variable, b: Variable, start: Variable) -> Apply:
        """Make outputs of the types of x."""
        kind = pt.TensorType(x.type.dtype, (x.type.shape[0], None, None))
        return Apply(self, [x, W, b, start], [kind(), kind()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes."""
        x, W, _, start = shapes
        return [(x[0], *start), (x[0], start[0], W[0])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Gradients flow from h only."""
        return [[True, False]] * 4

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Take step after step."""
        x, W, b, h = inputs
        units, width, act = h.shape[1], x.shape[2], _ACTIVATIONS[self.activation][0]
        if W.shape != (3 * units, width + units) or h.shape[0] != x.shape[1]:
            raise ValueError(f"GRU: got x {x.shape}, W {W.shape} and a state {h.shape}, which do not fit")
        U = np.ascontiguousarray(W[:, width:].T)
        gates = x @ W[:, :width].T + b
        hs = np.empty((*x.shape[:2], units), x.dtype)
        for t, sums in enumerate(gates):
            sums[:, : 2 * units] = _sigmoid(sums[:, : 2 * units] + h @ U[:, : 2 * units])
            r, u = sums[:, :units], sums[:, units : 2 * units]
            sums[:, 2 * units :] = n = act(sums[:, 2 * units :] + (r * h) @ U[:, 2 * units :])
            h = np.add((1 - u) * h, u * n, out=hs[t])
        outputs[0][0], outputs[1][0] = hs, gates

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the gradient Op's outputs."""
        if is_disconnected(cotangents[0]):
            return [disconnected_type() for _ in inputs]
        gradients: list[Variable] = GRULoopGradient(self.activation)(
            *inputs, *outputs, or_zeros(cotangents[0], outputs[0]), return_list=True
        )
        return gradients


class GRULoopGradient(Op):
    """``(x, W, b, start, h, gates, dh) -> (dx, dW, db, dstart)``."""

    __props__ = ("activation",)

    def __init__(self, activation: str) -> None:
        self.activation = activation

    def make_node(self, *inputs: Variable) -> Apply:
        """Make outputs of the types of what they are the gradients of."""
        return Apply(self, list(inputs), [v.type() for v in inputs[:4]])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes of what the outputs are the gradients of."""
        return shapes[:4]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """All counts but what the forward pass kept, which follows from the other inputs."""
        return [[flow] * 4 for flow in (True, True, True, True, False, False, True)]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Take step after step, from the last to the first."""
        x, W, _, start, hs, gates, dhs = inputs
        units, width = start.shape[1], x.shape[2]
        before = np.concatenate([start[None], hs])[: len(hs)]
        dsums, dh = _backwards(W[:, width:], before, gates, dhs, _ACTIVATIONS[self.activation][1])
        flat, rows = dsums.reshape(-1, 3 * units), x.reshape(-1, width)
        entering = np.concatenate([before, before, gates[:, :, :units] * before], axis=2).reshape(-1, 3, units)
        dU = [flat[:, k * units : (k + 1) * units].T @ entering[:, k] for k in range(3)]
        dW = np.concatenate([flat.T @ rows, np.concatenate(dU)], axis=1)
        for output, gradient in zip(outputs, [dsums @ W[:, :width], dW, flat.sum(axis=0), dh], strict=True):
            output[0] = gradient

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the second gradients, computed by scans."""
        given = [None if is_disconnected(v) else v for v in cotangents]
        *first, flowing = second_gradients(CELL, self.activation, inputs[:4], [inputs[6], None], given)
        return [*first, disconnected_type(), disconnected_type(), flowing]


def _backwards(
    U: np.ndarray, before: np.ndarray, gates: np.ndarray, dhs: np.ndarray, slope: Callable[[np.ndarray], Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of the gates' sums (T, B, 3 H) and of the first state (B, H)."""
    units = before.shape[2]
    dsums, dh = np.empty_like(gates), np.zeros(before.shape[1:], before.dtype)
    for t in reversed(range(len(gates))):
        r, u, n = np.split(gates[t], 3, axis=1)
        dr, du, dn = (dsums[t][:, k * units : (k + 1) * units] for k in range(3))
        dh += dhs[t]
        dn[...] = dh * u * slope(n)
        du[...] = dh * (n - before[t]) * u * (1 - u)
        dentering = dn @ U[2 * units :]
        dr[...] = dentering * before[t] * r * (1 - r)
        dh = dh * (1 - u) + dentering * r + dsums[t][:, : 2 * units] @ U[: 2 * units]
    return dsums, dh
