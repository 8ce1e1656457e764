"""`lstm-train --check`: everything that can be checked before training starts. Writes nothing."""

import resource
import sys
import time
from collections.abc import Iterator

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Dataset, training_batches
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.engine.threads import use_threads
from lstm_cli.errors import Diverged, counted, on_lines
from lstm_cli.training.job import Job
from lstm_cli.training.overview import facts, parts
from lstm_cli.training.session import build_job, notes_on_schedule
from lstm_cli.training.update import gradient, sequence_names

BARS, BAR_WIDTH = 10, 40  # of the histogram of lengths


def check(config: Config) -> str:
    """Read the data, build the model, run the largest batch; return an overview for the user before training."""
    data = open_checked_data(config)
    use_threads(config.threads)
    job = build_job(config, data)
    lines = ["Data"]
    lines += [f"  {name:<18} {value}" for name, value in facts(job).items()]
    lines += [f"  note: {on_lines(note, indented=True)}" for note in [*data.notes, *notes_on_schedule(job)]]
    for name, batches in job.scored.items():
        lines += ["", f"Lengths in {name}", *_histogram(batches.dataset)]
    lines += ["", "Model", *_model(job)]
    lines += ["", "Batches", *_padding(config, job.batches), *_largest(job)]
    return "\n".join(lines)


def _histogram(dataset: Dataset) -> Iterator[str]:
    lengths = dataset.lengths
    counts, edges = np.histogram(lengths, bins=min(BARS, int(np.ptp(lengths)) + 1))
    for k, count in enumerate(counts):
        low, high = int(np.ceil(edges[k])), int(np.ceil(edges[k + 1])) - 1
        high = int(lengths.max()) if k == len(counts) - 1 else high
        bar = "█" * round(BAR_WIDTH * count / counts.max())
        yield f"  {f'{low:,} to {high:,}' if high > low else f'{low:,}':>16}  {bar} {count:,}"


def _model(job: Job) -> Iterator[str]:
    model = job.trainer.model
    for part in parts(model):
        yield f"  {part.name:<18} {part.description:<64} {part.parameters:>12,}"
    yield f"  {'parameters':<83} {model.parameters.size:>12,}"


def _padding(config: Config, batches: Batches) -> Iterator[str]:
    """Yield the share of padding, and what it would be with the other setting of bucketing."""
    yield f"  padding: {batches.waste():.1%} of all steps"
    if not batches.carry_state:
        train = config.train.model_copy(update={"bucket": not config.train.bucket})
        other = training_batches(config.model_copy(update={"train": train}), batches.dataset)
        yield f"  with train.bucket: {str(other.bucket).lower()} it would be {other.waste():.1%}"


def _largest(job: Job) -> Iterator[str]:
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
    taken = f"{seconds[1] * 1e3:,.1f} ms (the first call {seconds[0]:.1f} s)"
    yield f"  largest: {counted(count, 'sequence')} of up to {counted(steps, 'step')}, {taken}"
    yield f"  memory at that point: {peak:,.0f} MB"
