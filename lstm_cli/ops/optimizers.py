"""The last part of a training step as two Ops: measure the gradient, then change parameters and state in one pass.

The parameters are one vector of P numbers, cut into S segments, each one matrix or bias. Legend: V vectors of state.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.kernels.optimizers import sums_of_squares
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, task_count
from lstm_cli.ops.inplace import InplaceOp

_PIECE = 1 << 14  # numbers that a thread takes at a time; sums over pieces do not depend on the number of threads

Bounds = tuple[int, ...]


class Rule(Protocol):
    """What distinguishes one optimizer from another; hashable.

    Attributes
    ----------
    vectors, scalars : tuple of str
        Names of its state: vectors (P,) that start at 0, single numbers.
    kernel : callable
        ``(tasks, p, *vectors, g, pieces, scales, k)``, in place.
    """

    vectors: tuple[str, ...]
    scalars: tuple[str, ...]
    kernel: Callable[..., None]

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step, from the weight decay on, and the scalars after it."""
        ...


class MeasureGradient(Op):
    """``gradient (P,) -> (norm, scales (S,))``: the norm as it is, and what clipping multiplies each segment by.

    First every number is clipped to ±value, then each segment of norm n is scaled by min(each, n) / (n + 1e-6) as in
    theano-lstm, then all together, of norm n by now, by min(1, total / n). What is None is left out.
    """

    __props__ = ("bounds", "value", "each", "total")

    def __init__(self, bounds: Bounds, value: float | None, each: float | None, total: float | None) -> None:
        self.bounds, self.value, self.each, self.total = bounds, value, each, total

    def make_node(self, gradient: Variable) -> Apply:
        gradient = pt.as_tensor_variable(gradient)
        return Apply(self, [gradient], [pt.dscalar(), pt.vector(dtype=gradient.type.dtype)])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(), (len(self.bounds) - 1,)]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        gradient = dense_array(inputs[0], inputs[0].dtype)
        _check_size(gradient, self.bounds)
        pieces = _pieces(self.bounds)
        sums = np.empty((len(pieces), 2))
        limit = np.array([_limit(self.value, gradient.dtype)])
        sums_of_squares(task_count(gradient.size), gradient, pieces, limit, sums)
        squares = np.bincount(pieces[:, 2].astype(np.int64), sums[:, 1], minlength=len(self.bounds) - 1)
        outputs[0][0] = np.asarray(np.sqrt(sums[:, 0].sum()))
        outputs[1][0] = self._scales(np.sqrt(squares)).astype(gradient.dtype)

    def _scales(self, norms: np.ndarray) -> np.ndarray:
        """Return the factor of each segment, given its norm after the clipping of single numbers."""
        scales = np.ones(len(norms))
        if self.each is not None:
            scales = np.minimum(self.each, norms) / (norms + 1e-6)
        if self.total is not None:
            norm = np.sqrt(np.sum((scales * norms) ** 2))
            scales *= self.total / norm if norm > self.total else 1.0
        return scales


class FusedUpdate(InplaceOp):
    """``(flat (P,), gradient (P,), scales (S,), learning_rate, *vectors (P,), *scalars) -> (flat, *state)``.

    `factors` are those of the learning rate, of each segment; none: 1 for all. A segment with 0 is not touched, nor is
    its state.
    """

    __props__ = ("rule", "bounds", "value", "factors", "inplace")

    def __init__(self, rule: Rule, bounds: Bounds, value: float | None = None, factors: tuple[float, ...] = ()) -> None:
        self.rule, self.bounds, self.value, self.factors = rule, bounds, value, factors
        self.overwrites = {0: 0} | {1 + k: 4 + k for k in range(len(rule.vectors))}

    def make_node(self, *inputs: Variable) -> Apply:
        flat, gradient, scales, learning_rate, *state = (pt.as_tensor_variable(variable) for variable in inputs)
        vectors = (flat, gradient, *state[: len(self.rule.vectors)])
        if any(vector.type.ndim != 1 or vector.type.dtype != flat.type.dtype for vector in vectors):
            raise TypeError(f"{self.rule}: expected vectors of one dtype, got {[str(v.type) for v in vectors]}")
        return Apply(self, [flat, gradient, scales, learning_rate, *state], [v.type() for v in (flat, *state)])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0], *shapes[4:]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        flat, gradient, scales, learning_rate, *state = inputs
        _check_size(gradient, self.bounds)
        count = len(self.rule.vectors)
        dtype, before = flat.dtype, [float(number) for number in state[count:]]
        changed = [self.writable(vector) for vector in (flat, *state[:count])]
        gradient, scales = dense_array(gradient, dtype), dense_array(scales, dtype)
        for factor, pieces in _groups(self.bounds, self.factors):
            scalars = self.step(changed, gradient, scales, pieces, factor * float(learning_rate), before)
        for output, value in zip(outputs, [*changed, *map(np.asarray, scalars)], strict=True):
            output[0] = value

    def step(
        self,
        changed: Sequence[np.ndarray],
        gradient: np.ndarray,
        scales: np.ndarray,
        pieces: np.ndarray,
        learning_rate: float,
        before: Sequence[float],
    ) -> Sequence[float]:
        """Change parameters and vectors of state in place, in some pieces; return the scalars after it."""
        constants, scalars = self.rule.advance(learning_rate, before)
        self.run(self.rule.kernel, changed, gradient, scales, pieces, constants, limit=self.value)
        return scalars

    @staticmethod
    def run(
        kernel: Callable[..., None],
        changed: Sequence[np.ndarray],
        gradient: np.ndarray,
        scales: np.ndarray,
        pieces: np.ndarray,
        constants: Sequence[float],
        *,
        limit: float | None,
    ) -> None:
        """Run a kernel on some pieces; `limit` is that of every number of the gradient."""
        dtype = gradient.dtype
        own = np.array([_limit(limit, dtype), *constants], dtype)
        kernel(task_count(gradient.size), *changed, gradient, pieces, scales, own)


def norms(vector: np.ndarray, pieces: np.ndarray, segments: int, limit: float | None = None) -> np.ndarray:
    """Return the norm of each segment of a vector (S,), as far as it is in some pieces, with its numbers clipped."""
    sums = np.empty((len(pieces), 2))
    sums_of_squares(task_count(vector.size), vector, pieces, np.array([_limit(limit, vector.dtype)]), sums)
    return np.sqrt(np.bincount(pieces[:, 2].astype(np.int64), sums[:, 1], minlength=segments))


def _check_size(vector: np.ndarray, bounds: Bounds) -> None:
    """Kernels check no bounds."""
    if vector.shape != bounds[-1:]:
        raise ValueError(f"the gradient has {vector.size} numbers, the parameters {bounds[-1]}")


def _limit(value: float | None, dtype: np.dtype) -> Any:
    """Return the largest number that a gradient may have."""
    return np.finfo(dtype).max if value is None else dtype.type(value)


@cache
def _groups(bounds: Bounds, factors: tuple[float, ...]) -> list[tuple[float, np.ndarray]]:
    """Return the pieces of the segments that have the same factor, for each factor but 0."""
    pieces = _pieces(bounds)
    if not factors:
        return [(1.0, pieces)]
    of_pieces = np.array(factors)[pieces[:, 2].astype(np.int64)]
    return [(factor, pieces[of_pieces == factor]) for factor in sorted({*factors} - {0.0})]


@cache
def _pieces(bounds: Bounds) -> np.ndarray:
    """Cut the segments into rows (start, stop, segment)."""
    table = [
        (start, min(start + _PIECE, stop), segment)
        for segment, stop in enumerate(bounds[1:])
        for start in range(bounds[segment], stop, _PIECE)
    ]
    return np.array(table, np.uint64).reshape(-1, 3)
