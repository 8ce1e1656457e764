"""Dropout without a stored mask: which numbers fall out is a hash of a seed and of their place.

The gradient draws the same mask again, and a resumed run needs only the seeds. Srivastava et al. 2014; one mask per
sequence inside the recurrence: Gal and Ghahramani 2016.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.kernels.dropout import drop
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, output_buffer, task_count
from lstm_cli.ops.inplace import InplaceOp


def dropout(x: Variable, rate: float, seed: Variable) -> Variable:
    """Return x with a share `rate` of its numbers set to 0 and the others divided by 1 - rate.

    Parameters
    ----------
    x : (…)
    rate : float
        In [0, 1).
    seed : scalar int64
        The same seed gives the same mask. Two places of a network take two seeds.
    """
    return Dropout(rate)(x, seed) if rate else x


def dropout_mask(shape: Sequence[Variable | int], rate: float, seed: Variable, *, dtype: str = "float32") -> Variable:
    """Return a mask (…) of 0 and 1 / (1 - rate): what `dropout` multiplies by."""
    return DropoutMask(rate, dtype)(seed, *shape)


class Dropout(InplaceOp):
    """``(x (…), seed) -> y (…)``, linear in x and its own gradient."""

    __props__ = ("rate", "inplace")

    def __init__(self, rate: float) -> None:
        self.rate = _checked(rate)

    def make_node(self, x: Variable, seed: Variable) -> Apply:
        x, seed = pt.as_tensor_variable(x), _scalar(seed)
        if not x.type.dtype.startswith("float"):
            raise TypeError(f"dropout: expected an array of floats, got {x.type}")
        return Apply(self, [x, seed], [x.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        x, seed = inputs
        x = dense_array(x, x.dtype)
        y = x if self.inplace else output_buffer(outputs[0], x.shape, x.dtype)
        _drop(x, y, self.rate, seed)
        outputs[0][0] = y

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [Dropout(self.rate)(cotangents[0], inputs[1]), disconnected_type()]


class DropoutMask(Op):
    """``(seed, *shape) -> mask (…)``."""

    __props__ = ("rate", "dtype")

    def __init__(self, rate: float, dtype: str) -> None:
        self.rate, self.dtype = _checked(rate), dtype

    def make_node(self, seed: Variable, *shape: Variable | int) -> Apply:
        sizes = [_scalar(size) for size in shape]
        return Apply(self, [_scalar(seed), *sizes], [pt.tensor(dtype=self.dtype, shape=(None,) * len(sizes))])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [tuple(node.inputs[1:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False]] * len(node.inputs)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        seed, *shape = inputs
        mask = output_buffer(outputs[0], [int(size) for size in shape], self.dtype)
        mask.fill(1)
        _drop(mask, mask, self.rate, seed)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [disconnected_type() for _ in inputs]


def _checked(rate: float) -> float:
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: the rate must lie in [0, 1), got {rate}")
    return float(rate)


def _scalar(variable: Variable | int) -> Variable:
    variable = pt.as_tensor_variable(variable)
    if variable.type.ndim or "int" not in variable.type.dtype:
        raise TypeError(f"dropout: seeds and sizes must be single integers, got {variable.type}")
    return variable


def _drop(x: np.ndarray, y: np.ndarray, rate: float, seed: np.ndarray) -> None:
    """Write x with its mask into y, which may be x."""
    key = _spread(int(seed))
    threshold = min(round(rate * 2**32), 2**32 - 1)
    keys = np.array([key >> 32, key & 0xFFFFFFFF, threshold], np.uint32)
    drop(task_count(x.size), x, y, keys, np.array([1 / (1 - rate)], x.dtype))


def _spread(seed: int) -> int:
    """Return 64 well-mixed bits (splitmix64: Steele et al. 2014), so that neighbouring seeds have nothing in common."""
    mask = 2**64 - 1
    z = (seed + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)
