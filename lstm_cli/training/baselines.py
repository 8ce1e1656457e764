"""Baselines: simple predictors, mostly without input, that a trained model must beat to be useful.

Legend: N counted positions, D numbers at each, K labels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from lstm_cli.data import Batch, Batches, Split
from lstm_cli.engine.evaluation import evaluate, to_original_units
from lstm_cli.engine.metrics import Array, Task, accumulator
from lstm_cli.training.events import Baseline
from lstm_cli.training.job import Job

_NAMES = {
    ("category", False): "the most frequent label",
    ("category", True): "symbol frequencies",
    ("number", False): "the mean",
    ("number", True): "the mean",
    ("set", False): "label frequencies",
    ("set", True): "label frequencies",
}


def baselines(job: Job) -> Iterator[Baseline]:
    """Yield the scores of the baselines on the validation and the test data."""
    target = job.data.schema.target
    held_out: dict[Split, Batches] = {name: batches for name, batches in job.scored.items() if name != "train"}
    if job.data.schema.layout.closed_loop is not None:
        yield from _undriven(job, held_out)
        return
    constant = Constant(target, _truth(job.scored["train"]))
    for name, batches in held_out.items():
        yield constant.score(name, _truth(batches))
        if target.ahead and job.data.schema.predicted_numbers:
            dataset = batches.dataset
            pairs = ((dataset.present(_last_observed(batch)), dataset.truth(batch)) for batch in _counting(batches))
            yield persistence(target, name, pairs)


class Constant:
    """The best constant prediction, fitted on training targets.

    The share of each label (one count added, so that no symbol is impossible) or the mean of each number.

    Parameters
    ----------
    task
        The target.
    targets
        Pieces of the training truth: label indices (N,), numbers (N, D) or sets (N, K).
    """

    def __init__(self, task: Task, targets: Iterable[Array]) -> None:
        self._task = task
        total, count = np.zeros(task.size), 0
        for truth in targets:
            if task.kind == "category":
                total += np.bincount(truth[truth >= 0], minlength=task.size)
            else:
                total += truth.reshape(-1, task.size).sum(axis=0, dtype=np.float64)
            count += len(truth)
        self._output = _constant_output(task.kind, total, count)

    def score(self, split: str, targets: Iterable[Array]) -> Baseline:
        """Score the constant prediction on pieces of a split's truth."""
        task = self._task
        metrics = accumulator(task)
        for truth in targets:
            if metrics.consumes == "losses":
                metrics.update(-self._output[truth], truth)
            else:
                metrics.update(np.broadcast_to(self._output, (len(truth), task.size)), truth)
        return Baseline(_NAMES[task.kind, task.is_next], split, metrics.result())


def _constant_output(kind: str, total: Array, count: int) -> Array:
    """Turn sums over the training positions into outputs (K,) or (D,): log-probabilities, log-odds or means."""
    output: Array = total / max(count, 1)
    if kind == "category":
        output = np.log((total + 1) / (total + 1).sum())
    elif kind == "set":
        output = np.log((total + 1) / (count - total + 1))
    return output


def persistence(task: Task, split: str, pieces: Iterable[tuple[Array, Array]]) -> Baseline:
    """Score the forecast that nothing changes.

    Parameters
    ----------
    task
        A numeric target.
    split
        The split of the pieces.
    pieces
        Pairs (last value, truth), each (N, D), in original units.
    """
    metrics = accumulator(task)
    for last, truth in pieces:
        metrics.update(last, truth)
    return Baseline("the last value", split, metrics.result())


def _undriven(job: Job, held_out: dict[Split, Batches]) -> Iterator[Baseline]:
    """Yield the score of the system alone: with zero weights the network outputs 0, except through a sigmoid."""
    model = job.trainer.model
    if model.spec.output is None or model.spec.output.activation == "sigmoid":
        return
    flat = model.parameters.flat
    values = flat.get_value()
    flat.set_value(np.zeros_like(values))
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for name, batches in held_out.items():
                yield Baseline("the undriven system", name, evaluate(job.evaluator, batches)[1])
    finally:
        flat.set_value(values)


def _last_observed(batch: Batch) -> Batch:
    """Return a batch whose counted positions are at the last observed step, where a closed loop begins."""
    if batch.observed is None:
        return batch
    columns = batch.counted_sequences
    return replace(batch, counted=(batch.observed[columns] - 1) * len(batch.lengths) + columns)


def _truth(batches: Batches) -> Iterator[Array]:
    """Yield the targets that count, as the metrics expect them."""
    for batch in _counting(batches):
        if batch.target is not None:
            yield to_original_units(batches.dataset, batch, batch.target)[1]


def _counting(batches: Batches) -> Iterator[Batch]:
    """Yield the batches with targets that count."""
    return (batch for batch in batches.epoch(0) if len(batch.counted))
