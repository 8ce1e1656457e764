"""What a column of the data holds, as far as a config depends on it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.quantities import MOST_LABELS

#: Numbers, labels that recur, texts that hardly do, or sets of labels.
Kind = Literal["number", "label", "text", "set"]
#: Mean characters of texts from which on many different ones are sequences, even if they repeat.
LONG_TEXT = 15
#: One value for each step; one for each step that is the same in all of a sequence; one for each sequence.
Per = Literal["step", "constant", "sequence"]


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the data.

    Attributes
    ----------
    name
    kind
    per
    width
        How many numbers a value has.
    count
        How many values there are: one for each sequence unless they are per step.
    values
        How often each text or whole number occurs, once for each sequence if it is constant there; empty where there
        are very many different ones.
    distinct
        How many different values there are; None where there are very many.
    whole
        Whether its numbers are whole.
    low, high
        The range of its numbers.
    missing
        How many of its cells have no value.
    marks
        Texts and numbers among its numbers that probably mark missing ones.
    longest
        The numbers (T,) of the longest sequence; empty unless there is one number at each step.
    single
        Whether a value is a plain one rather than a list: with one of them per sequence, a text is cut into steps.
    blanks
        The share of its texts that hold several words.
    letters
        The mean number of characters of its texts.
    """

    name: str
    kind: Kind
    per: Per
    width: int = 1
    count: int = 0
    values: Counter[str] = field(default_factory=Counter)
    distinct: int | None = None
    whole: bool = False
    low: float = np.nan
    high: float = np.nan
    missing: int = 0
    marks: tuple[str | int, ...] = ()
    longest: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    single: bool = False
    blanks: float = 0.0
    letters: float = 0.0

    @property
    def stepwise(self) -> bool:
        """Whether there is a value for each step."""
        return self.per != "sequence"

    @property
    def may_be_cut(self) -> bool:
        """Whether its texts may be sequences of words or characters: they hardly repeat, or are long or of words."""
        if self.kind not in ("text", "label") or self.whole or not self.single:
            return False
        long = self.letters >= LONG_TEXT and (self.distinct is None or self.distinct > MOST_LABELS)
        return self.kind == "text" or self.blanks > 0.5 or long

    @property
    def idle(self) -> bool:
        """Whether all its values are the same."""
        return self.distinct is not None and self.distinct < 2

    @property
    def extent(self) -> str:
        """The range of its numbers, for a comment."""
        return f"{self.low:,.5g} to {self.high:,.5g}"
