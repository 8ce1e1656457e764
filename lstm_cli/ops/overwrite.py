"""Updates that stay in the memory of the variable they update, which another process may share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable

from lstm_cli.ops.contract import Storage, infers_shape
from lstm_cli.ops.inplace import InplaceOp


def overwrite(held: Variable, new: Variable) -> Variable:
    """Return `new` (…), written over `held` (…) after its last use."""
    return Overwrite()(held, new)


class Overwrite(InplaceOp):
    """``(held (…), new (…)) -> new``."""

    __props__ = ("inplace",)

    def make_node(self, held: Variable, new: Variable) -> Apply:
        return Apply(self, [held, new], [held.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        held, new = inputs
        if not self.inplace or held.shape != new.shape or not held.flags.writeable:
            held = np.empty(new.shape, new.dtype)
        np.copyto(held, new)
        outputs[0][0] = held
