"""`lstm check`: everything that can be seen and tried before training starts. Writes nothing."""

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.config.space import space_of
from lstm_cli.data import Dataset, Schema, training_batches
from lstm_cli.data.schema.record import Record
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.engine.threads import use_threads
from lstm_cli.errors import Diverged, counted, listed
from lstm_cli.insight.training_columns import ColumnSummary, FirstSequence, first_sequence, summaries
from lstm_cli.scores.baselines import baselines
from lstm_cli.training.check_text import Check
from lstm_cli.training.findings import LargestBatch, Split
from lstm_cli.training.job import Job
from lstm_cli.training.overview import parts, split_summary, target_summary
from lstm_cli.training.session import build_job, notes_of
from lstm_cli.training.starting import started_from
from lstm_cli.training.update import gradient, sequence_names


def check(config: Config) -> Check:
    """Read the data, score naive predictors, build the model and run the largest batch.

    Raises
    ------
    ConfigError, DataError
        What training would raise before the first update.
    Diverged
        The loss or the gradient of the largest batch is not finite.
    """
    searched = _searched(config)
    seen = _Seen()
    config, start = started_from(config)
    data = open_checked_data(config, look=seen, base=start.base)
    config = data.config
    use_threads(config.threads)
    job = build_job(data, start)
    train = config.train.model_copy(update={"bucket": not config.train.bucket})
    other = None if job.batches.carry_state else config.model_copy(update={"train": train})
    return Check(
        first=replace(seen.first, read=int(data.train.lengths[0])),
        columns=seen.columns,
        target=target_summary(data.schema),
        labels=label_counts(data.train),
        splits={name: _split(batches.dataset) for name, batches in job.scored.items()},
        notes=(*notes_of(job), *searched),
        baselines=tuple(baselines(job.naives, job.evaluator, job.scored)),
        model=parts(job.trainer.model),
        parameters=job.trainer.model.parameters.size,
        updates=job.length.updates,
        epochs=job.length.epochs,
        batches=job.batches.count(0),
        bucket=config.train.bucket,
        padding=job.batches.waste(),
        padding_otherwise=None if other is None else training_batches(other, data.train).waste(),
        largest=_largest(job),
    )


def _searched(config: Config) -> list[str]:
    """Return a note on what ``lstm sweep`` searches, once that is checked; none without a section `sweep`."""
    if config.sweep is None:
        return []
    keys = listed([parameter.key for parameter in space_of(config)])
    return [
        f"sweep: lstm sweep searches {keys} in {counted(config.sweep.trials, 'trial')}; the rest is the plain config"
    ]


def _split(dataset: Dataset) -> Split:
    return Split.of(dataset.lengths, split_summary(dataset))


class _Seen:
    """Looks at the training sequences while they are in original units."""

    columns: tuple[ColumnSummary, ...]
    first: FirstSequence

    def __call__(self, schema: Schema, records: Sequence[Record]) -> None:
        self.columns, self.first = summaries(schema, records), first_sequence(schema, records)


def label_counts(dataset: Dataset) -> dict[str, int]:
    """Return how often each label is a target that counts, the most frequent first; empty for numbers."""
    if dataset.schema.parts and dataset.target is not None:
        return {
            f"{name} {label}": count
            for name, part in dataset.views().items()
            for label, count in label_counts(part).items()
        }
    task, target = dataset.schema.target, dataset.target
    if target is None or task.labels is None or task.kind == "number":
        return {}
    if dataset.weight is not None:
        target = target[dataset.weight > 0]
    if task.kind == "category":
        counts = np.bincount(target[target >= 0], minlength=task.size)
    else:
        counts = target.sum(axis=0, dtype=np.float64).astype(np.int64)
    order = np.argsort(-counts, kind="stable")
    return {str(task.labels[index]): int(counts[index]) for index in order if counts[index]}


def _largest(job: Job) -> LargestBatch:
    """Run the largest batch twice: the first call also compiles or loads functions."""
    batch = job.batches.largest()
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        _, _, problem = gradient(job, [batch])
        if problem:
            raise Diverged(
                f"the largest batch, before any update: {problem} on {sequence_names(job, [batch])}: look at the data "
                f"of these sequences" + (", at the system, or shorten rollout.steps" if job.config.rollout else "")
            )
        seconds.append(time.perf_counter() - began)
    steps, count = batch.mask.shape
    # ru_maxrss counts in kilobytes, but in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return LargestBatch(count, steps, seconds[1], seconds[0], peak)
