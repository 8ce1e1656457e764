"""A sequence on its way to the network: its typed values, checked but not encoded, then its arrays.

Legend: T steps, D or I numbers per step, K targets per step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import Bunch, Joined
from lstm_cli.data.formats.raw import Id, Places, RawSequence
from lstm_cli.data.schema.preprocessing import Scaling

Numbers = NDArray[np.float64]
#: Numbers (T, D), tokens or labels (T), or sets of labels (T).
Values = Numbers | list[str] | list[list[str]]


@dataclass(slots=True)
class Record:
    """One sequence in its original units and labels.

    Attributes
    ----------
    id, where
        Its name and its place in the file.
    steps
        T.
    inputs
        Values of every input by name.
    target
        Values of the target column, per step (T) or for the sequence (1); None if they are unknown, or if the target
        is the next step.
    weight : array (T,) or (1,), or None
        Weight of every target; None: all equal.
    known : bool array (T,) or (1,), or None
        Which values of the target are predicted by a step that counts, and not missing; others are placeholders: NaN,
        or no label. Where the target is the next step: which steps of the inputs are not filled. None: all.
    times : array (T,) or None
        Times of the steps, which are in their order: datetime64[ns], or float64; None without ``data.time``.
    moved
        How many steps were out of that order in the file.
    future
        Values of the known inputs at the steps after the last, by name; empty: none are given.
    future_times
        Times of these steps; None: not known.
    places
        Where its steps stand in the input; None: they are all of them, in their order.
    bunch
        These are several sequences end to end: T are the steps of all, and of targets per sequence there is one for
        each. None: it is one.
    groups
        Values of columns that keep sequences together when some are held out, by the column's name.
    ends
        Where the parts for training and for validation end, as ``data.split`` says; the rest is for the test.
    first
        Targets before this step do not count: they belong to another split and serve as context.
    observed
        In a closed loop around a system: how many of the first steps are observed; None otherwise.
    before
        Values (B, D) of forecast columns, by name, at the steps before these, which belong to another split.
    written
        Columns as they are written, in the order of time, where they were asked for (`data.written`).
    """

    id: Id
    where: str
    steps: int
    inputs: dict[str, Values]
    target: Values | None = None
    weight: Numbers | None = None
    known: NDArray[np.bool_] | None = None
    times: NDArray[Any] | None = None
    moved: int = 0
    groups: dict[str, str] | None = None
    ends: tuple[int, int] | None = None
    first: int = 0
    observed: int | None = None
    future: Mapping[str, Values] = field(default_factory=dict)
    future_times: NDArray[Any] | None = None
    places: Places | None = None
    bunch: Bunch | None = None
    before: Mapping[str, Numbers] = field(default_factory=dict)
    written: RawSequence | None = None

    @property
    def count(self) -> int:
        """How many sequences these are."""
        return 1 if self.bunch is None else len(self.bunch)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The steps of each sequence (n,)."""
        return np.array([self.steps]) if self.bunch is None else self.bunch.lengths

    def take(self, which: NDArray[np.int64]) -> "Record":
        """Return some of the sequences of a bunch."""
        bunch = cast(Bunch, self.bunch)
        if len(which) == len(bunch):
            return self
        steps, taken = bunch.steps(which), bunch.take(which)
        own = steps if self._per_step else which
        known = None if self.known is None else self.known[own]
        inputs: dict[str, Values] = {name: _rows(values, steps) for name, values in self.inputs.items()}
        return replace(
            self,
            id=taken.ids[0],
            where=taken.places[0],
            steps=len(steps),
            inputs=inputs,
            target=None if self.target is None else _rows(self.target, own),
            known=None if known is None or known.all() else known,
            bunch=taken,
        )

    def each(self) -> "Iterator[Record]":
        """Yield the sequences of a bunch one by one."""
        if self.bunch is None:
            yield self
            return
        for index in range(len(self.bunch)):
            yield replace(self.take(np.array([index])), bunch=None)

    @property
    def _per_step(self) -> bool:
        return self.target is not None and len(self.target) == self.steps

    @property
    def future_steps(self) -> int:
        """How many steps after the last have values of the known inputs."""
        return min(map(len, self.future.values())) if self.future else 0

    @property
    def known_labels(self) -> list[Any]:
        """The values of a target of categories or sets that are known."""
        labels = cast(list[Any], self.target)
        return (
            labels if self.known is None else [label for label, known in zip(labels, self.known, strict=True) if known]
        )

    def numbers(self, name: str) -> Numbers:
        """Return the values (T, D) of an input of numbers."""
        return cast(Numbers, self.inputs[name])

    def tokens(self, name: str) -> list[str]:
        """Return the values (T) of an input of tokens."""
        return cast(list[str], self.inputs[name])

    def sets(self, name: str) -> list[list[str]]:
        """Return the values (T) of an input of sets."""
        return cast(list[list[str]], self.inputs[name])

    def place(self, step: int) -> tuple[str, int]:
        """Return the place of the sequence that has a step, and the number of the step in it."""
        return (self.where, step) if self.bunch is None else self.bunch.of(step)

    def part(self, start: int, stop: int, *, first: int) -> "Record":
        """Return the steps from start to stop, of which targets from step `first` on count."""
        inputs: dict[str, Values] = {name: values[start:stop] for name, values in self.inputs.items()}
        target = None if self.target is None else self.target[start:stop]
        weight = self.weight
        if weight is not None and len(weight) == self.steps:
            weight = weight[start:stop]
        known = self.known
        if known is not None or first > start:
            known = (np.ones(self.steps, np.bool_) if known is None else known)[start:stop].copy()
            known[: first - start] = False
        times = None if self.times is None else self.times[start:stop]
        return Record(self.id, self.where, stop - start, inputs, target, weight, known, times, first=first - start)


def _rows(values: Values, rows: NDArray[np.int64]) -> Values:
    return values[rows] if isinstance(values, np.ndarray) else [cast(Any, values)[row] for row in rows.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One sequence as the arrays that the network receives.

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
        For a target per sequence T is 1.
    weight : float array (T,) or (1,), or None
        Weight of every target; None: all equal.
    unseen : int32 array (T,) or (1,), or None
        Number of a set's true labels without a column in the target, as training never saw them; None: 0.
    history : float64 array (T', D) or None
        Original values of the predicted columns, where outputs are differences from them.
    offset
        Index of the first step in the history.
    times : array (T,) or None
        Times of the steps, as in `Record`.
    context
        How many of the steps before the first that counts belong to another split.
    observed
        In a closed loop around a system: how many of the first steps are observed; None otherwise.
    unpredicted
        How many steps after the last of the input have no output, as the known inputs that it needs are not given.
    future : float array (F, I) or None
        Numbers of the steps after the last as far as they are known; predicted ones have any value.
    future_times
        Their times; None: not known.
    scaling
        Scaling of the target (D,), with the sequence's own statistics; None: that of train.
    places
        Where all steps of the sequence, of which these are those from `offset` on, stand in the input, as in `Record`.
    bunch
        These are several sequences end to end, as in `Record`.
    before : float64 array (B, D) or None
        Original values of the predicted columns, which are inputs, at the steps before the first; None: not known.
    """

    id: Id
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
    times: NDArray[Any] | None = None
    context: int = 0
    scaling: Scaling | None = None
    unpredicted: int = 0
    future: NDArray[np.floating] | None = None
    future_times: NDArray[Any] | None = None
    places: Places | None = None
    bunch: Bunch | None = None
    before: Numbers | None = None

    def predicting(self, ahead: int) -> "Encoded":
        """Return a bunch without the last steps of each sequence, whose next one is none of it; see `encode_record`."""
        bunch = cast(Bunch, self.bunch)
        kept = bunch.within(0, ahead)
        return replace(
            self,
            steps=int(kept.sum()),
            numbers=None if self.numbers is None else self.numbers[kept],
            tokens={name: ids[kept] for name, ids in self.tokens.items()},
            target=None if self.target is None else self.target[kept],
            weight=None,
            unseen=None if self.unseen is None else self.unseen[kept],
            bunch=replace(bunch, lengths=bunch.lengths - ahead),
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The steps of each sequence (n,)."""
        return np.array([self.steps]) if self.bunch is None else self.bunch.lengths

    @property
    def input_steps(self) -> int:
        """How many steps the sequence has in the input, also without an output or skipped."""
        return self.places.count if self.places is not None else self.offset + self.steps + self.unpredicted

    def by_input_step(self, values: list[Any]) -> list[Any]:
        """Return the values of all steps in the order of the input, None for those that were skipped."""
        return values if self.places is None else self.places.spread(values)

    def part(self, start: int, stop: int) -> "Encoded":
        """Return the steps from start to stop; a target per sequence is unchanged."""

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
            times=cut(self.times),
            context=max(0, min(self.context, stop) - start),
            before=None if start else self.before,
        )


def ids_of(items: Sequence[Record] | Sequence[Encoded]) -> list[Id] | Joined:
    """Return the ids of all sequences."""
    if all(item.bunch is None for item in items):
        return [item.id for item in items]
    return Joined([[item.id] if item.bunch is None else item.bunch.ids for item in items])
