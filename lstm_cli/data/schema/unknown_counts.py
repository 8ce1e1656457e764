"""Counts of what training never saw: unknown tokens and labels, told in notes instead of guessed about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.errors import listed

_EXAMPLES = 5


@dataclass
class _Count:
    """How many of how many were not known, and the first of them."""

    unknown: int = 0
    total: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, total: int, unknown: Sequence[str]) -> None:
        self.total += total
        self.unknown += len(unknown)
        for name in unknown:
            if len(self.examples) >= _EXAMPLES:
                return
            if name not in self.examples:
                self.examples.append(name)

    @property
    def text(self) -> str:
        """The count in words."""
        share = self.unknown / max(self.total, 1)
        shown = listed([repr(name) for name in self.examples])
        return f"{self.unknown:,} of {self.total:,} ({share:.2%}), such as {shown}"


@dataclass
class UnknownCounts:
    """What was encoded of one file or split.

    Attributes
    ----------
    inputs
        Counts of tokens, or of the labels of sets, by the name of their column.
    targets
        Counts of target labels.
    """

    inputs: dict[str, _Count] = field(default_factory=dict)
    targets: _Count = field(default_factory=_Count)

    def tokens(self, name: str, tokens: Sequence[str], known: Vocabulary | Labels) -> None:
        """Count the tokens of a column, or the labels of its sets."""
        count = self.inputs.get(name)
        if count is None:
            count = self.inputs[name] = _Count()
        count.add(len(tokens), known.missing(tokens))

    def labels(self, labels: Sequence[str], known: Labels | Vocabulary) -> None:
        """Count target labels."""
        self.targets.add(len(labels), known.missing(labels))

    def notes(self, split: str) -> list[str]:
        """Return what a user should know of a split."""
        notes = [
            f"{split}: unknown tokens in {name}: {count.text}" for name, count in self.inputs.items() if count.unknown
        ]
        if self.targets.unknown:
            notes.append(f"{split}: targets that training never saw, each an error: {self.targets.text}")
        return notes
