"""The gradient of an Op under each of its names, whichever the Op's author used.

Theano asks an Op for ``grad(inputs, gradients)`` or ``L_op(inputs, outputs, gradients)``, PyTensor for ``pullback``
alone, with the arguments of `L_op`. An Op that derives from one of PyTensor's inherits a `pullback`, and its own `grad`
would never be called. So every class that defines one of the names gets the others right beside it: the nearest
definition counts, as with any method, and ``super()`` finds the next one under any name. The same holds for `R_op`,
PyTensor's `pushforward`, and for a gradient that is assigned to a class or to one Op later on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Variable
from pytensor.graph.op import Op
from pytensor.graph.utils import MetaType
from pytensor.scalar.basic import ScalarOp

from lstm_cli.theano_lstm.theano.patches.op_equality import compare_attributes

Variables = Sequence[Variable]

# The names of one thing; of two that one class defines, the first counts.
_FAMILIES = (("pullback", "L_op", "grad"), ("pushforward", "R_op"))
_FAMILY_OF = {name: family for family in _FAMILIES for name in family}

# Their methods of these names say that there is no gradient.
_BASES = (Op, ScalarOp)


def honour_every_name() -> None:
    """Have an Op's gradient called under any of its names, for classes that exist and for those to come."""
    for cls in _all_below(Op) - set(_BASES):
        complete(cls)
    Op.L_op = _theanos_default_l_op
    Op.R_op = _theanos_default_r_op
    Op.__setattr__ = _set_on_op
    MetaType.__setattr__ = _set_on_class


def complete(cls: type[Op]) -> None:
    """Add the names that are missing beside those that the class, or a mixin that comes first, defines."""
    for family in _FAMILIES:
        nearest = next((place for place in cls.__mro__ if place not in _BASES and _own(place, family)), None)
        if nearest is not None and (nearest is cls or not issubclass(nearest, Op)):
            _complete(cls, family, _own(nearest, family))


def _all_below(cls: type) -> set[type]:
    below: set[type] = set(cls.__subclasses__())
    return below.union(*map(_all_below, below))


def _own(cls: type, family: Sequence[str]) -> dict[str, Any]:
    return {name: vars(cls)[name] for name in family if vars(cls).get(name) is not None}


def _complete(cls: type, family: Sequence[str], defined: dict[str, Any]) -> None:
    first = next(iter(defined))
    for name in family:
        if name not in defined:
            type.__setattr__(cls, name, _Adapter(name, first, defined[first]).as_method())


def _set_on_class(cls: MetaType, name: str, value: Any) -> None:
    """Set an attribute of a class; a gradient replaces the one that it had under any name."""
    type.__setattr__(cls, name, value)
    if name not in _FAMILY_OF or Op not in cls.__mro__ or cls in _BASES:
        return
    adapter = getattr(value, "adapter", None)
    if adapter is not None:  # taken from a class before, and put back now
        _set_on_class(cls, adapter.given_as, adapter.given)
        return
    family = _FAMILY_OF[name]
    kept = {other: own for other, own in _own(cls, family).items() if not hasattr(own, "adapter")}
    _complete(cls, family, {other: own for other, own in kept.items() if other == name or other != family[0]})


def _set_on_op(op: Op, name: str, value: Any) -> None:
    """Set an attribute of one Op; a gradient counts under every name, for this Op alone."""
    object.__setattr__(op, name, value)
    if name in _FAMILY_OF:
        compare_attributes(type(op))
        for other in _FAMILY_OF[name]:
            if other != name:
                object.__setattr__(op, other, partial(_CALLS[other, name], value, op))


class _Adapter:
    """A method under another name than its own."""

    def __init__(self, name: str, given_as: str, given: Any) -> None:
        self.name, self.given_as, self.given = name, given_as, given

    def as_method(self) -> Callable[..., Any]:
        given, call = self.given, _CALLS[self.name, self.given_as]

        def method(op: Op, *arguments: Variables) -> Any:
            bound = given.__get__(op, type(op)) if hasattr(given, "__get__") else given
            return call(bound, op, *arguments)

        method.__name__, method.adapter = self.name, self  # type: ignore[attr-defined]
        return method


def _grad_for_l_op(
    grad: Callable[..., Any], op: Op, inputs: Variables, outputs: Variables, gradients: Variables
) -> Any:
    return grad(inputs, gradients)


def _l_op_for_l_op(
    l_op: Callable[..., Any], op: Op, inputs: Variables, outputs: Variables, gradients: Variables
) -> Any:
    return l_op(inputs, outputs, gradients)


def _l_op_for_grad(l_op: Callable[..., Any], op: Op, inputs: Variables, gradients: Variables) -> Any:
    return l_op(inputs, op.make_node(*inputs).outputs, gradients)


def _r_op_for_pushforward(
    r_op: Callable[..., Any], op: Op, inputs: Variables, outputs: Variables, tangents: Any
) -> Any:
    points = [None if isinstance(tangent.type, DisconnectedType) else tangent for tangent in tangents]
    return [disconnected_type() if result is None else result for result in r_op(inputs, points)]


def _pushforward_for_r_op(pushforward: Callable[..., Any], op: Op, inputs: Variables, points: Sequence[Any]) -> Any:
    tangents = [disconnected_type() if point is None else point for point in points]
    results = pushforward(inputs, op.make_node(*inputs).outputs, tangents)
    return [None if isinstance(result.type, DisconnectedType) else result for result in results]


# By the name that is called and the name that is defined.
_CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("pullback", "L_op"): _l_op_for_l_op,
    ("pullback", "grad"): _grad_for_l_op,
    ("L_op", "pullback"): _l_op_for_l_op,
    ("L_op", "grad"): _grad_for_l_op,
    ("grad", "pullback"): _l_op_for_grad,
    ("grad", "L_op"): _l_op_for_grad,
    ("pushforward", "R_op"): _r_op_for_pushforward,
    ("R_op", "pushforward"): _pushforward_for_r_op,
}


def _theanos_default_l_op(op: Op, inputs: Variables, outputs: Variables, gradients: Variables) -> Any:
    """Reached by ``super()`` alone, since a class that defines one name has all."""
    return op.grad(inputs, gradients)


def _theanos_default_r_op(op: Op, inputs: Variables, points: Sequence[Any]) -> Any:
    raise NotImplementedError(f"R_op not implemented for {op}")
