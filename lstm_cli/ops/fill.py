"""Arrays of one value in the shape of another, as gradients have them where nothing flows.

PyTensor writes them as the element-wise Op ``second``, which in Python costs a call an element.
"""

from collections.abc import Sequence

import numpy as np
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.scalar.basic import Second
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.ops.contract import Storage


class Filled(Op):
    """``(like (…), value) -> array (…) of that value``."""

    __props__ = ()

    def make_node(self, like: Variable, value: Variable) -> Apply:
        return Apply(self, [like, value], [like.type.clone(dtype=value.type.dtype)()])

    def infer_shape(self, fgraph: object, node: Apply, shapes: list) -> list:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        like, value = inputs
        outputs[0][0] = np.full(like.shape, value, value.dtype)


@node_rewriter([Elemwise])
def fill_at_once(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Replace ``second(like, value)`` where the value is one number."""
    if not isinstance(node.op.scalar_op, Second) or not all(node.inputs[1].type.broadcastable):
        return None
    return [Filled()(*node.inputs)] if node.outputs[0].type == node.inputs[0].type else None


optdb.register("lstm_fill_at_once", in2out(fill_at_once), "fast_run", position=48.0)
