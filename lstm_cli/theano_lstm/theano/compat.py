"""``theano.compat`` and ``theano.compat.six``: Python 2's names. What Python 3 itself has is looked up there."""

import pickle
from io import BytesIO, StringIO
from operator import truediv as operator_div
from typing import Any

PY2, PY3 = False, True
izip, imap, ifilter, xrange = zip, map, filter, range
string_types, integer_types, text_type, binary_type = (str,), (int,), str, bytes
cPickle, cStringIO, Iterator = pickle, StringIO, object

__all__ = [
    "PY2", "PY3", "BytesIO", "Iterator", "binary_type", "cPickle", "cStringIO", "cmp", "exc_message",
    "get_unbound_function", "ifilter", "imap", "integer_types", "iteritems", "iterkeys", "itervalues", "izip",
    "operator_div", "string_types", "text_type", "xrange",
]  # fmt: skip


def cmp(x: Any, y: Any) -> int:
    """Return -1, 0 or 1 as x is less than, equal to or greater than y."""
    return int(x > y) - int(x < y)


def iteritems(mapping: Any) -> Any:
    """Return the pairs of a mapping."""
    return iter(mapping.items())


def iterkeys(mapping: Any) -> Any:
    """Return the keys of a mapping."""
    return iter(mapping.keys())


def itervalues(mapping: Any) -> Any:
    """Return the values of a mapping."""
    return iter(mapping.values())


def exc_message(error: BaseException) -> Any:
    """Return the message of an error, or of the error that it was raised with."""
    message = error.args[0]
    return exc_message(message) if isinstance(message, Exception) else message


def get_unbound_function(method: Any) -> Any:
    """Return the function of a method."""
    return getattr(method, "__func__", method)
