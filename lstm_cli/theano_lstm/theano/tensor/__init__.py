"""``theano.tensor``."""

from collections.abc import Sequence
from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad as consider_constant
from pytensor.graph.basic import Variable
from pytensor.tensor.math import var
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.sort import argsort, sort

from lstm_cli.theano_lstm.theano.gradient import Lop, Rop, verify_grad
from lstm_cli.theano_lstm.theano.tensor.batched import batched_dot, batched_tensordot
from lstm_cli.theano_lstm.theano.tensor.broadcasting import Rebroadcast, addbroadcast, patternbroadcast, unbroadcast
from lstm_cli.theano_lstm.theano.tensor.largest import argtopk, topk, topk_and_argtopk

__all__ = [
    "Lop",
    "Rebroadcast",
    "Rop",
    "Tensor",
    "TensorSharedVariable",
    "abs_",
    "addbroadcast",
    "alloc",
    "argsort",
    "argtopk",
    "batched_dot",
    "batched_tensordot",
    "consider_constant",
    "flatten",
    "inv",
    "patternbroadcast",
    "sgn",
    "sort",
    "split",
    "stack",
    "tensor",
    "tile",
    "topk",
    "topk_and_argtopk",
    "unbroadcast",
    "var",
    "verify_grad",
]

abs_ = pt.abs
inv = pt.reciprocal
sgn = pt.sign
Tensor = pt.TensorType


def alloc(value: Any, *shape: int | Variable) -> Variable:
    """Return an array of one value; a Python float becomes ``floatX``."""
    if isinstance(value, float):
        value = pt.constant(value, dtype=pytensor.config.floatX)
    return pt.alloc(value, *shape)


def stack(*tensors: Any, **options: Any) -> Variable:
    """Stack variables given one by one, or as a list with an axis."""
    if tensors and isinstance(tensors[0], Sequence):
        return pt.stack(*tensors, **options)
    return pt.stack(tensors, **options)


def tensor(*description: Any, **options: Any) -> Variable:
    """Return a variable of ``(dtype, broadcastable[, name])``, or of PyTensor's own arguments."""
    if "broadcastable" in options:
        dtype = description[0] if description else options.pop("dtype", None)
        return tensor(dtype or pytensor.config.floatX, options.pop("broadcastable"), **options)
    if len(description) < 2:
        return pt.tensor(*description, **options)
    dtype, broadcastable, *name = description
    return pt.TensorType(dtype, tuple(1 if flag else None for flag in broadcastable))(*name, **options)


def flatten(x: Any, ndim: int = 1, outdim: int | None = None) -> Variable:
    """Return x with all axes from the last of `ndim` on made one; `outdim` is the old name of `ndim`."""
    return pt.flatten(x, ndim=outdim or ndim)


def tile(x: Any, reps: Any, ndim: int | None = None) -> Variable:
    """Return x repeated along its axes; with `ndim`, as many axes of length one go before as x lacks."""
    x = pt.as_tensor_variable(x)
    return pt.tile(x if ndim is None or ndim <= x.ndim else pt.shape_padleft(x, ndim - x.ndim), reps)


def split(x: Any, splits_size: Any, n_splits: int | None = None, axis: int = 0) -> list[Variable]:
    """Return the parts of x of these lengths along an axis."""
    parts: list[Variable] = pt.split(x, splits_size, n_splits=n_splits, axis=axis)
    return parts
