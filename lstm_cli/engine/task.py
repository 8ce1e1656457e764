"""What metrics need to know of a target."""

from typing import Literal, Protocol

from lstm_cli.data.schema.heads import Head

Kind = Literal["category", "number", "set", "several"]


class Task(Protocol):
    """The properties of a target that metrics need: its kind, its size, and whether it is the next step."""

    @property
    def kind(self) -> Kind:
        """The kind of target."""

    @property
    def size(self) -> int:
        """The number of labels or numbers."""

    @property
    def is_next(self) -> bool:
        """Whether the target is the next step of the input; for categories that makes it a language model."""

    @property
    def output_columns(self) -> tuple[str, ...]:
        """For numbers, the column that each of them is a value of."""

    @property
    def head(self) -> Head:
        """What the outputs are of the numbers."""
