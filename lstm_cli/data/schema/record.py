"""A sequence on its way to the network: its typed values, checked but not encoded, and then its arrays.

Legend: T steps, D or I numbers per step, K targets per step.
"""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Numbers (T, D), tokens or labels (T), or sets of labels (T).
Values = Numbers | list[str] | list[list[str]]


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
    target
        Values of the target column, per step (T) or for the sequence (1); None if they are not known, or if the target
        is the next step.
    weight : array (T,) or (1,), or None
        How much every target counts; None: all the same.
    first
        Targets before this step do not count: they belong to another split and are here for context.
    observed
        In a closed loop around a system: the steps whose state is given; None otherwise.
    """

    id: str | int
    where: str
    steps: int
    inputs: dict[str, Values]
    target: Values | None = None
    weight: Numbers | None = None
    first: int = 0
    observed: int | None = None

    def numbers(self, name: str) -> Numbers:
        """Return the values (T, D) of an input of numbers."""
        return cast(Numbers, self.inputs[name])

    def tokens(self, name: str) -> list[str]:
        """Return the values (T) of an input of tokens."""
        return cast(list[str], self.inputs[name])

    def sets(self, name: str) -> list[list[str]]:
        """Return the values (T) of an input of sets."""
        return cast(list[list[str]], self.inputs[name])

    def part(self, start: int, stop: int, *, first: int) -> "Record":
        """Return the steps from start to stop, of which targets from step `first` on count."""
        inputs: dict[str, Values] = {name: values[start:stop] for name, values in self.inputs.items()}
        target = None if self.target is None else self.target[start:stop]
        weight = self.weight
        if weight is not None and len(weight) == self.steps:
            weight = weight[start:stop]
        return Record(self.id, self.where, stop - start, inputs, target, weight, first - start)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One sequence as the network sees it.

    Attributes
    ----------
    id, where
        Its name and its place in the file.
    steps
        T.
    numbers : float array (T, I) or None
        Scaled numbers, then an indicator for every label of sets.
    tokens : dict of int32 arrays (T,)
        Indices of tokens by the name of their column.
    target : int32 array (T,), float array (T, D) or (T, K), or None
        Per sequence there is one, T is 1.
    weight : float array (T,) or (1,), or None
        How much every target counts; None: all the same.
    unseen : int32 array (T,) or (1,), or None
        True labels of a set that have no column in the target, as training never saw them; None: there are none.
    history : float64 array (T', D) or None
        Original values of what is predicted, where outputs are differences from them.
    offset
        The step of the history that the first step is.
    observed
        In a closed loop around a system: the steps whose state is given; None otherwise.
    """

    id: str | int
    where: str
    steps: int
    numbers: NDArray[np.floating] | None
    tokens: dict[str, NDArray[np.int32]]
    target: np.ndarray | None = None
    weight: NDArray[np.floating] | None = None
    unseen: NDArray[np.int32] | None = None
    history: Numbers | None = None
    offset: int = 0
    observed: int | None = None

    def part(self, start: int, stop: int) -> "Encoded":
        """Return the steps from start to stop; a target of the whole sequence stays."""

        def cut(values: np.ndarray | None) -> np.ndarray | None:
            return values if values is None or len(values) != self.steps else values[start:stop]

        return replace(
            self,
            steps=stop - start,
            numbers=cut(self.numbers),
            tokens={name: ids[start:stop] for name, ids in self.tokens.items()},
            target=cut(self.target),
            weight=cut(self.weight),
            unseen=cut(self.unseen),
            offset=self.offset + start,
        )
