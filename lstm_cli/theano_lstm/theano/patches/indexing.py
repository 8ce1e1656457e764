"""``x[:, None]`` in a script: Theano looked only at the axes before the end of the index.

Of what the index leaves out, axes of length 1 were dropped, and others refused. ``mask[:, None]`` of a mask (N, 1) is
(N, 1) therefore, not (N, 1, 1), and scripts count on it.
"""

import sys
from typing import Any

from pytensor.graph.basic import Variable
from pytensor.tensor.variable import _tensor_py_operators

_item = _tensor_py_operators.__getitem__


def add_axes_as_theano() -> None:
    """Let new axes of a script's index stand for those of length 1 that it leaves out."""
    _tensor_py_operators.__getitem__ = _theanos_item


def _theanos_item(self: Variable, index: Any) -> Variable:
    parts = index if isinstance(index, tuple) else (index,)
    if any(part is None for part in parts) and all(map(_is_simple, parts)):
        named = sum(part is not None for part in parts)
        left_out = self.type.broadcastable[named:]
        if left_out and all(left_out) and _asked_by_a_script():
            self = self.dimshuffle(*range(named))
    item: Variable = _item(self, index)
    return item


def _is_simple(part: Any) -> bool:
    """Return whether a part of an index is a new axis, a slice or one place: neither an ellipsis nor several places."""
    return part is not Ellipsis and not isinstance(part, bool | list) and getattr(part, "ndim", 0) == 0


def _asked_by_a_script() -> bool:
    """Return whether the index is in neither PyTensor's code nor ours, which mean what numpy means."""
    return sys._getframe(2).f_globals.get("__name__", "").split(".")[0] not in ("pytensor", "lstm_cli")
