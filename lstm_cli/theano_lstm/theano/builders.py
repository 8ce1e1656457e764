"""``theano.compile.builders``: Ops made of graphs, with Theano's names for gradients of one's own."""

from collections.abc import Callable
from typing import Any

from pytensor.compile import builders
from pytensor.graph.basic import Variable

Override = Any  # "default", None, a callable, an OpFromGraph, a variable without a value, or a list of these

__all__ = ["OpFromGraph"]


class OpFromGraph(builders.OpFromGraph):
    """An Op that computes a graph.

    Parameters
    ----------
    inputs, outputs : list of variables
    inline : bool
    lop_overrides, grad_overrides, rop_overrides : optional
        The gradient instead of the graph's own: ``"default"``, a callable of the arguments of `L_op`, `grad` or
        `R_op`, an `OpFromGraph` of these one after the other, a variable that stands for no gradient
        (``DisconnectedType()()``), or a list of them, one an input, or an output for `rop_overrides`.
    options
        The same under PyTensor's names, and others of its own.

    Raises
    ------
    ValueError
        The gradient is given under two names.
    """

    def __init__(
        self,
        inputs: list[Variable],
        outputs: list[Variable],
        inline: bool = False,
        lop_overrides: Override = "default",
        grad_overrides: Override = "default",
        rop_overrides: Override = "default",
        **options: Any,
    ) -> None:
        given = {
            "lop_overrides": _is_given(lop_overrides),
            "grad_overrides": _is_given(grad_overrides),
            "pullback": options.get("pullback") is not None,
        }
        if sum(given.values()) > 1:
            raise ValueError(f"OpFromGraph: give one of {' and '.join(name for name in given if given[name])}")
        if given["lop_overrides"]:
            options["pullback"] = _each(lop_overrides, _of_three, len(inputs))
        if given["grad_overrides"]:
            options["pullback"] = _each(grad_overrides, _of_two, len(inputs))
        if _is_given(rop_overrides):
            options["pushforward"] = _each(rop_overrides, _of_tangents, len(outputs))
        super().__init__(list(inputs), list(outputs), inline=inline, **options)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: not the gradients that were made of the graph, which are closures."""
        return {**self.__dict__, "_lop_op_cache": {}, "_rop_op_cache": None}


def _is_given(override: Override) -> bool:
    return override is not None and not (isinstance(override, str) and override == "default")


def _each(override: Override, adapt: Callable[[Any, bool], Any], count: int) -> Any:
    """Return PyTensor's form of an override, a list of which stands for `count` of them."""
    if isinstance(override, Variable):
        return [override] * count
    if not isinstance(override, list | tuple):
        return adapt(override, True)
    return [(one if isinstance(one, Variable) else adapt(one, False)) if _is_given(one) else None for one in override]


def _of_two(override: Any, several: bool) -> Callable[..., Any]:
    """Return a callable of inputs, outputs and gradients that calls one of inputs and gradients."""
    if isinstance(override, builders.OpFromGraph):
        return lambda inputs, outputs, gradients: _results(override(*inputs, *gradients), several)
    return lambda inputs, outputs, gradients: _results(override(inputs, gradients), several)


def _of_three(override: Any, several: bool) -> Callable[..., Any]:
    if isinstance(override, builders.OpFromGraph):
        return lambda inputs, outputs, gradients: _results(override(*inputs, *outputs, *gradients), several)
    return lambda inputs, outputs, gradients: _results(override(inputs, outputs, gradients), several)


def _of_tangents(override: Any, several: bool) -> Callable[..., Any]:
    if isinstance(override, builders.OpFromGraph):
        return lambda inputs, tangents: _results(override(*inputs, *tangents), several)
    return lambda inputs, tangents: _results(override(inputs, tangents), several)


def _results(results: Any, several: bool) -> Any:
    """Return a list where several results are expected."""
    if not several:
        return results
    return [results] if isinstance(results, Variable) else list(results)
