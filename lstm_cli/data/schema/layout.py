"""The layout of a data set: which columns there are and what they hold. Plain data; nothing is fitted yet.

Legend: T steps, D numbers per step.
"""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from lstm_cli.data.schema.preprocessing import Chain, Transform
from lstm_cli.data.schema.vocabulary import Spelling

InputKind = Literal["number", "tokens", "set"]
TargetKind = Literal["category", "number", "set"]
Per = Literal["step", "sequence"]


@dataclass(frozen=True)
class Column:
    """One input: a column of the file, or what is derived from one.

    Attributes
    ----------
    name, source
        Its name, and the column of the file it is taken from.
    kind
        Numbers (T, D), tokens, or sets of labels.
    width
        D, for numbers.
    chain
        Transforms, for numbers.
    spelling, min_count
        How tokens are written, and how often one must occur to be known.
    label_type
        What the labels of sets are in the file: ``str``, ``int`` or ``bool``.
    """

    name: str
    source: str
    kind: InputKind
    width: int = 1
    chain: Chain = field(default_factory=Chain)
    spelling: Spelling = field(default_factory=Spelling)
    min_count: int = 1
    label_type: str = "str"


@dataclass(frozen=True)
class TargetColumn:
    """What is to be predicted.

    Attributes
    ----------
    column
        Column of the file; None: the next step of the inputs.
    kind, per
        A category, numbers or a set of labels; per step or per sequence.
    ahead
        The target of a step is the column's value this many steps later.
    width
        D, for numbers.
    chain
        Transforms, for numbers of a column.
    label_type
        What labels are in the file: ``str``, ``int`` or ``bool``.
    """

    column: str | None
    kind: TargetKind
    per: Per = "step"
    ahead: int = 0
    width: int = 1
    chain: Chain = field(default_factory=Chain)
    label_type: str = "str"

    @property
    def is_next(self) -> bool:
        """Whether the target is the next step of the inputs."""
        return self.column is None

    @property
    def name(self) -> str:
        """The name of the column; where the target is the next step, it has none of its own."""
        return self.column or "next"


@dataclass(frozen=True)
class LossColumns:
    """Columns that say which steps count and how much: the start and length of a window per sequence, and weights."""

    start: str | None = None
    length: str | None = None
    weight: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns that are given."""
        return [name for name in (self.start, self.length, self.weight) if name is not None]


@dataclass(frozen=True)
class SystemLoop:
    """A closed loop around a system: its first input is the observed state, further ones are not its own.

    Attributes
    ----------
    steps
        Steps that the loop runs.
    warmup
        How many of the last observed states are fed; None: all.
    elements
        Which elements of the state the target is for.
    """

    steps: int
    warmup: int | None
    elements: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """The columns of a data set and how its files are read.

    Attributes
    ----------
    format
        The format of the training data.
    unit, lines, id, id_required
        As in `Options`.
    inputs
        The columns that feed the network.
    target
        What is to be predicted.
    loss
        Columns that weigh the loss.
    closed_loop
        The loop around a system that sequences are starts and targets of; None where there is none.
    """

    format: str
    inputs: tuple[Column, ...]
    target: TargetColumn
    unit: Literal["char", "word"] = "char"
    lines: bool = False
    id: str = "id"
    id_required: bool = False
    loss: LossColumns = field(default_factory=LossColumns)
    closed_loop: SystemLoop | None = None

    @cached_property
    def lag(self) -> int:
        """Steps at the start of every sequence that differences use up."""
        return max(self.target.chain.lag, *(column.chain.lag for column in self.inputs))

    @cached_property
    def next_columns(self) -> tuple[Column, ...]:
        """The inputs that are predicted where the target is the next step: those that are not derived."""
        return tuple(column for column in self.inputs if column.source == column.name)

    def to_json(self) -> dict[str, Any]:
        """Return everything as what JSON can hold, under the keys that the files of all versions have."""
        content = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        if self.closed_loop is None:
            del content[_KEYS["closed_loop"]]
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Layout":
        """Return what `to_json` described."""
        names = {key: name for name, key in _KEYS.items()}
        given = {names.get(key, key): value for key, value in content.items()}
        loop = given.get("closed_loop")
        parts = {
            "inputs": tuple(_column(column) for column in given["inputs"]),
            "target": TargetColumn(**{**given["target"], "chain": _chain(given["target"]["chain"])}),
            "loss": LossColumns(**given["loss"]),
            "closed_loop": None if loop is None else SystemLoop(**{**loop, "elements": tuple(loop["elements"])}),
        }
        return cls(**{**given, **parts})


#: The keys of the file where they differ from the names of the attributes.
_KEYS = {"target": "answer", "closed_loop": "loop"}


def _column(content: dict[str, Any]) -> Column:
    return Column(**{**content, "chain": _chain(content["chain"]), "spelling": Spelling(**content["spelling"])})


def _chain(content: dict[str, Any]) -> Chain:
    return Chain(tuple(Transform(**transform) for transform in content["transforms"]))
