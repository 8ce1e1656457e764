"""What a run does with the loop's events: it tells them to the sinks and keeps the states in checkpoints."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lstm_cli.data import Data, evaluation_batches, save_schema
from lstm_cli.errors import DataError, Diverged
from lstm_cli.run import checkpoint
from lstm_cli.run.compatibility import check_identity, environment, identity
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.metrics_log import trim_metrics
from lstm_cli.run.names import BEST, CONFIG, DYNAMICS, ENVIRONMENT, LAST, LOG, METRICS, REPORT, RESOLVED
from lstm_cli.signals import Signals
from lstm_cli.training.events import CheckpointWritten, EpochDone, Evaluated, Event, Finished, Note, Result, StepDone
from lstm_cli.training.horizon import rolled
from lstm_cli.training.loop import Job, evaluate, train
from lstm_cli.training.metrics import DIRECTIONS
from lstm_cli.training.overview import splits, started
from lstm_cli.training.session import notes_on_schedule, restore, restore_weights, state_of
from lstm_cli.training.sinks import MetricsFile, Report, Sink, console, open_log


def run_training(
    run: RunFolder,
    job: Job,
    data: Data,
    signals: Signals,
    *,
    resume: bool,
    changes: Sequence[str] = (),
    verbosity: int = 0,
) -> Result:
    """Train to the end, from where the run stopped if it is resumed.

    Parameters
    ----------
    run : RunFolder
    job : Job
        At its start.
    data : Data
    signals : Signals
        What asks the run to stop.
    resume : bool
    changes : sequence of str
        What has changed since the run was started.
    verbosity : int
    """
    digests = {name: dataset.digest() for name, dataset in splits(data) if name != "test"}
    notes = [*map(Note, changes), *_prepare(run, job, data, digests, resume=resume)]
    with ExitStack() as stack:
        entries = trim_metrics(run.path / METRICS, job.progress.evaluated_step)
        tell = EventDispatcher(run.path, entries, verbosity, stack)
        for event in (*notes, started(run.path, job, data)):
            tell(event)
        result = _result_so_far(run.path, job.progress.best_step, entries)
        return CheckpointingRun(run, job, identity(run.path, digests), signals, tell, result).work(data)


def _prepare(run: RunFolder, job: Job, data: Data, digests: dict[str, str], *, resume: bool) -> list[Note]:
    """Bring the job to where the run stopped, if it did, and write down what the run is; return what to tell."""
    found = checkpoint.load_newest(run.path) if resume else None
    notes = [Note(text) for text in [*data.notes, *notes_on_schedule(job)]]
    notes += [Note(text, warning=True) for text in run.warnings]
    if found is not None:
        versions = check_identity(found.state.identity, run.path, digests)
        notes += [Note(f"other versions than before: {change}", warning=True) for change in versions]
        notes += [Note(found.warning, warning=True)] * bool(found.warning)
        restore(job, found.state)
    run.write(CONFIG, job.config.source.text)
    run.write(RESOLVED, job.config.to_yaml())
    _keep_code(run, job, resumed=found is not None)
    if found is None:
        run.write_schema(partial(save_schema, data.schema))
        run.write(ENVIRONMENT, _json(environment(job.config.seed)))
    return notes


def _keep_code(run: RunFolder, job: Job, *, resumed: bool) -> None:
    """Keep the code of the system that is driven beside the weights, or refuse to go on with another one."""
    if job.code is None:
        return
    path = run.path / DYNAMICS
    if resumed and path.read_bytes() != job.code.text.encode():
        raise DataError(
            f"{run.path}: cannot be resumed, as {job.code.path} has changed since the run was started ({path} is as it "
            f"was): put it back, or start a new run with -o"
        )
    run.write(DYNAMICS, job.code.text)


def _result_so_far(folder: Path, step: int, entries: Sequence[Mapping[str, Any]]) -> Result:
    """Return what the sessions before came to: the scores of the best state, taken at that step."""
    return Result(folder, step, {entry["split"]: _scores(entry) for entry in entries if entry["step"] == step})


def _scores(entry: Mapping[str, Any]) -> dict[str, float]:
    """Return the loss and the metrics of an evaluation."""
    return {name: value for name, value in entry.items() if name in DIRECTIONS}


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


class EventDispatcher:
    """Hands every event to the console, train.log, metrics.jsonl and the report."""

    def __init__(self, path: Path, entries: list[dict[str, Any]], verbosity: int, stack: ExitStack) -> None:
        self._sinks: list[Sink] = [
            MetricsFile(path / METRICS),
            open_log(path / LOG),
            Report(path / REPORT, entries),
            console(sys.stderr, verbosity),
        ]
        for sink in self._sinks:
            stack.callback(sink.close)

    def __call__(self, event: Event) -> None:
        """Pass an event to every sink."""
        for sink in self._sinks:
            sink(event)


@dataclass
class CheckpointingRun:
    """Runs the loop and keeps its states: the best when the score improves, the last as often as asked."""

    run: RunFolder
    job: Job
    identity: dict[str, Any]
    signals: Signals
    tell: EventDispatcher
    result: Result
    saved_at: float = field(default_factory=time.monotonic)

    def work(self, data: Data) -> Result:
        """Train to the end, then score the best state on the test data; if it diverges, say where a good state is."""
        try:
            for event in self._events():
                self._take(event, data)
        except Diverged as error:
            found = checkpoint.load_newest(self.run.path)
            good = "none was written yet" if found is None else f"{found.folder}, step {found.state.position['step']}"
            raise Diverged(f"{error}. Last good state: {good}") from None
        return self.result

    def _events(self) -> Iterator[Event]:
        """Yield the loop's events; up to the first step nothing is to be saved, and much is loaded and compiled."""
        events, event = train(self.job), None
        while not isinstance(event, StepDone | Note | Finished):
            with self.signals.at_once():
                event = next(events)
            yield event
        yield from events

    def _take(self, event: Event, data: Data) -> None:
        """Tell an event, and save what it calls for. At a signal the state is saved and the run is over."""
        if not isinstance(event, Finished):
            self.tell(event)
        if isinstance(event, Evaluated):
            self._note_scores(event)
            if event.improved:
                self._save(BEST)
        if self.signals.received:
            self._save(LAST)
            raise self.signals.interrupted(self._progress)
        if isinstance(event, Finished) or self._due(event):
            self._save(LAST)
        if isinstance(event, Finished):
            self._test(data)
            self._show_loop(data)
            self.tell(event)

    @property
    def _progress(self) -> str:
        return f"after step {self.job.progress.step}; continue with --resume"

    def _due(self, event: Event) -> bool:
        every = self.job.config.train.checkpoint_every
        match event:
            case EpochDone(epoch=epoch) if every.unit == "epoch":
                return epoch % every.count == 0
            case StepDone(step=step) if every.unit == "steps":
                return step % every.count == 0
            case StepDone() if every.unit == "seconds":
                return time.monotonic() - self.saved_at >= every.count
        return False

    def _save(self, kind: str) -> None:
        path = self.run.path / kind
        checkpoint.save(state_of(self.job, self.identity), path)
        self.tell(CheckpointWritten(step=self.job.progress.step, path=path, kind=kind))
        if kind == LAST:
            self.saved_at = time.monotonic()

    def _note_scores(self, event: Evaluated) -> None:
        if event.improved or event.split == "test":
            self.result.scores[event.split] = _scores({"loss": event.loss, **event.metrics})
            self.result.best_step = event.step

    def _show_loop(self, data: Data) -> None:
        """Show how a closed loop goes with the best weights."""
        if self.job.config.rollout is None:
            return
        restore_weights(self.job.trainer.model, checkpoint.load(self.run.best))
        with self.signals.at_once(self._progress):
            event = rolled(self.job.config, self.job.evaluator, data)
        self.tell(event)

    def _test(self, data: Data) -> None:
        """Score the best state on the test data."""
        job, progress = self.job, self.job.progress
        if data.test is None:
            return
        restore_weights(job.trainer.model, checkpoint.load(self.run.best))
        batches = evaluation_batches(job.config, data.test)
        with self.signals.at_once(self._progress):
            loss, metrics = evaluate(job.evaluator, batches)
        event = Evaluated(progress.best_step, progress.epoch, "test", progress.seconds, loss, metrics)
        self.tell(event)
        self._note_scores(event)
