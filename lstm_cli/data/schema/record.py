"""A sequence on its way to the network: its typed values, checked but not encoded.

Legend: T steps, D numbers per step.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import Bunch
from lstm_cli.data.formats.raw import Id, Places, RawSequence

Numbers = NDArray[np.float64]
#: Numbers (T, D), tokens or labels (T), or sets of labels (T).
Values = Numbers | list[str] | list[list[str]]


class Truth(NamedTuple):
    """The values of a target column, and which of them are known, as in `Record`."""

    target: Values
    known: NDArray[np.bool_] | None


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
    parts
        Of several target columns: the values of each, while `target` is None and `known` says where any of them is.
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
    parts: tuple[Truth, ...] = ()

    def view(self, part: int) -> "Record":
        """Return the record with one of several target columns as its only target."""
        return replace(self, target=self.parts[part].target, known=self.parts[part].known, parts=())

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
        known = _kept(self.known, own)
        inputs: dict[str, Values] = {name: _rows(values, steps) for name, values in self.inputs.items()}
        return replace(
            self,
            id=taken.ids[0],
            where=taken.places[0],
            steps=len(steps),
            inputs=inputs,
            target=None if self.target is None else _rows(self.target, own),
            known=known,
            bunch=taken,
            parts=tuple(Truth(_rows(part.target, own), _kept(part.known, own)) for part in self.parts),
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
        target = self.parts[0].target if self.parts else self.target
        return target is not None and len(target) == self.steps

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
        known = self._known_in(self.known, start, stop, first)
        parts = (Truth(one.target[start:stop], self._known_in(one.known, start, stop, first)) for one in self.parts)
        times = None if self.times is None else self.times[start:stop]
        return Record(
            self.id,
            self.where,
            stop - start,
            inputs,
            target,
            weight,
            known,
            times,
            first=first - start,
            parts=tuple(parts),
        )

    def _known_in(self, known: NDArray[np.bool_] | None, start: int, stop: int, first: int) -> NDArray[np.bool_] | None:
        """Return which targets count of the steps from start to stop: known ones, from step `first` on."""
        if known is None and first <= start:
            return None
        part: NDArray[np.bool_] = (np.ones(self.steps, np.bool_) if known is None else known)[start:stop].copy()
        part[: first - start] = False
        return part


def _kept(known: NDArray[np.bool_] | None, rows: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Return which of some rows are known; None: all."""
    kept = None if known is None else known[rows]
    return None if kept is None or kept.all() else kept


def _rows(values: Values, rows: NDArray[np.int64]) -> Values:
    return values[rows] if isinstance(values, np.ndarray) else [cast(Any, values)[row] for row in rows.tolist()]
