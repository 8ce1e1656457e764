"""A trained run put to use: sequences in, predictions out, in original units and label names.

>>> run = lstm_cli.load("runs/quickstart")
>>> run.predict([{"id": "a", "x": [[0.1, 0.2], [0.3, 0.1]]}])
[{"id": "a", "prediction": "wave"}]
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli import checkpoint
from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.feedback import check_feedback, continued, last_outputs, most_likely, sampled
from lstm_cli.runfolder import RESOLVED
from lstm_cli.sequences import Batches, Dataset, Encoded, Schema, rows_of
from lstm_cli.sequences.batches import evaluation_batches
from lstm_cli.sequences.vocabulary import UNKNOWN
from lstm_cli.spec import Config, load_config
from lstm_cli.training.loop import evaluate
from lstm_cli.training.metrics import accumulator
from lstm_cli.training.session import build_model, restore_weights, use_threads
from lstm_cli.training.step import Evaluator, Predictor

CHUNK_STEPS = 200_000  # steps held in memory at a time
CHUNK_SEQUENCES = 1024
LONG = 4096  # steps after which a sequence is run piece by piece, its state carried


@dataclass(frozen=True)
class Outputs:
    """What the network says of a sequence: outputs (T, K), or (1, K) for a target per sequence; state (S,) after it."""

    sequence: Encoded
    values: np.ndarray
    state: np.ndarray


def load(folder: str | Path) -> "Run":
    """Return the best state of a run, ready to predict.

    Raises
    ------
    CheckpointError
        The folder holds no run, or its checkpoint is damaged.
    """
    return Run(Path(folder))


class Run:
    """A trained model with its schema.

    Parameters
    ----------
    folder : Path
        The run folder. Nothing else is needed: no config, no training data.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / RESOLVED).is_file():
            raise CheckpointError(f"{folder}: there is no run: expected the folder that lstm-train wrote")
        self.folder = folder
        self.config: Config = load_config(folder / RESOLVED)
        self.schema = Schema.load(folder)
        use_threads(self.config.threads)
        self.model = build_model(self.config, self.schema)
        restore_weights(self.model, checkpoint.load(folder / checkpoint.BEST))
        self._predictor = Predictor(self.model)

    @property
    def bidirectional(self) -> bool:
        """Whether a layer reads sequences from their end, so that they cannot be continued."""
        return any(len(layer.directions) > 1 for layer in self.model.layers)

    def predict(self, sequences: Iterable[Mapping[str, Any]], *, probabilities: bool = False) -> list[dict[str, Any]]:
        """Return a prediction for each sequence, given as a mapping of columns as in a line of jsonl."""
        encoded = (self.schema.encode(row) for row in rows_of(sequences, self.schema))
        return [self.described(outputs, probabilities=probabilities) for outputs in self.outputs(encoded)]

    def forecast(self, sequences: Iterable[Mapping[str, Any]], steps: int) -> list[dict[str, Any]]:
        """Return what the model expects of the next steps of each sequence, feeding on its own predictions."""
        return list(self.forecasts((self.schema.encode(row) for row in rows_of(sequences, self.schema)), steps))

    def outputs(
        self, sequences: Iterable[Encoded], states: Mapping[str, np.ndarray] | None = None
    ) -> Iterator[Outputs]:
        """Yield the network's outputs for each sequence in the order given, holding some of them at a time.

        Parameters
        ----------
        sequences : iterable of encoded sequences
        states : mapping of str to array (S,), optional
            States to go on from, by the sequences' ids.
        """
        for chunk in _chunks(sequences):
            found: list[Outputs | None] = [None] * len(chunk)
            short = [k for k, s in enumerate(chunk) if s.steps <= LONG or self.bidirectional]
            for k, outputs in zip(short, self._together([chunk[k] for k in short], states), strict=True):
                found[k] = outputs
            for k, sequence in enumerate(chunk):
                yield found[k] or self._piecewise(sequence, states)

    def forecasts(
        self, sequences: Iterable[Encoded], steps: int, states: Mapping[str, np.ndarray] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the next steps of each sequence as the model expects them, its predictions fed back."""
        check_feedback(self.schema, bidirectional=self.bidirectional)
        choose = most_likely(self.schema)
        for group in _grouped(self.outputs(sequences, states), CHUNK_SEQUENCES):
            last, state = last_outputs([o.values for o in group]), np.stack([o.state for o in group])
            ahead = np.stack(list(islice(continued(self._predictor, self.schema, last, state, choose), steps)))
            for k, outputs in enumerate(group):
                yield {"id": outputs.sequence.id, "prediction": self._continuation(outputs.sequence, ahead[:, k])}

    def generate(self, prompt: str, count: int, *, temperature: float = 1.0, seed: int = 1) -> Iterator[str]:
        """Yield `count` symbols that go on from a prompt; where lines were learned, a new line begins afresh."""
        check_feedback(self.schema, bidirectional=self.bidirectional)
        if self.schema.layout.format != "text":
            raise ConfigError("--generate needs a model trained on format: text")
        choose = _without_unknown(self.schema, sampled(np.random.default_rng(seed), temperature))
        while count > 0:
            outputs = next(self.outputs([self.schema.prompt(prompt)]))
            for chosen in continued(self._predictor, self.schema, outputs.values[-1:], outputs.state[None], choose):
                yield self.schema.text(chosen)
                count -= 1
                if count == 0 or self.schema.ends_line(int(chosen[0])):
                    break

    def evaluate(self, data: str | Path) -> dict[str, float]:
        """Return loss and metrics on a file with targets."""
        dataset = Dataset.read(data, self.schema)
        target = self.schema.target
        consumes = accumulator(target.kind, size=target.size, is_next=target.is_next).consumes
        evaluator = Evaluator(self.model, target.kind, self.config.loss, consumes=consumes)
        loss, metrics = evaluate(evaluator, evaluation_batches(self.config, dataset), target)
        return {"loss": loss, **metrics}

    def described(self, outputs: Outputs, *, probabilities: bool = False) -> dict[str, Any]:
        """Return the row for a sequence: `id`, `prediction` and, if asked, `probabilities`."""
        per_sequence = self.schema.target.per == "sequence"
        predictions = self._readable(outputs)
        row = {"id": outputs.sequence.id, "prediction": predictions[0] if per_sequence else predictions}
        if probabilities:
            given = self._probabilities(outputs.values)
            row["probabilities"] = given[0] if per_sequence else given
        return row

    def _together(self, sequences: Sequence[Encoded], states: Mapping[str, np.ndarray] | None) -> list[Outputs]:
        """Run sequences in batches of similar length; return the outputs in the order given."""
        found: list[Outputs | None] = [None] * len(sequences)
        dataset = Dataset(sequences, self.schema)
        for batch in Batches(dataset, batch_size=64, bucket=True, shuffle=False).epoch(0):
            previous, carry = self._states_of(sequences, batch.sequences, states)
            values, state = self._predictor(replace(batch, carry=carry), previous)
            owners = batch.rows % len(batch.lengths) if self.schema.target.per == "step" else batch.rows
            for b, index in enumerate(batch.sequences):
                found[index] = Outputs(sequences[index], values[owners == b], state[b])
        return found

    def _piecewise(self, sequence: Encoded, states: Mapping[str, np.ndarray] | None) -> Outputs:
        """Run one long sequence piece by piece."""
        pieces, state = [], None
        for start in range(0, sequence.steps, LONG):
            piece = sequence.part(start, min(start + LONG, sequence.steps))
            known = states if state is None else {str(sequence.id): state}
            (outputs,) = self._together([piece], known)
            pieces.append(outputs.values)
            state = outputs.state
        values = pieces[-1] if self.schema.target.per == "sequence" else np.concatenate(pieces)
        return Outputs(sequence, values, state)

    def _states_of(
        self, sequences: Sequence[Encoded], rows: np.ndarray, states: Mapping[str, np.ndarray] | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the states (B, S) that the rows of a batch go on from, and which rows do."""
        if not states:
            return None, None
        known = [states.get(str(sequences[index].id)) for index in rows]
        blank = np.zeros(self.model.state_size, self.model.dtype)
        carry = np.array([-1 if state is None else b for b, state in enumerate(known)], np.int64)
        return np.stack([blank if state is None else state for state in known]), carry

    def _readable(self, outputs: Outputs) -> list[Any]:
        """Return the outputs (T, K) of a sequence as labels, numbers or sets of labels, one each."""
        target = self.schema.target
        match target.kind:
            case "category":
                return [target.labels[k] for k in outputs.values.argmax(axis=1)]
            case "set":
                return [[target.labels[k] for k in np.flatnonzero(row > 0)] for row in outputs.values]
            case "number":
                restored = self.schema.restorer(outputs.sequence).restore_all(outputs.values)
                return _plain(restored)

    def _continuation(self, sequence: Encoded, chosen: np.ndarray) -> list[Any]:
        """Return what was fed back (N,) or (N, K) as labels, numbers in original units, or sets of labels."""
        target = self.schema.target
        match target.kind:
            case "category":
                return [target.labels[k] for k in chosen]
            case "set":
                return [[target.labels[k] for k in np.flatnonzero(row)] for row in chosen]
            case "number":
                restorer = self.schema.restorer(sequence)
                return _plain(np.stack([restorer.append(output) for output in chosen]))

    def _probabilities(self, values: np.ndarray) -> list[dict[str, float]]:
        """Return the probability of each label, one mapping for each row of outputs (T, K)."""
        target = self.schema.target
        if target.kind == "number":
            raise ConfigError("--probabilities: the model predicts numbers, which have none")
        values = values.astype(np.float64)
        if target.kind == "set":
            shares = np.exp(-np.logaddexp(0, -values))
        else:
            shares = np.exp(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
        return [{str(label): float(p) for label, p in zip(target.labels, row, strict=True)} for row in shares]


def _plain(values: np.ndarray) -> list[Any]:
    """Return numbers (T, D) as a list of lists, or of numbers where D is 1."""
    return (values[:, 0] if values.shape[1] == 1 else values).tolist()


def _without_unknown(schema: Schema, choose: Any) -> Any:
    """Return a choice that never takes the unknown token, which stands for no text."""
    if UNKNOWN not in schema.target.labels:
        return choose
    unknown = schema.target.labels.index(UNKNOWN)

    def known(output: np.ndarray) -> np.ndarray:
        output = output.copy()
        output[:, unknown] = -np.inf
        return choose(output)

    return known


def _chunks(sequences: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    """Yield sequences in lists of bounded size, in their order."""
    chunk, steps = [], 0
    for sequence in sequences:
        chunk.append(sequence)
        steps += sequence.steps
        if steps >= CHUNK_STEPS or len(chunk) >= CHUNK_SEQUENCES:
            yield chunk
            chunk, steps = [], 0
    if chunk:
        yield chunk


def _grouped(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
