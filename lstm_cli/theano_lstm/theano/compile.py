"""``theano.compile``: what PyTensor has dropped of it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytensor
from pytensor.compile.ops import wrap_py
from pytensor.compile.sharedvalue import SharedVariable

from lstm_cli.theano_lstm.theano.functions import In, Param, function, pfunc

__all__ = ["In", "Param", "as_op", "function", "pfunc", "shared"]


def shared(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    broadcastable: Sequence[bool] | None = None,
    target: str | None = None,
    **options: Any,
) -> SharedVariable:
    """Return a shared variable.

    Parameters
    ----------
    value
    name, strict, allow_downcast, options : optional
        As in PyTensor.
    broadcastable : sequence of bool, optional
        Which axes are known to have length one.
    target : str, optional
        Without effect: the device that Theano kept it on.
    """
    if broadcastable is not None:
        options["shape"] = tuple(1 if flag else None for flag in broadcastable)
    return pytensor.shared(value, name, strict=strict, allow_downcast=allow_downcast, **options)


def as_op(itypes: Any, otypes: Any, infer_shape: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a decorator that makes an Op of a function on arrays.

    Parameters
    ----------
    itypes, otypes : type or list of types
        Of the inputs and outputs.
    infer_shape : callable, optional
        ``(node, shapes of the inputs) -> shapes of the outputs``.
    """
    shapes = infer_shape and (lambda *arguments: infer_shape(*arguments[-2:]))  # PyTensor 3.0 passes the graph first
    decorator: Callable[..., Any] = wrap_py(itypes, otypes, shapes)
    return decorator
