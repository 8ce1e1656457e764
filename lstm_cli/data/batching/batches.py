"""The batches of an epoch: which sequences share a batch, and in which order. They depend on seed and epoch alone."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.data.batch import Batch
from lstm_cli.data.batching.auto import batch_size_for
from lstm_cli.data.batching.closed_loops import CountedSteps, counted_steps
from lstm_cli.data.batching.collate import collate
from lstm_cli.data.batching.shares import Share, owners
from lstm_cli.data.batching.windows import Indices, Streams, Windows, cut, full, streams, whole
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.splits import permutation

#: Sequences of similar length are grouped within pools that fill this many batches.
POOL = 50


@dataclass(frozen=True, eq=False)
class Plan:
    """The windows of an epoch in order; batch k consists of those from bounds[k] to bounds[k + 1]."""

    windows: Windows
    bounds: Indices
    carry: Indices | None = None

    @classmethod
    def of(cls, streams: Streams) -> Self:
        """Return the plan of windows whose states flow from batch to batch."""
        bounds = np.searchsorted(streams.batches, np.arange(streams.batches[-1] + 2))
        return cls(streams.windows, bounds, streams.carry)

    @property
    def padded(self) -> Indices:
        """Steps of every batch, padding included; the first window of a batch is its longest."""
        return self.windows.lengths[self.bounds[:-1]] * np.diff(self.bounds)


EMPTY_PLAN = Plan(whole(np.zeros(0, np.int64)), np.zeros(1, np.int64))


class Batches:
    """The batches of every epoch.

    Parameters
    ----------
    dataset
        The sequences.
    batch_size, batch_steps
        Sequences in a batch, or instead the maximum number of steps of a padded batch.
    bucket
        Group sequences of similar length.
    window, stride
        Cut sequences into windows of `window` steps that begin every `stride` steps, by default every `window`.
    carry_state
        With `window`: the batches are parallel streams; each window continues one of the previous batch.
    warm_up
        With `carry_state`: a stream that begins within a sequence first sees this many windows that do not count.
    seed, shuffle
        The order differs from epoch to epoch; without shuffling it is the dataset's, except for bucketing.
    normalize
        What the loss is averaged over: ``step`` or ``sequence``.
    closed_loop
        In a closed loop: which of its steps count.

    Notes
    -----
    Windows without a target that counts are left out, unless a state has to flow through them. The plan of the last
    epoch is cached, so that one `Batches` of a split that is not shuffled serves all its evaluations.

    With ``data.scale: window`` only the last step of a window counts. Its windows are full where a sequence is long
    enough, and by default begin at every step.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch_size: int | None = None,
        batch_steps: int | None = None,
        bucket: bool = True,
        window: int | None = None,
        stride: int | None = None,
        carry_state: bool = False,
        warm_up: int = 0,
        seed: int = 0,
        shuffle: bool = True,
        normalize: Literal["step", "sequence"] = "step",
        closed_loop: CountedSteps | None = None,
    ) -> None:
        self.dataset, self.closed_loop = dataset, closed_loop
        self.batch_size, self.batch_steps, self.bucket = batch_size, batch_steps, bucket
        self.window, self.stride = window, stride
        self.carry_state, self.warm_up = carry_state and window is not None, warm_up
        self.seed, self.shuffle, self.normalize = seed, shuffle, normalize
        self._planned: tuple[int, Plan] | None = None

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from batch `start` on."""
        plan = self._plan(epoch)
        return (self._batch(plan, index) for index in range(start, len(plan.bounds) - 1))

    def shares(self, epoch: int, start: int, rank: int, ranks: int) -> Iterator[Batch]:
        """Yield the share that a rank has of each batch of an epoch from batch `start` on."""
        plan = self._plan(epoch)
        return (self._share(plan, index, rank, ranks) for index in range(start, len(plan.bounds) - 1))

    def dealt(self, rank: int, ranks: int) -> Iterator[Batch]:
        """Yield the batches of the first epoch that a rank scores; those that continue others stay with them."""
        plan = self._plan(0)
        if not len(plan.bounds) - 1:
            return
        chain = np.cumsum(self._starts_afresh(plan)) - 1
        work = np.bincount(chain, weights=plan.padded).astype(np.int64)
        own = owners(work, ranks)[chain] == rank
        yield from (self._batch(plan, int(index)) for index in np.flatnonzero(own))

    def views(self) -> "dict[str, Batches]":
        """Return the batches of each target column by its name; of a single target these, under no name."""
        if not self.dataset.schema.parts:
            return {"": self}
        return {name: self._over(view) for name, view in self.dataset.views().items()}

    def _over(self, dataset: Dataset) -> "Batches":
        """Return batches of another dataset, made alike."""
        other = copy(self)
        other.dataset, other._planned = dataset, None
        return other

    def count(self, epoch: int) -> int:
        """Return the number of batches of an epoch."""
        return len(self._plan(epoch).bounds) - 1

    def waste(self) -> float:
        """Return the share of padding in the steps of the first epoch."""
        plan = self._plan(0)
        return 1 - int(plan.windows.lengths.sum()) / max(int(plan.padded.sum()), 1)

    def most_steps(self) -> int:
        """Return the steps, padding included, of the largest batch of the first epoch."""
        return int(self._plan(0).padded.max())

    def most_sequences(self) -> int:
        """Return the sequences, or windows, of the batch with the most of them, in the first epoch."""
        return int(np.diff(self._plan(0).bounds).max())

    def largest(self) -> Batch:
        """Return the batch of the first epoch with the most steps, padding included, and a fresh state."""
        plan = self._plan(0)
        batch = self._batch(plan, int(plan.padded.argmax()))
        return batch if batch.carry is None else replace(batch, carry=np.full_like(batch.carry, -1))

    def _batch(self, plan: Plan, index: int) -> Batch:
        part = slice(plan.bounds[index], plan.bounds[index + 1])
        return self._collated(plan.windows.take(part), None if plan.carry is None else plan.carry[part].copy())

    def _collated(self, windows: Windows, carry: Indices | None) -> Batch:
        batch = collate(self.dataset, windows, carry=carry, normalize=self.normalize)
        return batch if self.closed_loop is None else self.closed_loop.apply(batch, normalize=self.normalize)

    def _share(self, plan: Plan, index: int, rank: int, ranks: int) -> Batch:
        part = slice(plan.bounds[index], plan.bounds[index + 1])
        windows = plan.windows.take(part)
        columns = np.flatnonzero(owners(windows.lengths, ranks) == rank)
        idle = not len(columns)
        own = windows.take(columns)
        if idle:
            columns = np.array([len(windows) - 1])
            own = replace(windows.take(columns), warm_up=np.ones(1, np.bool_))
        carry = None if plan.carry is None else plan.carry[part][columns]
        batch = self._collated(own, carry)
        share = Share(rank, columns, windows.sequences, int(windows.lengths.max()), idle)
        return replace(batch, share=share)

    @staticmethod
    def _starts_afresh(plan: Plan) -> NDArray[np.bool_]:
        """Return which batches of a plan continue none before them; the first always."""
        if plan.carry is None:
            return np.ones(len(plan.bounds) - 1, np.bool_)
        fresh: NDArray[np.bool_] = np.maximum.reduceat(plan.carry, plan.bounds[:-1]) < 0
        return fresh

    def _plan(self, epoch: int) -> Plan:
        epoch = epoch if self.shuffle else 0
        if self._planned is None or self._planned[0] != epoch:
            self._planned = (epoch, self._make_plan(epoch))
        return self._planned[1]

    def _make_plan(self, epoch: int) -> Plan:
        if self.carry_state and self.window is not None:
            return self._streams(epoch, self.window)
        return self._groups(epoch)

    def _streams(self, epoch: int, window: int) -> Plan:
        lengths = self.dataset.lengths
        if not len(lengths):
            return EMPTY_PLAN
        order = self._order(len(lengths), epoch)
        return Plan.of(streams(lengths, window, self._per_batch(window), order=order, warm_up=self.warm_up))

    def _groups(self, epoch: int) -> Plan:
        lengths = self.dataset.lengths
        if self.window is None:
            windows = whole(lengths)
        elif self.dataset.schema.layout.window is not None:
            windows = full(lengths, self.window, self.stride or 1)
        else:
            windows = cut(lengths, self.window, self.stride)
        if self.closed_loop is not None and self.dataset.observed is None:
            windows = windows.take(windows.lengths >= self.closed_loop.warmup)
        windows = windows.take(self._counts(windows))
        if not len(windows):
            return EMPTY_PLAN
        order = self._order(len(windows), epoch)
        if self.bucket:
            order = order[self._by_length(windows.lengths[order])]
        lengths = windows.lengths[order]
        bounds = self._bounds(lengths)
        group = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        turn = self._order(len(bounds) - 1, epoch, salt=1) if self.bucket else np.arange(len(bounds) - 1)
        place = np.empty_like(turn)
        place[turn] = np.arange(len(turn))
        order = order[np.lexsort((-lengths, place[group]))]
        return Plan(windows.take(order), np.concatenate([[0], np.cumsum(np.diff(bounds)[turn])]))

    def _counts(self, windows: Windows) -> NDArray[np.bool_]:
        """Return which windows have a target that counts."""
        dataset = self.dataset
        counts: NDArray[np.bool_] = np.ones(len(windows), np.bool_)
        if dataset.target is None or dataset.weight is None:
            return counts
        if dataset.schema.target.per == "sequence":
            counts = dataset.weight[windows.sequences] > 0
        elif dataset.schema.layout.window is not None:
            counts = dataset.weight[dataset.offsets[windows.sequences] + windows.starts + windows.lengths - 1] > 0
        else:
            first = dataset.offsets[windows.sequences] + windows.starts
            counts = dataset.counts_within(first, first + windows.lengths)
        return counts

    def _by_length(self, lengths: Indices) -> Indices:
        """Return the order that sorts by length; when shuffling, only within pools.

        The direction of sorting alternates, so that lengths do not jump between two pools.
        """
        pool = self._per_batch(float(lengths.mean())) * POOL if self.shuffle else len(lengths)
        pools = np.arange(len(lengths)) // pool
        return np.lexsort((np.where(pools % 2, lengths, -lengths), pools))

    def _bounds(self, lengths: Indices) -> Indices:
        """Return where batches begin and end."""
        if self.batch_size is not None or self.batch_steps is None:
            return np.append(np.arange(0, len(lengths), self._per_batch(1)), len(lengths))
        bounds, longest = [0], 0
        for index, length in enumerate(lengths.tolist()):
            longest = max(longest, length)
            if longest * (index + 1 - bounds[-1]) > self.batch_steps and index > bounds[-1]:
                bounds.append(index)
                longest = length
        return np.array([*bounds, len(lengths)])

    def _per_batch(self, length: float) -> int:
        """Return how many sequences of a length form a batch."""
        return self.batch_size or max(1, int((self.batch_steps or 1) // length))

    def _order(self, count: int, epoch: int, *, salt: int = 0) -> Indices:
        """Return 0 … count - 1 in the order of an epoch."""
        return permutation(count, self.seed, epoch, salt) if self.shuffle else np.arange(count)


def training_batches(config: Config, dataset: Dataset) -> Batches:
    """Return the batches that a config trains on."""
    make = partial(
        Batches,
        dataset,
        batch_steps=config.train.batch_steps,
        bucket=config.train.bucket,
        window=config.data.window,
        stride=config.data.stride,
        carry_state=config.data.carry_state,
        seed=config.seed,
        shuffle=True,
        normalize=config.loss.normalize,
        closed_loop=counted_steps(config),
    )
    size = config.train.batch_size
    return make(batch_size=batch_size_for(make(batch_size=1).count(0)) if size == "auto" else size)
