"""The network's outputs for sequences of any number and length, in bounded memory.

Legend: T steps, B batch, K outputs, S state values per sequence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lstm_cli.data import Batch, Dataset, Encoded, Schema, memory
from lstm_cli.data.batching.whole import WholeBatches, chunks, most_steps, runs_in_pieces
from lstm_cli.engine.memory import needed_bytes
from lstm_cli.engine.predictor import HiddenLayers, Predictor
from lstm_cli.errors import DataError
from lstm_cli.graph.model import Model
from lstm_cli.predict.cut import Found, together
from lstm_cli.ranks import World

States = Mapping[str, np.ndarray]
Reduction = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Outputs:
    """The network's outputs for a sequence.

    Attributes
    ----------
    sequence : Encoded
    values : array
        Outputs (T, K), or (1, K) for a target per sequence, or their reduction.
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
    """A trained model through which sequences are run.

    Attributes
    ----------
    model, schema
    world : World
        The ranks that the batches of `outputs` are dealt to. Rank 0 yields the outputs for all sequences, the others
        yield nothing.
    """

    model: Model
    schema: Schema
    world: World = field(default_factory=World)

    @cached_property
    def predictor(self) -> Predictor:
        """The function that runs a batch."""
        return Predictor(self.model)

    @cached_property
    def hidden_layers(self) -> HiddenLayers:
        """The function that runs a batch up to the output layer."""
        return HiddenLayers(self.model)

    @property
    def bidirectional(self) -> bool:
        """Whether a layer reads sequences from their end, so that it cannot continue them."""
        return any(len(layer.directions) > 1 for layer in self.model.layers)

    def outputs(
        self, sequences: Iterable[Encoded], states: States | None = None, reduce: Reduction = unreduced
    ) -> Iterator[Outputs]:
        """Yield the outputs for each sequence in the order given, holding a few at a time.

        Parameters
        ----------
        sequences : iterable of encoded sequences
        states : mapping of str to array (S,), optional
            States to continue from, by the sequences' ids.
        reduce : callable, optional
            Reduces the outputs of consecutive steps (T', K) to an array of that length, or a shorter one.
        """
        for chunk in chunks(sequences, lambda sequence: sequence.steps, self.schema.target.outputs):
            self.check_memory(chunk)
            yield from self._run(chunk, states, reduce)

    def check_memory(self, sequences: Sequence[Encoded]) -> None:
        """Refuse a sequence that cannot be run piece by piece and is too long to be run as a whole."""
        if self.schema.layout.window is not None:
            return
        longest, target = max(sequences, key=lambda sequence: sequence.steps), self.schema.target
        if longest.steps <= most_steps(target.outputs) or runs_in_pieces(self.model.spec, target.per):
            return
        free, precision = memory.available(), self.model.dtype
        needed = needed_bytes(self.model.spec, self.schema, longest.steps, precision=precision, training=False)
        if free is not None and needed > free:
            raise DataError(
                f"{longest.where}: {longest.steps:,} steps, which this model needs all at once, would take about "
                f"{memory.readable(needed)} of {memory.readable(free)} free memory: cut the sequence into shorter ones"
            )

    def _run(self, sequences: Sequence[Encoded], states: States | None, reduce: Reduction) -> Iterator[Outputs]:
        """Run sequences in batches; yield the outputs in the order given."""
        if self.schema.layout.window is not None:
            yield from self._run_windows(sequences, reduce)
            return
        found = together(self.world, sequences, self._own(sequences, states, reduce))
        if self.world.rank == 0:
            yield from (Outputs(sequence, *found[index]) for index, sequence in enumerate(sequences))

    def _own(self, sequences: Sequence[Encoded], states: States | None, reduce: Reduction) -> Found:
        """Return values and final state of the sequences in the batches that this rank has to run, by their index."""
        pieces: dict[int, list[np.ndarray]] = {}
        finals: dict[int, np.ndarray] = {}
        state: np.ndarray | None = None
        batches = WholeBatches(self.model.spec, Dataset(sequences, self.schema))
        for batch in batches.dealt(self.world.rank, self.world.size):
            if states and (batch.starts is None or not batch.starts.any()):
                batch, state = self._started(batch, sequences, states)
            values, state = self.predictor(batch, state)
            for column, own in enumerate(_by_sequence(batch, values)):
                index = int(batch.sequences[column])
                pieces.setdefault(index, []).append(reduce(own))
                finals[index] = state[column]
        return {
            index: (values[0] if len(values) == 1 else np.concatenate(values), finals[index])
            for index, values in pieces.items()
        }

    def last_windows(self, sequences: Sequence[Encoded]) -> np.ndarray:
        """Return the output of the window that ends each sequence (B, K), without the window's own scaling."""
        dataset = Dataset(sequences, self.schema)
        return self._placed(dataset, self._windows(dataset, World(), last=True))[dataset.offsets[1:] - 1]

    def _windows(self, dataset: Dataset, world: World, *, last: bool = False) -> Found:
        """Return places and outputs of the windows, those that end each sequence or all, that a rank has to run."""
        own: Found = {}
        for batch in WholeBatches(self.model.spec, dataset, last=last).dealt(world.rank, world.size):
            values, _ = self.predictor(batch)
            own[len(own) * world.size + world.rank] = dataset.places(batch), dataset.unscaled(batch, values)
        return own

    def _placed(self, dataset: Dataset, found: Found) -> np.ndarray:
        """Return the output of the window that ends at each step (S, K)."""
        outputs = np.zeros((int(dataset.offsets[-1]), self.schema.target.outputs))
        for places, values in found.values():
            outputs[places] = values
        return outputs

    def _run_windows(self, sequences: Sequence[Encoded], reduce: Reduction) -> Iterator[Outputs]:
        """Run a window for every step of the sequences; the outputs are without the windows' own scaling."""
        dataset = Dataset(sequences, self.schema)
        found = together(self.world, sequences, self._windows(dataset, self.world))
        if self.world.rank:
            return
        outputs = self._placed(dataset, found)
        for index, sequence in enumerate(sequences):
            own = outputs[dataset.offsets[index] : dataset.offsets[index + 1]]
            yield Outputs(sequence, reduce(own), np.zeros(0))

    def _started(self, batch: Batch, sequences: Sequence[Encoded], states: States) -> tuple[Batch, np.ndarray]:
        """Return a batch of first pieces whose sequences continue from given states, and these states (B, S)."""
        known = [states.get(str(sequences[index].id)) for index in batch.sequences]
        blank = np.zeros(self.model.state_size, self.model.dtype)
        carry = np.array([-1 if state is None else column for column, state in enumerate(known)], np.int64)
        return replace(batch, carry=carry), np.stack([blank if state is None else state for state in known])


def _by_sequence(batch: Batch, values: np.ndarray) -> list[np.ndarray]:
    """Split the outputs (N, K) at the counted positions of a batch into one array for each of its sequences."""
    owners = batch.counted_sequences
    counts = np.bincount(owners, minlength=len(batch.lengths))
    return np.split(values[np.argsort(owners, kind="stable")], np.cumsum(counts)[:-1])
