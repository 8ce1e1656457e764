"""Runs the training loop: passes its events to the sinks, and saves states as checkpoints."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from lstm_cli.config.fields import Every
from lstm_cli.config.sweep import without_passwords
from lstm_cli.data import checked_contents
from lstm_cli.engine.build import restore_weights
from lstm_cli.engine.metrics import scores_of
from lstm_cli.engine.threads import in_use
from lstm_cli.errors import CheckpointError, DiskError, Diverged, Interrupted
from lstm_cli.graph.compiling import at_compilation
from lstm_cli.run import checkpoint
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.identity import (
    check_identity,
    check_model,
    identity,
    machine_changes,
    read_checked,
)
from lstm_cli.run.metrics_log import trim_metrics
from lstm_cli.run.names import (
    BEST,
    CONFIG,
    DYNAMICS,
    ENVIRONMENT,
    LAST,
    LOG,
    METRICS,
    NAIVE,
    POSITION,
    RESOLVED,
    SCHEMA,
)
from lstm_cli.run.origin import described
from lstm_cli.scores import naives
from lstm_cli.signals import Signals
from lstm_cli.training.ending import UNEXPLAINED, stopped_by
from lstm_cli.training.events import (
    CheckpointWritten,
    Compiling,
    EpochDone,
    Evaluated,
    Event,
    Explained,
    Finished,
    Note,
    Result,
    StepDone,
    Stopped,
)
from lstm_cli.training.explaining import Scored, explain, scored
from lstm_cli.training.job import Job
from lstm_cli.training.loop import train
from lstm_cli.training.overview import started
from lstm_cli.training.ranked import compile_first, data_digests, start_alike
from lstm_cli.training.session import check_code, notes_of, restore, state_of
from lstm_cli.training.sinks import EventDispatcher, MetricsFile, Sink, log_lines
from lstm_cli.training.sinks.tracking import Tracking


def run_training(
    run: RunFolder,
    job: Job,
    signals: Signals,
    *,
    sinks: Iterable[Sink] = (),
    resume: bool,
    changes: Sequence[str] = (),
    tracking: Tracking,
) -> Result:
    """Train to the end, from where the run stopped if it is resumed.

    Parameters
    ----------
    run : RunFolder
    job : Job
        At its start.
    signals : Signals
        Requests to stop.
    sinks : iterable of Sink
        Receive the events after the files of the run. They are not closed here.
    resume : bool
    changes : sequence of str
        Changes of the config since the run was started.
    tracking : Tracking
        Receives the events after the sinks.
    """
    digests = data_digests(job)
    with job.world.agreed():
        now, notes = _prepare(run, job, digests, resume=resume)
    start_alike(job, digests)
    with ExitStack() as stack:
        earlier = trim_metrics(run.path / METRICS, job.progress.evaluated_step)
        files: list[Sink] = [MetricsFile(run.append_to(METRICS)), log_lines(run.append_to(LOG))]
        for file in files:
            stack.callback(file.close)
        dispatch = EventDispatcher(files, (*sinks, tracking))
        job.world.asked = lambda: signals.received is not None or dispatch.failure is not None
        tracking.warn_by(dispatch)
        for note in (*map(Note, changes), *notes):
            dispatch(note)
        with at_compilation(lambda: dispatch.announce(Compiling())):  # the baseline of a system runs it
            compile_first(job)
            dispatch(started(run.path, job, earlier))
        dispatch.check()
        scores = {entry["split"]: scores_of(entry) for entry in earlier if entry["step"] == job.progress.best_step}
        result = Result(run.path, job.progress.best_step, scores)
        try:
            return CheckpointingRun(run, job, now, signals, dispatch, result).work()
        except BaseException as error:
            with suppress(Exception):
                run.check()  # in a folder that is not this run's own any more nothing may be written
                failed = not isinstance(error, Interrupted | KeyboardInterrupt)
                dispatch.stopped(Stopped(job.progress.step, stopped_by(error), failed))
            raise


def _prepare(run: RunFolder, job: Job, digests: dict[str, str], *, resume: bool) -> tuple[dict[str, Any], list[Note]]:
    """Restore a resumed job to where the run stopped, and write the run's description.

    Returns
    -------
    identity, notes
        What identifies the run in its checkpoints, of the same bytes that were written or compared, and notes for the
        user.
    """
    found = checkpoint.load_newest(run.path) if resume else None
    saved = None if found is None else found.state.identity
    code = {} if job.code is None else {DYNAMICS: job.code.content}
    made = {**checked_contents(job.data.schema, job.config), **code}
    files = made if saved is None else read_checked(saved, run.path, made)
    check_code(job, run.path, files if saved else None)
    files = {RESOLVED: job.config.to_yaml().encode(), **files, **code}
    now = identity(job.config.model_dump(mode="json"), files, digests, in_use() | {"ranks": job.world.size})
    if vectors := job.vectors or (saved or {}).get("vectors"):
        now["vectors"] = vectors
    notes = [Note(text) for text in notes_of(job)]
    notes += [Note(text, warning=True) for text in run.warnings]
    if found is not None:
        versions = check_identity(found.state.identity, now, run.path)
        notes += [Note(f"other versions than before: {change}", warning=True) for change in versions]
        machine = machine_changes(found.state.identity, now, run.path)
        notes += [Note(f"the last bits of results will differ: {change}", warning=True) for change in machine]
        notes += [Note(found.warning, warning=True)] * bool(found.warning)
        restore(job, found.state, found.folder)
    run.write(CONFIG, without_passwords(job.config.source.text))
    for name, content in files.items():
        if found is None or name not in SCHEMA:
            run.write(name, content)
        else:
            run.remember(name, content)
    if (text := described(run.path, job.config, resumed=found is not None)) is not None:
        run.write(ENVIRONMENT, text)
    run.write(NAIVE, json.dumps(naives.to_json(job.naives)) + "\n")
    return now, notes


@dataclass
class CheckpointingRun:
    """Runs the training loop and saves states: the best when the score improves, the last at regular intervals."""

    run: RunFolder
    job: Job
    identity: dict[str, Any]
    signals: Signals
    dispatch: EventDispatcher
    result: Result
    saved_at: float = field(default_factory=time.monotonic)

    def work(self) -> Result:
        """Train to the end, then score the best state on the test data; if it diverges, name the last good state."""
        try:
            for event in self._events():
                self._handle(event)
        except Diverged as error:
            found = checkpoint.load_newest(self.run.path)
            good = "none was written yet" if found is None else f"{found.folder}, step {found.state.position['step']}"
            raise Diverged(f"{error}. Last good state: {good}") from None
        self.dispatch.check()
        return self.result

    def _events(self) -> Iterator[Event]:
        """Yield the training loop's events; before the first update there is nothing to save, but much to compile."""
        events = train(self.job)
        event: Event | None = None
        while not isinstance(event, StepDone | Note | Finished):
            with self.signals.at_once(), at_compilation(lambda: self.dispatch.announce(Compiling())):
                event = next(events)
            yield event
        yield from events

    def _handle(self, event: Event) -> None:
        """Dispatch an event and save a state if due. After a signal or a failed sink, the run is saved and ends."""
        if isinstance(event, Evaluated):
            self._check_folder()
            self._record_scores(event)
        if not isinstance(event, Finished):
            self.dispatch(event)
        if isinstance(event, Evaluated) and event.improved:
            self._save(BEST)
        ends = self.job.world.stopping
        if ends or isinstance(event, Finished) or self._due(event):
            self._save(LAST)
        if ends:
            self.dispatch.check()
            raise self.signals.interrupted(self._progress)
        if isinstance(event, Finished):
            self.job.world.rejoin()
            self._score_best()
            checkpoint.tidy(self.run.best)
            self.dispatch(event)

    @property
    def _progress(self) -> str:
        return f"after step {self.job.progress.step}; continue with --resume"

    def _due(self, event: Event) -> bool:
        """Return whether a checkpoint is due after an event."""
        every: Every = self.job.config.train.checkpoint_every
        match event:
            case EpochDone(epoch=epoch) if every.unit == "epoch":
                return epoch % every.count == 0
            case StepDone(step=step) if every.unit == "steps":
                return step % every.count == 0
            case StepDone() if every.unit == "seconds":
                return time.monotonic() - self.saved_at >= every.count
        return False

    def _save(self, kind: Literal["best", "last"]) -> None:
        self._check_folder()
        path = self.run.best if kind == BEST else self.run.last
        try:
            checkpoint.save(state_of(self.job, self.identity), path)
        except DiskError:
            self._check_folder()  # where the folder has just been removed, this says so
            raise
        self.dispatch(CheckpointWritten(step=self.job.progress.step, path=path, kind=kind))
        if kind == LAST:
            self.saved_at = time.monotonic()

    def _check_folder(self) -> None:
        """Before a score or a state is written, make sure that the folder is still this run's own."""
        for warning in self.run.check():
            self.dispatch(Note(warning, warning=True))

    def _record_scores(self, event: Evaluated) -> None:
        if event.improved or event.split == "test":
            self.result.scores[event.split] = scores_of({"loss": event.loss, **event.metrics})
            self.result.best_step = event.step

    def _score_best(self) -> None:
        """Score the best state on the test data, and explain what it does."""
        best = checkpoint.load(self.run.best)
        check_model(best.identity, self.identity, self.run.path)
        restore_weights(self.job.trainer.model, best)
        epoch = best.position.get("epoch")
        if type(epoch) is not int:
            raise CheckpointError(f"{self.run.best / POSITION}: damaged: epoch: expected a whole number: train again")
        self._explain(self._test(epoch) if "test" in self.job.scored else None)

    def _test(self, epoch: int) -> Scored:
        """Score the best state, whose epoch is given, on the test data."""
        progress = self.job.progress
        with self.signals.at_once(self._progress):
            tested = scored(self.job, "test")
        metrics = dict(tested.scores)
        event = Evaluated(progress.best_step, epoch, "test", progress.seconds, metrics.pop("loss"), metrics)
        self._check_folder()
        self._record_scores(event)
        self.dispatch(event)
        return tested

    def _explain(self, tested: Scored | None) -> None:
        """Pass on what the report shows of the best state. Where that fails, the run is finished all the same."""
        try:
            with self.signals.at_once(self._progress):
                explanation = explain(self.job, tested)
        except Interrupted:
            raise
        except Exception as error:
            reason = ": ".join(filter(None, (type(error).__name__, str(error))))
            self.dispatch(Note(f"{UNEXPLAINED}: {reason}", warning=True))
        else:
            self.dispatch(Explained(self.job.progress.best_step, explanation))
