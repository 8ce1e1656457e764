"""What a compiled function needs to be pickled, as Theano's could be.

PyTensor keeps with each batched Op of a compiled function, such as `batched_dot`, the numpy function that computes it:
a closure, which cannot be pickled. It is made again where a function is loaded.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.blockwise import Blockwise

Computed = Sequence[np.ndarray]


class Computation:
    """The function that computes a node; pickled without it, since loading a function prepares each of its nodes."""

    def __init__(self, function: Callable[..., Computed] | None = None) -> None:
        self.function = function

    def __call__(self, *inputs: np.ndarray) -> Computed:
        """Return the node's outputs."""
        if self.function is None:
            raise RuntimeError("this node was loaded from a pickle by itself; load the function that it is part of")
        return self.function(*inputs)

    def __reduce__(self) -> tuple[Any, ...]:
        return Computation, ()


def pickle_batched_ops() -> None:
    """Let functions with batched Ops be pickled, repeated calls change nothing."""
    make = Blockwise._create_node_gufunc
    if getattr(make, "pickled", False):
        return

    def pickled(self: Blockwise, node: Apply, impl: str | None) -> Computation:
        return Computation(make(self, node, impl))

    pickled.pickled = True  # type: ignore[attr-defined]
    Blockwise._create_node_gufunc = pickled
