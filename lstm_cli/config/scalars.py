"""The scalars of YAML 1.2, for reading and for writing.

PyYAML follows YAML 1.1, where ``1e-3`` is a string, ``NO`` is false, ``010`` is eight and ``1:30`` is ninety.
"""

import io
import re
from typing import Any

from yaml.emitter import Emitter
from yaml.nodes import ScalarNode
from yaml.representer import SafeRepresenter
from yaml.resolver import BaseResolver
from yaml.serializer import Serializer

NULL, BOOL, INT, FLOAT, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "merge"))

# Where two patterns match, the first one takes precedence.
_PATTERNS = (
    (NULL, r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (BOOL, r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (INT, r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        FLOAT,
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
    (MERGE, r"<<$", ["<"]),
)
_PREFIXES = {"0o": 8, "0x": 16}


class Resolver(BaseResolver):
    """Decides the type of a scalar without quotes."""


for _tag, _pattern, _first in _PATTERNS:
    Resolver.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def scalar(tag: str, text: str) -> Any:
    """Return the value of a scalar.

    Raises
    ------
    ValueError
        For a number with more digits than Python reads.
    """
    if tag == NULL:
        return None
    if tag == BOOL:
        return text.lower() == "true"
    if tag == INT:
        return int(text[2:], _PREFIXES[text[:2]]) if text[:2] in _PREFIXES else int(text)
    if tag == FLOAT:
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


class _Dumper(Emitter, Serializer, SafeRepresenter, Resolver):
    """Writes YAML 1.2 scalars, quoting the strings that would read as something else."""

    def __init__(self, stream: Any) -> None:
        Emitter.__init__(self, stream, width=120, allow_unicode=True)
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, default_flow_style=False, sort_keys=False)
        Resolver.__init__(self)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> ScalarNode:
        """Escape characters that would end a line or be invisible."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_str)


class _CompactDumper(_Dumper):
    """Writes lists of scalars on one line."""

    def represent_flat(self, data: list[Any]) -> Any:
        """Represent a list."""
        flat = not any(isinstance(entry, dict | list) for entry in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_CompactDumper.add_representer(list, _CompactDumper.represent_flat)


def write_yaml(value: Any, *, compact: bool = False) -> str:
    """Return a plain value as YAML 1.2; `compact` puts lists of scalars on one line."""
    stream = io.StringIO()
    dumper = _CompactDumper(stream) if compact else _Dumper(stream)
    dumper.open()
    dumper.represent(value)
    dumper.close()
    return stream.getvalue()
