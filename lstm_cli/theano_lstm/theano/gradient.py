"""``theano.gradient``: with Theano's arguments, and its ordinary mode."""

from collections.abc import Callable
from typing import Any

import pytensor.gradient
from pytensor.gradient import as_list_or_tuple as format_as
from pytensor.gradient import disconnected_grad as consider_constant

from lstm_cli.theano_lstm.theano.modes import AnyMode, get_mode

__all__ = ["Lop", "Rop", "consider_constant", "format_as", "verify_grad"]


def Lop(f: Any, wrt: Any, eval_points: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    """Return the gradient of f with respect to `wrt`, where `eval_points` is the gradient with respect to f."""
    return pytensor.gradient.pullback(f, wrt, eval_points, consider_constant, disconnected_inputs)


def Rop(
    f: Any, wrt: Any, eval_points: Any, disconnected_outputs: str = "raise", return_disconnected: str = "zero"
) -> Any:
    """Return how f changes where `wrt` changes by `eval_points`.

    It is the gradient of a gradient, or where an Op has none, made of each Op's `R_op`.
    """
    given = (f, wrt, eval_points, disconnected_outputs, return_disconnected)
    try:
        return pytensor.gradient.pushforward(*given)
    except NotImplementedError:
        return pytensor.gradient.pushforward(*given, use_op_pushforward=True)


def verify_grad(
    fun: Callable[..., Any],
    pt: Any,
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    out_type: str | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
    mode: str | AnyMode | None = None,
    **options: Any,
) -> None:
    """Compare the gradient of a function of variables with differences of its values.

    Parameters
    ----------
    fun : callable of variables
    pt : list of arrays
        Its arguments.
    mode, options : optional
        As in Theano; the others too.

    Raises
    ------
    ValueError
        They differ.
    """
    pytensor.gradient.verify_grad(
        fun, pt, n_tests, rng, eps, out_type, abs_tol, rel_tol, mode=get_mode(mode), **options
    )  # fmt: skip
