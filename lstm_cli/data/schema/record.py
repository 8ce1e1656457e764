"""A row's typed values: checked, but not yet encoded.

Legend: T steps, D numbers per step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Numbers (T, D), tokens or labels (T), or sets of labels (T).
Values = NDArray[np.float64] | list[str] | list[list[str]]


@dataclass(slots=True)
class Record:
    """One sequence in its own units and words.

    Attributes
    ----------
    id, where
        Its name and its place in the file.
    steps
        T.
    inputs
        Values of every input by name.
    answer
        What is to be predicted, per step (T) or for the sequence (1); None if it is not known, or the next step.
    weight : array (T,) or (1,), or None
        How much every answer counts; None: all the same.
    first
        Answers before this step do not count: they are another split's, here for context.
    observed
        In a closed loop around a system: the steps whose state is given; None otherwise.
    """

    id: str | int
    where: str
    steps: int
    inputs: dict[str, Values]
    answer: Values | None = None
    weight: NDArray[np.float64] | None = None
    first: int = 0
    observed: int | None = None

    def part(self, start: int, stop: int, *, first: int) -> "Record":
        """Return the steps from start to stop, of which answers from step `first` on count."""

        def cut(values: Any) -> Any:
            return None if values is None else values[start:stop]

        inputs = {name: cut(values) for name, values in self.inputs.items()}
        weight = self.weight if self.weight is not None and len(self.weight) < self.steps else cut(self.weight)
        return Record(self.id, self.where, stop - start, inputs, cut(self.answer), weight, first - start)
