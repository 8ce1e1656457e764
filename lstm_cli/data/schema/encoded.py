"""A sequence on its way to the network: its arrays.

Legend: T steps, D or I numbers per step, K targets per step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import Bunch, Joined
from lstm_cli.data.formats.raw import Id, Places
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Numbers, Record


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

    def pieces(self, most: int, *, once: bool) -> "list[Encoded]":
        """Return pieces of at most `most` steps; with `once` only the first."""
        if self.steps <= most:
            return [self]
        starts = range(0, 1 if once else self.steps, most)
        return [self.part(start, min(start + most, self.steps)) for start in starts]

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
