"""Many sequences, end to end in one array per column.

Legend: S steps of all sequences, n sequences, T time, B batch, I numbers per step, D or K targets, N counted
positions.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.arrays import ends, joined, joined_or_none, repeated
from lstm_cli.data.batch import Batch
from lstm_cli.data.formats.bunch import Joined
from lstm_cli.data.schema.encoded import Encoded, ids_of
from lstm_cli.data.schema.own_scales import scale_windows, scaled_target
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.several import Block, blocks_of, column_of
from lstm_cli.data.schema.storage import contents


class Dataset:
    """Encoded sequences.

    Indexing gives a sequence, whose arrays are views of the dataset's.

    Parameters
    ----------
    sequences
        Either all with targets, or all without.
    schema
        The schema that they were encoded by.

    Attributes
    ----------
    ids, where : lists of n
        Ids, and places in the file.
    lengths : int64 array (n,)
        Steps of every sequence.
    offsets : int64 array (n + 1,)
        Where each sequence begins in the arrays of all steps.
    numbers : float array (S, I) or None
        Numeric inputs.
    tokens : dict of int32 arrays (S,)
        Token inputs.
    target : array (S, …) or (n, …), or None
        Targets per step or per sequence.
    weight : float array (S,) or (n,), or None
        Their weights; None: all 1.
    observed : int64 array (n,) or None
        In a closed loop around a system: how many of the first steps are observed; None without one.
    """

    def __init__(self, sequences: Iterable[Encoded], schema: Schema) -> None:
        items = list(sequences)
        self.schema = schema
        self.ids = ids_of(items)
        self.where = Joined([[item.where] if item.bunch is None else item.bunch.places for item in items])
        self.lengths = joined([item.lengths for item in items]) if items else np.zeros(0, np.int64)
        self.offsets = ends(self.lengths)
        labelled = bool(items) and items[0].target is not None
        self.numbers = joined([item.numbers for item in items]) if schema.numeric_size and items else None
        self.tokens = {name: joined([item.tokens[name] for item in items]) for name in schema.tokens} if items else {}
        self.target = joined([item.target for item in items]) if labelled else None
        per_step = schema.target.per == "step" or not labelled
        counts = np.array([item.steps if per_step else len(item.lengths) for item in items], np.int64)
        self.weight = joined_or_none([item.weight for item in items], counts, np.float32(1))
        self._unseen = joined_or_none([item.unseen for item in items], counts, np.int32(0))
        driven = schema.layout.closed_loop is not None
        self.observed = np.array([item.observed for item in items], np.int64) if driven else None
        each = [len(item.lengths) for item in items]
        self._first, self._context = (
            repeated([getattr(item, name) for item in items], each) for name in ("offset", "context")
        )
        self._history, self._times, self._scaling, self._before = (
            Joined([[getattr(item, name)] * count for item, count in zip(items, each, strict=True)])
            for name in ("history", "times", "scaling", "before")
        )
        #: Of how many steps before the first of each sequence the predicted values are known (n,).
        self.known_before = repeated([0 if item.before is None else len(item.before) for item in items], each)

    @classmethod
    def of_arrays(cls, schema: Schema, arrays: Mapping[str, Any]) -> "Dataset":
        """Return a dataset of what another one has, by the names of its attributes: arrays that stand on disk."""
        own = cls([], schema)
        vars(own).update(arrays)
        return own

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Encoded]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Encoded:
        steps = slice(self.offsets[index], self.offsets[index + 1])
        targets = steps if self.schema.target.per == "step" else slice(index, index + 1)
        return Encoded(
            id=self.ids[index],
            where=self.where[index],
            steps=int(self.lengths[index]),
            numbers=None if self.numbers is None else self.numbers[steps],
            tokens={name: indices[steps] for name, indices in self.tokens.items()},
            target=None if self.target is None else self.target[targets],
            weight=None if self.weight is None else self.weight[targets],
            unseen=None if self._unseen is None else self._unseen[targets],
            history=self._history[index],
            offset=int(self._first[index]),
            observed=None if self.observed is None else int(self.observed[index]),
            times=self._times[index],
            context=int(self._context[index]),
            scaling=self._scaling[index],
            before=self._before[index],
        )

    @cached_property
    def parts(self) -> tuple["Dataset", ...]:
        """Of several target columns: the dataset with each of them as its only target."""
        if self.target is None:
            raise ValueError("a dataset without targets has no target columns")
        return tuple(
            self._view(schema, block, self.target)
            for schema, block in zip(self.schema.parts, blocks_of(self.schema.target), strict=True)
        )

    def views(self) -> dict[str, "Dataset"]:
        """Return the dataset of each target column by its name; of a single target this one, under no name."""
        return {part.schema.layout.target.name: part for part in self.parts} if self.schema.parts else {"": self}

    def _view(self, schema: Schema, block: Block, target: np.ndarray) -> "Dataset":
        view = copy(self)
        for name, kind in vars(Dataset).items():  # what is computed from the target
            if isinstance(kind, cached_property):
                vars(view).pop(name, None)
        known = target[:, block.known].astype(np.float32)
        view.schema, view.target = schema, column_of(block, schema.target, target)
        view.weight = known if self.weight is None else self.weight * known
        view._unseen = None if block.unseen is None else target[:, block.unseen].astype(np.int32)
        return view

    def counts_within(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether any target from one of the S steps to another counts (M,); for targets per step."""
        return stops > starts if self.weight is None else self._counted[stops] > self._counted[starts]

    @cached_property
    def _counted(self) -> NDArray[np.int64]:
        """Cumulative number (S + 1,) of steps with a target that counts."""
        return ends(cast(np.ndarray, self.weight) > 0)

    @property
    def scored_steps(self) -> int:
        """How many targets count: steps, or sequences where the target is one per sequence."""
        if self.weight is not None:
            return int((self.weight > 0).sum())
        return len(self) if self.schema.target.per == "sequence" else int(self.offsets[-1])

    @property
    def has_known_labels(self) -> bool:
        """Whether training saw the label of any target that counts; true of other kinds of targets."""
        if self.target is None or self.schema.target.kind != "category":
            return True
        known = self.target >= 0 if self.weight is None else (self.target >= 0) & (self.weight > 0)
        return bool(known.any())

    @property
    def context_steps(self) -> int:
        """How many steps serve as context only: they belong to the part of a series before this one."""
        return int(self._context.sum())

    def digest(self) -> str:
        """Return a hash of everything that training sees of the sequences and their schema."""
        layout = self.schema.layout
        # These are not seen, nor are they in files of earlier versions.
        columns = tuple(replace(column, text=None) for column in layout.inputs)
        schema = replace(self.schema, layout=replace(layout, inputs=columns, id_given=False))
        digest = hashlib.sha256(b"".join(contents(schema).values()))
        for array in (self.lengths, self.numbers, *self.tokens.values(), self.target, self.weight, self.observed):
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def restore(self, batch: Batch, outputs: np.ndarray) -> NDArray[np.float64]:
        """Return outputs (N, D) for a batch's counted positions in original units, transforms undone."""
        ahead = self.schema.target.ahead
        past, starts = self._past
        columns = batch.counted_sequences
        sequences = batch.sequences[columns]
        starts_at = 0 if batch.starts is None else batch.starts[columns]
        steps = starts_at + batch.counted_times + self._first[sequences] + ahead
        own = None if self._own_scaling is None else self._own_scaling.part(sequences)
        return self.schema.target.restore(self.unscaled(batch, outputs), past, starts[sequences] + steps, own)

    def curves(self, batch: Batch, outputs: np.ndarray) -> NDArray[np.float64]:
        """Return the curves (C, N, D) of outputs for a batch's counted positions in original units."""
        return np.stack([self.restore(batch, curve) for curve in self.schema.target.head.split(outputs)])

    def places(self, batch: Batch) -> NDArray[np.int64]:
        """Return where a batch's counted positions are among all steps of the dataset (N,)."""
        first: NDArray[np.int64] = self.offsets[batch.sequences] + (0 if batch.starts is None else batch.starts)
        return first[batch.counted_sequences] + batch.counted_times

    def unscaled(self, batch: Batch, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (N, D) for a batch's counted positions without the scaling of their windows."""
        if batch.scaling is None:
            return outputs
        return batch.scaling.undo(self.schema.target.by_step(outputs)).reshape(outputs.shape)

    def scale_windows(
        self,
        numbers: NDArray[np.floating] | None,
        target: np.ndarray | None,
        lengths: NDArray[np.int64],
        columns: NDArray[np.int64],
    ) -> tuple[Scaling | None, np.ndarray | None]:
        """Scale the numbers (T, B, I) of windows in place; return the targets' scaling, and the scaled targets (N, D).

        Parameters
        ----------
        numbers, target
            Of the windows, and at their counted positions.
        lengths
            Steps of each window (B,).
        columns
            The window of each counted position (N,).
        """
        if numbers is None:
            return None, target
        scaling = scale_windows(self.schema, numbers, lengths, columns)
        return scaling, scaled_target(self.schema, target, scaling)

    def truth(self, batch: Batch) -> NDArray[np.float64]:
        """Return the true targets (N, D) at a batch's counted positions, in original units."""
        return self.restore(batch, cast(np.ndarray, batch.target))

    def values_at(self, sequences: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values (N, D) of the predicted columns, which are inputs, at steps (N,), in original units.

        Steps below 0 are those before the first, as far as `known_before`.
        """
        given = np.maximum(steps, 0)
        numbers = cast(np.ndarray, self.numbers)[self.offsets[sequences] + given]
        past, starts = self._past
        own = None if self._own_scaling is None else self._own_scaling.part(sequences)
        places = starts[sequences] + self._first[sequences] + given
        values = self.schema.target.restore(numbers[:, self.schema.predicted_numbers], past, places, own)
        early = np.flatnonzero(steps < 0)
        if len(early):
            before, ends = self._values_before
            values[early] = before[ends[sequences[early] + 1] + steps[early]]
        return values

    def unseen(self, batch: Batch) -> int:
        """Return how many true labels of a batch's sets have no column in the target."""
        return int(self.unseen_labels(batch).sum())

    def unseen_labels(self, batch: Batch) -> NDArray[np.int64]:
        """Return how many true labels have no column in the target, at each of a batch's counted positions (N,)."""
        if self._unseen is None:
            return np.zeros(len(batch.counted), np.int64)
        per_sequence = self.schema.target.per == "sequence"
        places = batch.sequences[batch.counted_sequences] if per_sequence else self.places(batch)
        return self._unseen[places].astype(np.int64)

    def first_steps(self, sequences: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the step of the file that the first step of each of some sequences is, as differences remove some."""
        return self._first[sequences]

    @cached_property
    def _own_scaling(self) -> Scaling | None:
        """The scaling of every sequence's target (n, 1, D); None: that of train."""
        own = [scaling for scaling in self._scaling if scaling is not None]
        return Scaling.stack(own) if own else None

    @cached_property
    def _values_before(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Values (B, D) before all sequences end to end, and where those of each begin (n + 1,)."""
        pieces = [piece for piece in self._before if piece is not None]
        return np.concatenate(pieces), ends(self.known_before)

    @cached_property
    def _past(self) -> tuple[list[list[np.ndarray]], NDArray[np.int64]]:
        """Past values for undoing transforms, of all sequences end to end, and where each begins (n + 1,)."""
        target = self.schema.target
        if not target.needs_past:
            return [[] for _ in target.chains], np.zeros(len(self) + 1, np.int64)
        histories = cast(Sequence[NDArray[np.float64]], self._history)
        pieces = [target.past(history) for history in histories]
        past = [
            [np.concatenate([piece[part][link] for piece in pieces]) for link in range(len(pieces[0][part]))]
            for part in range(len(pieces[0]))
        ]
        return past, ends(np.array([len(history) for history in histories], np.int64))
