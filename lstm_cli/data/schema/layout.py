"""The layout of a data set: its columns and what they hold. Plain data; nothing is fitted yet.

Legend: T steps, D numbers per step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from lstm_cli.config.data import Calendar
from lstm_cli.config.table import MISSING, Fill
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.data.schema.times import TimeForm
from lstm_cli.data.schema.vocabulary import Spelling

InputKind = Literal["number", "tokens", "set"]
TargetKind = Literal["category", "number", "set", "several"]
Per = Literal["step", "sequence"]
LabelType = Literal["str", "int", "bool"]
Separator = Literal[" ", "|"]

#: The kind of a target that is the next step of an input, by the input's kind.
NEXT_KINDS: dict[InputKind, TargetKind] = {"tokens": "category", "number": "number", "set": "set"}


@dataclass(frozen=True)
class Column:
    """One input: a column of the file, or one derived from it.

    Attributes
    ----------
    name, source
        Its name, and the column of the file that it is read from.
    kind
        Numbers (T, D), tokens, or sets of labels.
    width
        D, for numbers.
    chain
        Transforms, for numbers.
    spelling, min_count
        How tokens are normalized, and how often one must occur to be in the vocabulary.
    label_type
        Type of a set's labels in the file: ``str``, ``int`` or ``bool``.
    unit
        What a token of a string is, ``char`` or ``word``; None: as the layout says.
    text
        Whether tokens were cut out of one string per sequence in training, rather than listed; None: unknown, as in
        runs of earlier versions.
    separator
        What separates the labels of a set in a cell of text: ``|``, or a blank (and ``|`` where a cell has one).
    static
        One value per sequence, which every step repeats.
    known
        The values of the steps to be predicted are known, and inputs too.
    columns
        Columns of a table that hold the steps of a row's sequence; empty: the one named `source`.
    fill, indicator
        How missing numbers are filled (``stop``: they are errors), and whether a further input tells where.
    calendar
        What of the time the input is, such as ``hour``, as sine and cosine; None for a column of the file.
    """

    name: str
    source: str
    kind: InputKind
    width: int = 1
    chain: Chain = field(default_factory=Chain)
    spelling: Spelling = field(default_factory=Spelling)
    min_count: int = 1
    label_type: LabelType = "str"
    unit: Literal["char", "word"] | None = None
    text: bool | None = None
    separator: Separator = " "
    static: bool = False
    known: bool = False
    columns: tuple[str, ...] = ()
    fill: Fill = "stop"
    indicator: bool = False
    calendar: Calendar | None = None

    @property
    def predicted(self) -> bool:
        """Whether the next step of the inputs, as a target, includes this one."""
        return self.source == self.name and not (self.known or self.static)

    @property
    def varies(self) -> bool:
        """Whether it is a series of numbers that has a scale of its own, unlike a static input or one of the time."""
        return self.kind == "number" and not self.static and self.calendar is None


@dataclass(frozen=True)
class TargetColumn:
    """The target.

    Attributes
    ----------
    column
        Column of the file; None: the next step of the inputs.
    kind, per
        A category, numbers or a set of labels, or several columns of any of these; per step or per sequence.
    ahead
        The target of a step is the column's value this many steps later.
    width
        D, for numbers.
    chain
        Transforms, for numbers of a column.
    label_type
        Type of the labels in the file: ``str``, ``int`` or ``bool``.
    separator
        What separates the labels of a set in a cell of text, as in `Column`.
    hot
        Labels are the positions of the ones in vectors of zeros and ones.
    horizon
        How many consecutive values are predicted at once, for numbers.
    skip_missing
        A missing value does not count; otherwise it is an error.
    """

    column: str | None
    kind: TargetKind
    per: Per = "step"
    ahead: int = 0
    width: int = 1
    chain: Chain = field(default_factory=Chain)
    label_type: LabelType = "str"
    separator: Separator = " "
    hot: bool = False
    horizon: int = 1
    skip_missing: bool = False

    @property
    def is_next(self) -> bool:
        """Whether the target is the next step of the inputs."""
        return self.column is None

    @property
    def reach(self) -> int:
        """How many steps after a step the last of its predicted values is."""
        return self.ahead + self.horizon - 1

    @property
    def name(self) -> str:
        """The name of the column; ``next`` where the target is the next step."""
        return self.column or "next"


def common_target(parts: Sequence[TargetColumn]) -> TargetColumn:
    """Return what several target columns have in common, under a name of all; the first one says it."""
    first = parts[0]
    name = ", ".join(part.name for part in parts)
    return TargetColumn(name, "several", first.per, first.ahead, skip_missing=first.skip_missing)


@dataclass(frozen=True)
class LossColumns:
    """Columns that determine which steps count and how much: a window's start and length per sequence, and weights."""

    start: str | None = None
    length: str | None = None
    weight: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns that are given."""
        return [name for name in (self.start, self.length, self.weight) if name is not None]


@dataclass(frozen=True)
class ClosedLoopLayout:
    """A closed loop around a system. The first input is the observed state; further inputs are not part of the state.

    Attributes
    ----------
    steps
        Steps of the closed loop.
    warmup
        How many of the last observed states are used; None: all.
    elements
        The elements of the state that the target contains.
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
    unit, lines, id, id_required, table, missing
        As in `Options`.
    id_given
        The training data has the columns that name a sequence.
    inputs
        The columns that feed the network.
    target
        The column to predict; of several ones what they have in common, under a name of all.
    parts
        Of several target columns: each.
    loss
        Columns that weight the loss.
    closed_loop
        The closed loop around a system, whose starts and targets the sequences are; None without one.
    time
        Column that orders the steps of a series; None: they are in order.
    time_form
        How times are written.
    scale
        What numbers are scaled by: statistics of ``train``, of each ``series``, or of each ``window``.
    window
        With scale ``window``: how many steps a window has.
    """

    format: str
    inputs: tuple[Column, ...]
    target: TargetColumn
    parts: tuple[TargetColumn, ...] = ()
    unit: Literal["char", "word"] = "char"
    lines: bool = False
    id: tuple[str, ...] = ("id",)
    id_required: bool = False
    id_given: bool = False
    loss: LossColumns = field(default_factory=LossColumns)
    closed_loop: ClosedLoopLayout | None = None
    table: TableOptions = field(default_factory=TableOptions)
    missing: tuple[str | int | float, ...] = MISSING
    time: str | None = None
    time_form: TimeForm = "number"
    scale: Literal["train", "series", "window"] = "train"
    window: int | None = None

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The columns of the file that are predicted; none where the target is the next step of the inputs."""
        return tuple(part.name for part in self.parts or (self.target,) if part.column is not None)

    @cached_property
    def views(self) -> tuple["Layout", ...]:
        """Of several target columns: the layout with each of them as its only target."""
        return tuple(replace(self, target=part, parts=()) for part in self.parts)

    @cached_property
    def missing_values(self) -> MissingValues:
        """Tells which cells are missing; made once, as every sequence needs it."""
        return MissingValues(self.missing)

    @cached_property
    def lag(self) -> int:
        """Steps at the start of every sequence that differences remove."""
        return max(self.target.chain.lag, *(column.chain.lag for column in self.inputs))

    @cached_property
    def filled(self) -> tuple[Column, ...]:
        """The inputs whose missing numbers are filled."""
        return tuple(column for column in self.inputs if column.fill != "stop")

    @cached_property
    def first(self) -> Column:
        """The first input that has a value per step: its steps are those of the sequence."""
        return next((column for column in self.inputs if not column.static), self.inputs[0])

    @cached_property
    def known(self) -> tuple[Column, ...]:
        """The inputs whose values at the steps to be predicted are inputs too: known ones, and those of the time."""
        later = self.target.per == "step" and self.target.reach > 0
        return tuple(column for column in self.inputs if later and (column.known or column.calendar is not None))

    @cached_property
    def next_columns(self) -> tuple[Column, ...]:
        """The inputs that are predicted where the target is the next step: not those that are derived or known."""
        return tuple(column for column in self.inputs if column.predicted)

    @cached_property
    def forecast_columns(self) -> tuple[Column, ...]:
        """The inputs of numbers whose later values are predicted."""
        target = self.target
        if target.kind != "number" or target.per == "sequence" or not target.ahead:
            return ()
        if target.is_next:
            return self.next_columns
        return tuple(column for column in self.inputs if column.name == target.name)
