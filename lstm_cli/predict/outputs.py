"""The network's outputs for sequences of any number and length, in bounded memory.

Legend: T steps, B batch, K outputs, S numbers of state a sequence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lstm_cli.errors import DataError
from lstm_cli.graph.model import Model
from lstm_cli.sequences import Batches, Dataset, Encoded, Schema, memory
from lstm_cli.training.step import Predictor

NUMBERS_HELD = 1 << 24  # outputs held at a time
STEPS_HELD, SEQUENCES_HELD = 200_000, 1024  # and steps and sequences
BATCH_STEPS = 1 << 14  # most steps of a padded batch, if one sequence does not have more
PIECE_STEPS = 1 << 12  # longer sequences are run piece by piece, the state carried

States = Mapping[str, np.ndarray]
Reduction = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Outputs:
    """What the network says of a sequence.

    Attributes
    ----------
    sequence : Encoded
    values : array
        Outputs (T, K), or (1, K) for a target per sequence, or what was asked for in place of them.
    state : array (S,)
        After the last step.
    """

    sequence: Encoded
    values: np.ndarray
    state: np.ndarray


def unreduced(values: np.ndarray) -> np.ndarray:
    """Return the outputs (T, K) themselves."""
    return values


@dataclass(frozen=True)
class Network:
    """A trained model that sequences are run through."""

    model: Model
    schema: Schema

    @cached_property
    def predictor(self) -> Predictor:
        """What runs a batch."""
        return Predictor(self.model)

    @property
    def bidirectional(self) -> bool:
        """Whether a layer reads sequences from their end, so that they cannot be continued."""
        return any(len(layer.directions) > 1 for layer in self.model.layers)

    @property
    def _most_steps(self) -> int:
        """Steps of a batch."""
        return max(1, min(BATCH_STEPS, NUMBERS_HELD // self.schema.target.size))

    @property
    def _piece(self) -> float:
        """Steps from which on a sequence is run piece by piece; there are none where all are needed at once."""
        needs_all_steps = self.schema.target.per == "sequence" and self.model.spec.pool != "last"
        return np.inf if self.bidirectional or needs_all_steps else min(PIECE_STEPS, self._most_steps)

    def outputs(
        self, sequences: Iterable[Encoded], states: States | None = None, reduce: Reduction = unreduced
    ) -> Iterator[Outputs]:
        """Yield the outputs for each sequence in the order given, holding some of them at a time.

        Parameters
        ----------
        sequences : iterable of encoded sequences
        states : mapping of str to array (S,), optional
            States to go on from, by the sequences' ids.
        reduce : callable, optional
            What to keep of the outputs of some neighbouring steps (T', K): an array with as many rows, or with a few.
        """
        for chunk in self._chunks(sequences):
            short = [sequence for sequence in chunk if sequence.steps <= self._piece]
            self._check_memory(short)
            together = iter(self._together(short, states, reduce))
            for sequence in chunk:
                yield next(together) if sequence.steps <= self._piece else self._piecewise(sequence, states, reduce)

    def _chunks(self, sequences: Iterable[Encoded]) -> Iterator[list[Encoded]]:
        """Yield sequences in lists of bounded size, in their order."""
        most = min(STEPS_HELD, NUMBERS_HELD // self.schema.target.size)
        chunk, steps = [], 0
        for sequence in sequences:
            chunk.append(sequence)
            steps += sequence.steps
            if steps >= most or len(chunk) >= SEQUENCES_HELD:
                yield chunk
                chunk, steps = [], 0
        if chunk:
            yield chunk

    def _check_memory(self, sequences: Iterable[Encoded]) -> None:
        """Refuse a sequence that cannot be run piece by piece, and is too long to be run as a whole."""
        longest = max(sequences, key=lambda sequence: sequence.steps, default=None)
        if longest is None or longest.steps <= self._most_steps:
            return
        free, precision = memory.available(), self.model.dtype
        needed = memory.needed(self.model.spec, self.schema, longest.steps, precision=precision, training=False)
        if free is not None and needed > free:
            raise DataError(
                f"{longest.where}: {longest.steps:,} steps, which this model needs all at once, would take about "
                f"{memory.readable(needed)} of {memory.readable(free)} free memory: cut the sequence into shorter ones"
            )

    def _together(self, sequences: Sequence[Encoded], states: States | None, reduce: Reduction) -> list[Outputs]:
        """Run sequences in batches of similar length; return the outputs in the order given."""
        if not sequences:
            return []
        found: list[Outputs | None] = [None] * len(sequences)
        batches = Batches(Dataset(sequences, self.schema), batch_steps=self._most_steps, shuffle=False)
        for batch in batches.epoch(0):
            previous, carry = self._states_of([sequences[index] for index in batch.sequences], states)
            values, state = self.predictor(replace(batch, carry=carry), previous)
            owners = batch.rows % len(batch.lengths)
            for row, index in enumerate(batch.sequences):
                found[index] = Outputs(sequences[index], reduce(values[owners == row]), state[row])
        return found

    def _piecewise(self, sequence: Encoded, states: States | None, reduce: Reduction) -> Outputs:
        """Run one long sequence piece by piece."""
        pieces = []
        for start in range(0, sequence.steps, self._piece):
            part = sequence.part(start, min(start + self._piece, sequence.steps))
            (outputs,) = self._together([part], states, reduce)
            pieces.append(outputs.values)
            states = {str(sequence.id): outputs.state}
        values = pieces[-1] if self.schema.target.per == "sequence" else np.concatenate(pieces)
        return Outputs(sequence, values, outputs.state)

    def _states_of(
        self, sequences: Sequence[Encoded], states: States | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the states (B, S) that the rows of a batch go on from, and which rows do (B,)."""
        if not states:
            return None, None
        known = [states.get(str(sequence.id)) for sequence in sequences]
        blank = np.zeros(self.model.state_size, self.model.dtype)
        carry = np.array([-1 if state is None else row for row, state in enumerate(known)], np.int64)
        return np.stack([blank if state is None else state for state in known]), carry
