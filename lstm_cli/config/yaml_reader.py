"""From the text of a config to plain values, each with its place. Hostile text is refused cheaply.

Only the pure Python parser is used: the one in C crashes on deep nesting. Events are turned into nodes under limits of
size, depth and number, and nodes into values under the same limits once more, since aliases multiply.
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from yaml.composer import Composer
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from lstm_cli.config.scalars import MERGE, Resolver, scalar

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
MAX_NODES = 10_000

Path = tuple[str | int, ...]


class Limits(NamedTuple):
    """Limits of a text: values, with aliases followed (None: any number, but no aliases), and levels of nesting."""

    nodes: int | None = MAX_NODES
    depth: int = MAX_DEPTH

    def check(self, depth: int, count: int, mark: "Mark") -> None:
        """Raise `Unreadable` if value number `count`, at level `depth`, exceeds a limit."""
        if depth > self.depth:
            raise Unreadable(f"nested deeper than {self.depth} levels", mark)
        if self.nodes is not None and count > self.nodes:
            raise Unreadable(f"more than {self.nodes} values, aliases followed: a config holds fewer", mark)


class Mark(NamedTuple):
    """A position in a text, counted from 1."""

    line: int
    column: int


class Place(NamedTuple):
    """The positions of a key and its value."""

    key: Mark
    value: Mark


class Unreadable(Exception):
    """The text is not YAML as a config may use it: what is wrong, and where if that is known."""

    def __init__(self, problem: str, mark: Mark | None = None) -> None:
        super().__init__(problem)
        self.problem, self.mark = problem, mark


@dataclass
class Document:
    """A text as plain values.

    Attributes
    ----------
    value
        Mappings, lists, strings, numbers, booleans and null.
    places
        The place of everything in `value` by its path from the root.
    problems
        Path, place and text of problems that do not stop the reading: keys given twice.
    """

    value: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[tuple[Path, Mark, str]] = field(default_factory=list)


def read_yaml(content: bytes, *, own: bool = False) -> Document:
    """Read one YAML 1.2 document.

    Parameters
    ----------
    content
        The text in UTF-8.
    own
        Whether this tool wrote it: it may then have any size, but no aliases, which multiply.

    Raises
    ------
    Unreadable
        If the text is not YAML, is too large, nested too deeply, or uses tags.
    """
    if not own and len(content) > MAX_BYTES:
        raise Unreadable(f"larger than {MAX_BYTES // 1024} KiB: give a config; for a data file, lstm init writes one")
    text = _decode(content)
    limits = Limits(nodes=None) if own else Limits()
    try:
        node = _Nodes(text, limits).get_single_node()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(_explain(error), None if mark is None else _mark(mark)) from None
    except YAMLError as error:
        raise Unreadable(f"not YAML: {error}") from None
    builder = _Builder(limits)
    if node is not None:
        builder.build(node, (), _mark(node.start_mark))
    return builder.document


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("the text is UTF-16: save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        byte = content[error.start]
        raise Unreadable(f"byte 0x{byte:02x} is not UTF-8: save the file as UTF-8", _end_of(before)) from None
    if found := re.search(Reader.NON_PRINTABLE, text):
        code = ord(found.group())
        raise Unreadable(f"character U+{code:04X} does not belong in a text file", _end_of(text[: found.start()]))
    return text


def _end_of(text: str) -> Mark:
    return Mark(text.count("\n") + 1, len(text) - text.rfind("\n"))


def _mark(mark: Any) -> Mark:  # Any, since PyYAML's stubs leave out which of its two marks it is
    return Mark(mark.line + 1, mark.column + 1)


def _explain(error: MarkedYAMLError) -> str:
    problem = re.sub(r"found unknown escape character.*", "unknown escape in double quotes", error.problem or "")
    if "'\\t'" in problem:
        problem += " (indent with spaces, not tabs)"
    elif "'@'" in problem or "'`'" in problem or "'%'" in problem:
        problem += " (put quotes around the value)"
    elif "alias" in problem:
        problem += " (a value that starts with * needs quotes)"
    context = f" {error.context}" if error.context and error.context.startswith("while") else ""
    return f"not YAML: {problem}{context}"


class _Nodes(Reader, Scanner, Parser, Composer, Resolver):
    """Composes the nodes of a text, under limits, and refuses tags."""

    def __init__(self, text: str, limits: Limits) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        Resolver.__init__(self)
        self._depth, self._count, self._limits = 0, 0, limits

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # untyped in the stubs
        self._depth += 1
        self._count += 1
        self._limits.check(self._depth, self._count, _mark(event.start_mark))
        if self._limits.nodes is None and isinstance(event, AliasEvent):
            raise Unreadable("an alias, which this tool does not write", _mark(event.start_mark))
        if getattr(event, "tag", None) is not None:
            raise Unreadable(
                f"a config cannot contain tags such as {event.tag[:40]!r}: remove it", _mark(event.start_mark)
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Builder:
    """Turns nodes into values and notes their places; aliases and merge keys are followed under the same limits."""

    def __init__(self, limits: Limits) -> None:
        self.document = Document()
        self._count, self._limits = 0, limits

    def build(self, node: Node, path: Path, key: Mark) -> Any:
        """Return the value of a node at a path; the root's is also the document's."""
        mark = _mark(node.start_mark)
        self._step(len(path) + 1, mark)
        self.document.places[path] = Place(key, mark)
        if isinstance(node, ScalarNode):
            value = _scalar(node, mark)
        elif isinstance(node, SequenceNode):
            value = [self.build(item, (*path, i), _mark(item.start_mark)) for i, item in enumerate(node.value)]
        else:
            assert isinstance(node, MappingNode)  # there is no other kind of node
            value = self._mapping(node, path)
        if not path:
            self.document.value = value
        return value

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        entries = self._entries(node, path, len(path) + 1)
        return {name: self.build(item, (*path, name), mark) for name, (mark, item) in entries.items()}

    def _entries(self, node: MappingNode, path: Path, depth: int) -> dict[str, tuple[Mark, Node]]:
        """Return the position and node of each entry; own keys override merged ones, earlier merges later ones."""
        own: dict[str, tuple[Mark, Node]] = {}
        merged: dict[str, tuple[Mark, Node]] = {}
        for key, item in node.value:
            mark = _mark(key.start_mark)
            self._step(depth, mark)
            if not isinstance(key, ScalarNode):
                raise Unreadable("a key must be a plain name", mark)
            if key.tag == MERGE:
                for source in item.value if isinstance(item, SequenceNode) else [item]:
                    if not isinstance(source, MappingNode):
                        raise Unreadable("<< merges mappings only", mark)
                    merged = self._entries(source, path, depth + 1) | merged
            elif key.value in own:
                first = own[key.value][0].line
                text = f"given twice, first in line {first}: keep one"
                self.document.problems.append(((*path, key.value), mark, text))
            else:
                own[key.value] = mark, item
        return merged | own

    def _step(self, depth: int, mark: Mark) -> None:
        self._count += 1
        self._limits.check(depth, self._count, mark)


def _scalar(node: ScalarNode, mark: Mark) -> Any:
    try:
        return scalar(node.tag, node.value)
    except ValueError:
        raise Unreadable("a number with too many digits", mark) from None
