"""The element-wise activations by the names that configs and Ops use, as functions of variables."""

from collections.abc import Callable

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

Activation = Callable[[Variable], Variable]


def linear(x: Variable) -> Variable:
    """Return x."""
    return x


def relu(x: Variable) -> Variable:
    """Return max(x, 0), with slope 0 at 0."""
    return pt.switch(x > 0, x, 0)


def softsign(x: Variable) -> Variable:
    """Return x / (1 + |x|)."""
    return x / (1 + abs(x))


ACTIVATIONS: dict[str, Activation] = {
    "tanh": pt.tanh,
    "linear": linear,
    "relu": relu,
    "sigmoid": pt.sigmoid,
    "softsign": softsign,
}
