"""What a column holds: inputs, the answer, and what weighs the loss.

Legend: T steps, D numbers per step.
"""

from dataclasses import dataclass, field
from typing import Literal

from lstm_cli.data.schema.transforms import Chain
from lstm_cli.data.schema.vocabulary import Spelling


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
    kind: Literal["number", "tokens", "set"]
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
        The answer at a step is the column's value so many steps later.
    width
        D, for numbers.
    chain
        Transforms, for numbers of a column.
    label_type
        What labels are in the file: ``str``, ``int`` or ``bool``.
    """

    column: str | None
    kind: Literal["category", "number", "set"]
    per: Literal["step", "sequence"] = "step"
    ahead: int = 0
    width: int = 1
    chain: Chain = field(default_factory=Chain)
    label_type: str = "str"

    @property
    def is_next(self) -> bool:
        """Whether the answer is the next step of the inputs."""
        return self.column is None


@dataclass(frozen=True)
class LossColumns:
    """Columns that say which steps count and how much: a window's start and length per row, and weights."""

    start: str | None = None
    length: str | None = None
    weight: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns that are given."""
        return [name for name in (self.start, self.length, self.weight) if name is not None]
