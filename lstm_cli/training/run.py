"""A training run from config to run folder: what the loop yields is told to the sinks and kept in checkpoints."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lstm_cli import checkpoint
from lstm_cli.errors import ConfigError, Diverged
from lstm_cli.identity import check_identity, compare_configs, environment, identity
from lstm_cli.runfolder import CONFIG, ENVIRONMENT, RESOLVED, RunFolder
from lstm_cli.sequences import Data, open_data
from lstm_cli.sequences.batches import evaluation_batches
from lstm_cli.signals import Signals
from lstm_cli.training.events import CheckpointWritten, EpochDone, Evaluated, Event, Finished, Note, StepDone
from lstm_cli.training.loop import Job, evaluate, train
from lstm_cli.training.overview import started
from lstm_cli.training.session import build_job, restore, restore_weights, state_of, use_threads
from lstm_cli.training.sinks import MetricsFile, Report, Sink, console, open_log, trim_metrics


@dataclass
class Result:
    """What a run came to: its folder, the step of its best state, and the scores of that state by split."""

    folder: Path
    best_step: int = 0
    scores: dict[str, dict[str, float]] = field(default_factory=dict)


def train_run(
    config: Any, folder: Path, *, resume: bool = False, overwrite: bool = False, verbosity: int = 0
) -> Result:
    """Train the model of a config into a run folder.

    Parameters
    ----------
    config : Config
    folder : Path
        The run folder: a new one, or with `resume` that of a run to continue exactly where it stopped.
    resume, overwrite : bool
        Continue the run in the folder; replace it.
    verbosity : int
        -1 quiet, 0 normal, 1 verbose.

    Raises
    ------
    ConfigError, DataError, CheckpointError, DiskError, RunBusy, Diverged, Interrupted
    """
    with ExitStack() as stack:
        run = stack.enter_context(RunFolder.resume(folder) if resume else RunFolder.create(folder, overwrite=overwrite))
        signals = stack.enter_context(Signals())
        with signals.at_once():
            notes = _check_changes(run, config) if resume else []
            data = open_data(config)
            use_threads(config.threads)
            job = build_job(config, data)
        notes += _prepare(run, job, data, resume=resume)
        entries = trim_metrics(run.path / "metrics.jsonl", job.progress.evaluated_step)
        tell = _Tell(run, entries, verbosity, stack)
        for note in notes:
            tell(note)
        tell(started(run.path, job, data))
        return _Keeper(run, job, signals, tell).work(data)


def _check_changes(run: RunFolder, config: Any) -> list[Note]:
    """Compare the config with the one that the run was started with; return what has changed and may."""
    resolved = run.path / RESOLVED
    if not resolved.is_file():
        return []
    old, new = (yaml.safe_load(text) for text in (resolved.read_text(), config.to_yaml()))
    changes = compare_configs(old, new)
    if changes.refused:
        listing = "\n".join(f"  {change}" for change in changes.refused)
        raise ConfigError(
            f"{run.path}: cannot be resumed with another model, other data or another seed:\n{listing}\n"
            f"give these keys their old values, or start a new run with -o"
        )
    return [Note(f"changed since the run was started: {change}") for change in changes.allowed]


def _prepare(run: RunFolder, job: Job, data: Data, *, resume: bool) -> list[Note]:
    """Bring the job to where the run stopped, if it did, and write down what the run is; return what to tell."""
    found = checkpoint.load_newest(run.path) if resume else None
    notes = [Note(text) for text in data.notes]
    notes += [Note(run.warning, warning=True)] * bool(run.warning)
    if found is not None:
        versions = check_identity(found.state.identity, run.path)
        notes += [Note(f"other versions than before: {change}", warning=True) for change in versions]
        notes += [Note(found.warning, warning=True)] * bool(found.warning)
        restore(job, found.state)
    run.write(CONFIG, job.config.source.text)
    run.write(RESOLVED, job.config.to_yaml())
    if found is None:
        run.write_schema(data.schema.save)
        run.write(ENVIRONMENT, _json(environment(job.config.seed)))
    return notes


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


class _Tell:
    """Hands every event to the console, train.log, metrics.jsonl and the report."""

    def __init__(self, run: RunFolder, entries: list[dict[str, Any]], verbosity: int, stack: ExitStack) -> None:
        path = run.path
        self._sinks: list[Sink] = [
            MetricsFile(path / "metrics.jsonl"),
            open_log(path / "train.log"),
            Report(path / "report.html", entries),
            console(sys.stderr, verbosity),
        ]
        for sink in self._sinks:
            stack.callback(sink.close)

    def __call__(self, event: Event) -> None:
        for sink in self._sinks:
            sink(event)


class _Keeper:
    """Runs the loop and keeps its states: the best when the score improves, the last as often as asked."""

    def __init__(self, run: RunFolder, job: Job, signals: Signals, tell: _Tell) -> None:
        self._run, self._job, self._signals, self._tell = run, job, signals, tell
        self._identity = identity(run.path)
        self._saved_at = time.monotonic()
        self._result = Result(run.path)

    def work(self, data: Data) -> Result:
        """Train to the end, then score the best state on the test data."""
        for event in self._events():
            if not isinstance(event, Finished):
                self._tell(event)
            if isinstance(event, Evaluated):
                self._note_scores(event)
            if isinstance(event, Evaluated) and event.improved:
                self._save("best")
            if self._signals.received:
                self._save("last")
                raise self._signals.interrupted(f"after step {self._job.progress.step}; continue with --resume")
            if isinstance(event, Finished) or self._due(event):
                self._save("last")
            if isinstance(event, Finished):
                self._test(data)
                self._tell(event)
        return self._result

    def _events(self) -> Iterator[Event]:
        """Yield the loop's events; where it diverges, add where the last good state is."""
        try:
            yield from train(self._job)
        except Diverged as error:
            found = checkpoint.load_newest(self._run.path)
            good = "none was written yet" if found is None else f"{found.folder}, step {found.state.position['step']}"
            raise Diverged(f"{error}. Last good state: {good}") from None

    def _due(self, event: Event) -> bool:
        every = self._job.config.train.checkpoint_every
        match event:
            case EpochDone(epoch=epoch) if every.unit == "epoch":
                return epoch % every.count == 0
            case StepDone(step=step) if every.unit == "steps":
                return step % every.count == 0
            case StepDone() if every.unit == "seconds":
                return time.monotonic() - self._saved_at >= every.count
        return False

    def _save(self, kind: str) -> None:
        path = self._run.path / kind
        checkpoint.save(state_of(self._job, self._identity), path)
        self._tell(CheckpointWritten(step=self._job.progress.step, path=path, kind=kind))
        if kind == "last":
            self._saved_at = time.monotonic()

    def _note_scores(self, event: Evaluated) -> None:
        if event.improved or event.split == "test":
            self._result.scores[event.split] = {"loss": event.loss, **event.metrics}
            self._result.best_step = event.step

    def _test(self, data: Data) -> None:
        """Score the best state on the test data."""
        job, progress = self._job, self._job.progress
        if data.test is None:
            return
        restore_weights(job.trainer.model, checkpoint.load(self._run.best))
        batches = evaluation_batches(job.config, data.test)
        loss, metrics = evaluate(job.evaluator, batches, data.schema.target)
        event = Evaluated(progress.best_step, progress.epoch, "test", progress.seconds, loss, metrics)
        self._tell(event)
        self._note_scores(event)
