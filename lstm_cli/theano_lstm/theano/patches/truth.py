"""Variables in conditions of Python: ``if persistent:`` asks whether there is one, as scripts for Theano do."""

from pytensor.graph.basic import Variable
from pytensor.scalar.basic import GE, GT, LE, LT
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorVariable, _tensor_py_operators

_COMPARISONS = LT | LE | GT | GE


def variables_are_true() -> None:
    """Let every variable be true, all of this process, except for comparisons: those have no value yet."""
    _tensor_py_operators.__bool__ = _is_there


def _is_there(self: Variable) -> bool:
    node = self.owner if isinstance(self, TensorVariable) else None
    if node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, _COMPARISONS):
        raise TypeError(
            "Variables do not support boolean operations: a comparison has no value before its function is called; "
            "use T.switch or ifelse, and T.and_ instead of a < b < c"
        )
    return True
