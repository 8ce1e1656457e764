"""``x.default_update = …`` of a shared variable: PyTensor warns, and refuses what it knows more about than about x."""

from typing import Any

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.type import TensorType

from lstm_cli.theano_lstm.theano.tensor.broadcasting import Unbroadcast


def take_theanos_default_updates() -> None:
    """Let shared variables take default updates as in Theano; repeated calls change nothing."""
    SharedVariable.default_update = SharedVariable.default_update.setter(_set)


def _set(held: SharedVariable, following: Any) -> None:
    held._default_update = None if following is None else _of_its_type(held, following)


def _of_its_type(held: SharedVariable, following: Any) -> Variable:
    """Return the update without the lengths of axes that the shared variable's type leaves open."""
    following = held.type.filter_variable(following, allow_convert=True)
    if following.type == held.type or not isinstance(held.type, TensorType):
        return following
    return Unbroadcast(*(axis for axis, length in enumerate(held.type.shape) if length is None))(following)
