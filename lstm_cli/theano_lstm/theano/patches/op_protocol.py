"""What Theano expects of an Op and PyTensor does not, for the Ops that scripts define."""

import abc
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NoReturn

import numpy as np
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.utils import MetaType
from pytensor.tensor.rewriting.basic import local_view_op

from lstm_cli.ops.contract import Storage
from lstm_cli.theano_lstm.theano.patches import gradient_names, op_equality


def honour_theanos_protocol() -> None:
    """Let Ops follow Theano's protocol as well as PyTensor's; repeated calls change nothing."""
    gradient_names.honour_every_name()
    op_equality.compare_attributes_of_gradients()
    MetaType.__init__ = _adapt_new_class
    local_view_op.fn = _remove_views_alone


def _adapt_new_class(cls: Any, name: str, bases: tuple[type, ...], members: dict[str, Any], **options: Any) -> None:
    type.__init__(cls, name, bases, members)
    if Op not in cls.__mro__:
        return
    gradient_names.complete(cls)
    if not f"{cls.__module__}.".startswith(("pytensor.", "lstm_cli.")):
        op_equality.compare_attributes(cls)
        _adapt_infer_shape(cls, members)
        _adapt_perform(cls, members)
        _adapt_impl(cls, members)


def _remove_views_alone(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Remove what PyTensor removes as a view of its input, unless a script's class computes something else."""
    return node.inputs if type(node.op).perform is ViewOp.perform else None


def _adapt_infer_shape(cls: type[Op], members: dict[str, Any]) -> None:
    """Take ``infer_shape(node, shapes)`` from PyTensor 3.0 too, which passes the graph before them."""
    method = members.get("infer_shape")
    if isinstance(method, FunctionType) and len(inspect.signature(method).parameters) == 3:
        cls.infer_shape = _without_graph(method)


def _without_graph(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda op, *arguments: method(op, *arguments[-2:])


def _adapt_perform(cls: type[Op], members: dict[str, Any]) -> None:
    """Let an Op be made that has C code or a thunk only, as in Theano."""
    if "perform" in cls.__abstractmethods__ and ("c_code" in members or "make_thunk" in members):
        cls.perform = _perform_missing
        abc.update_abstractmethods(cls)


def _perform_missing(op: Op, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> NoReturn:
    raise NotImplementedError(
        f"{type(op).__name__} defines no perform, and C code is not compiled here: "
        "add perform(self, node, inputs, output_storage) that computes with numpy"
    )


class _Undefined:
    """A class attribute that hides that of a base, as if neither had it."""

    def __get__(self, op: Any, cls: type) -> NoReturn:
        raise AttributeError


def _adapt_impl(cls: Any, members: dict[str, Any]) -> None:
    """Have a scalar Op's own `impl` called where it derives from one that numpy computes."""
    if "impl" in members and "nfunc_spec" not in members and hasattr(cls, "nfunc_spec"):
        cls.nfunc_spec = _Undefined()
