"""The lengths of ``T.zeros(shape)`` and its kin that are known before a function runs.

PyTensor infers them by rewriting all that the shape depends on. The gradient of a scan makes dozens of such zeros,
whose shapes depend on scans: half of the time to the first update of a translation with attention went there.
"""

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors
from pytensor.scan.op import Scan
from pytensor.tensor import basic

_infer_by_rewriting = basic.infer_static_shape


def look_for_lengths_as_theano() -> None:
    """Where a shape depends on a scan, let only those lengths be known that are constants at a glance."""
    basic.infer_static_shape = _infer


def _infer(shape: Variable | Sequence[Any]) -> tuple[Sequence[Variable], Sequence[int | None]]:
    """Return the checked lengths, and their values or None."""
    lengths = [basic.as_tensor_variable(length, ndim=0) for length in shape]
    if not _depend_on_scan(lengths) or any("int" not in length.type.dtype for length in lengths):
        inferred: tuple[Sequence[Variable], Sequence[int | None]] = _infer_by_rewriting(lengths)
        return inferred
    return lengths, [_at_a_glance(length) for length in lengths]


def _depend_on_scan(lengths: list[Variable]) -> bool:
    return any(node is not None and isinstance(node.op, Scan) for node in (v.owner for v in ancestors(lengths)))


def _at_a_glance(length: Variable) -> int | None:
    value = basic.get_scalar_constant_value(length, raise_not_constant=False)
    return None if isinstance(value, Variable) else int(value)
