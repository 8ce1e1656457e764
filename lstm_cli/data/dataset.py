"""Many sequences, end to end in one array per column.

Legend: S steps of all sequences, n sequences, T time, B batch, I numbers per step, D or K targets, N counted rows.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.batch import Batch
from lstm_cli.data.encoded import Encoded
from lstm_cli.data.formats.source import Origin
from lstm_cli.data.reading import read_sequences
from lstm_cli.data.schema import storage
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.unknown_counts import UnknownCounts


class Dataset:
    """Encoded sequences.

    Indexing gives a sequence, whose arrays are views of the dataset's.

    Parameters
    ----------
    sequences
        All of them; with targets, or all without.
    schema
        How they were encoded.

    Attributes
    ----------
    ids, where : lists of n
        Names, and places in the file.
    lengths : int64 array (n,)
        Steps of every sequence.
    offsets : int64 array (n + 1,)
        Where each begins in the arrays of all steps.
    numbers : float array (S, I) or None
        Numeric inputs.
    tokens : dict of int32 arrays (S,)
        Token inputs.
    target : array (S, …) or (n, …), or None
        Targets per step or per sequence.
    weight : float array (S,) or (n,), or None
        Their weights; None: all 1.
    observed : int64 array (n,) or None
        In a closed loop around a system: the first steps of each, whose state is given.
    """

    def __init__(self, sequences: Iterable[Encoded], schema: Schema) -> None:
        items = list(sequences)
        self.schema = schema
        self.ids = [item.id for item in items]
        self.where = [item.where for item in items]
        self.lengths = np.array([item.steps for item in items], np.int64)
        self.offsets = _ends(self.lengths)
        labelled = bool(items) and items[0].target is not None
        self.numbers = _joined([item.numbers for item in items]) if schema.numeric_size and items else None
        self.tokens = {name: _joined([item.tokens[name] for item in items]) for name in schema.tokens} if items else {}
        self.target = _joined([item.target for item in items]) if labelled else None
        counts = np.array([len(item.target) for item in items]) if labelled else self.lengths
        self.weight = _joined_or_none([item.weight for item in items], counts, np.float32(1))
        self._unseen = _joined_or_none([item.unseen for item in items], counts, np.int32(0))
        looped = schema.layout.loop is not None
        self.observed = np.array([item.observed for item in items], np.int64) if looped else None
        self._first = np.array([item.offset for item in items], np.int64)
        self._history = [item.history for item in items]

    @classmethod
    def read(cls, origin: Origin, schema: Schema, *, unknown_counts: UnknownCounts | None = None) -> "Dataset":
        """Return the sequences of a file with their targets, encoded as in training."""
        rows = read_sequences(origin, schema, labelled=True)
        return cls((schema.encode(row, labelled=True, unknown_counts=unknown_counts) for row in rows), schema)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Encoded]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Encoded:
        steps = slice(self.offsets[index], self.offsets[index + 1])
        answers = steps if self.schema.target.per == "step" else slice(index, index + 1)
        return Encoded(
            id=self.ids[index],
            where=self.where[index],
            steps=int(self.lengths[index]),
            numbers=None if self.numbers is None else self.numbers[steps],
            tokens={name: indices[steps] for name, indices in self.tokens.items()},
            target=None if self.target is None else self.target[answers],
            weight=None if self.weight is None else self.weight[answers],
            unseen=None if self._unseen is None else self._unseen[answers],
            history=self._history[index],
            offset=int(self._first[index]),
            observed=None if self.observed is None else int(self.observed[index]),
        )

    @property
    def sequences(self) -> "Dataset":
        """The dataset itself, as what it is: its sequences by index."""
        return self

    @cached_property
    def counted(self) -> NDArray[np.int64]:
        """How many of the first steps have a target that counts, as running sums (S + 1,); per step only."""
        counts = np.ones(int(self.offsets[-1]), np.int64) if self.weight is None else self.weight > 0
        return _ends(counts)

    def digest(self) -> str:
        """Return a hash of all that training sees of the sequences and their schema: another one is other data."""
        digest = hashlib.sha256(b"".join(storage.contents(self.schema).values()))
        for array in (self.lengths, self.numbers, *self.tokens.values(), self.target, self.weight, self.observed):
            digest.update(b"" if array is None else np.ascontiguousarray(array))
        return digest.hexdigest()

    def restore(self, batch: Batch, outputs: np.ndarray, *, ahead: int | None = None) -> NDArray[np.float64]:
        """Return numbers (N, D) for a batch's rows in original units, transforms undone.

        They are of the step that is predicted or, with `ahead`, of one so many steps after the row's own.
        """
        ahead = self.schema.target.ahead if ahead is None else ahead
        past, starts = self._past
        columns = batch.counted_sequences
        sequences = batch.sequences[columns]
        starts_at = 0 if batch.starts is None else batch.starts[columns]
        steps = starts_at + batch.counted_times + self._first[sequences] + ahead
        return self.schema.target.restore(outputs, past, starts[sequences] + steps)

    def truth(self, batch: Batch) -> NDArray[np.float64]:
        """Return what the outputs (N, D) for a batch's rows should have been, in original units."""
        return self.restore(batch, batch.target)

    def present(self, batch: Batch) -> NDArray[np.float64]:
        """Return, where the next step is predicted, what it is at the step of each row (N, D), in original units."""
        inputs = batch.numbers.reshape(-1, batch.numbers.shape[-1])[batch.counted]
        return self.restore(batch, inputs[:, self.schema.next_numbers], ahead=0)

    def unseen(self, batch: Batch) -> int:
        """Return how many true labels of a batch's sets have no column in its target."""
        if self._unseen is None:
            return 0
        columns = batch.counted_sequences
        if self.schema.target.per == "sequence":
            return int(self._unseen[batch.sequences[columns]].sum())
        first = self.offsets[batch.sequences] + (0 if batch.starts is None else batch.starts)
        return int(self._unseen[first[columns] + batch.counted_times].sum())

    @cached_property
    def _past(self) -> tuple[list[list[np.ndarray]], NDArray[np.int64]]:
        """What undoing transforms looks up, of all sequences end to end, and where each begins (n + 1,)."""
        target = self.schema.target
        if not target.needs_past:
            return [[] for _ in target.chains], np.zeros(len(self) + 1, np.int64)
        pieces = [target.past(history) for history in self._history]
        past = [
            [np.concatenate([piece[part][link] for piece in pieces]) for link in range(len(pieces[0][part]))]
            for part in range(len(pieces[0]))
        ]
        return past, _ends(np.array([len(history) for history in self._history], np.int64))


def _ends(lengths: np.ndarray) -> NDArray[np.int64]:
    """Return 0 and the running sums of lengths."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends


def _joined(arrays: list[Any]) -> np.ndarray:
    return np.ascontiguousarray(arrays[0]) if len(arrays) == 1 else np.concatenate(arrays)


def _joined_or_none(arrays: list[np.ndarray | None], counts: np.ndarray, default: np.generic) -> np.ndarray | None:
    """Return arrays end to end, `default` for those that are None; None if all are."""
    if all(array is None for array in arrays):
        return None
    filled = [np.full(count, default) if array is None else array for array, count in zip(arrays, counts, strict=True)]
    return np.concatenate(filled)
