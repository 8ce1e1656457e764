"""``theano.updates``."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

__all__ = ["OrderedUpdates"]


class OrderedUpdates(OrderedDict[SharedVariable, Variable]):
    """New values of shared variables; ``a + b`` is both, where one of them may be a dict or a list of pairs.

    Raises
    ------
    TypeError
        What is updated is not a shared variable.
    KeyError
        Two different updates of one shared variable were to be joined.
    """

    def __setitem__(self, key: SharedVariable, value: Variable) -> None:
        if not isinstance(key, SharedVariable):
            raise TypeError(f"OrderedUpdates: expected a shared variable as key, got {key} of {type(key)}")
        super().__setitem__(key, value)

    def update(self, other: Any = None) -> None:
        """Add updates, none of which may contradict what is there."""
        for key, value in OrderedDict(other or {}).items():
            if key in self and self[key] is not value:
                raise KeyError(f"OrderedUpdates: {key} has two different updates, {self[key]} and {value}")
            self[key] = value

    def __add__(self, other: Any) -> "OrderedUpdates":
        return _joined(self, other)

    def __radd__(self, other: Any) -> "OrderedUpdates":
        return _joined(other, self)


def _joined(*parts: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> OrderedUpdates:
    joined = OrderedUpdates()
    for part in parts:
        joined.update(part)
    return joined
