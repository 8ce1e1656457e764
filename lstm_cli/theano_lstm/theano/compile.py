"""``theano.compile``: what PyTensor has dropped of it."""

from collections.abc import Callable
from typing import Any

from pytensor.compile.io import In
from pytensor.compile.ops import wrap_py
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.theano.compiling import function

__all__ = ["Param", "as_op", "function", "pfunc"]

pfunc = function


def Param(
    variable: Variable,
    default: Any = None,
    name: str | None = None,
    mutable: bool = False,
    strict: bool = False,
    allow_downcast: bool | None = None,
    implicit: bool | None = None,
    borrow: bool | None = None,
) -> In:
    """Return an input of a function with a default value, which `In` calls its value."""
    borrow = mutable if borrow is None else borrow
    return In(
        variable, name=name, value=default, mutable=mutable, strict=strict, allow_downcast=allow_downcast,
        implicit=implicit, borrow=borrow,
    )  # fmt: skip


def as_op(itypes: Any, otypes: Any, infer_shape: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a decorator that makes an Op of a function on arrays.

    Parameters
    ----------
    itypes, otypes : type or list of types
        Of the inputs and outputs.
    infer_shape : callable, optional
        ``(node, shapes of the inputs) -> shapes of the outputs``.
    """
    shapes = infer_shape and (lambda fgraph, node, shapes: infer_shape(node, shapes))
    decorator: Callable[..., Any] = wrap_py(itypes, otypes, shapes)
    return decorator
