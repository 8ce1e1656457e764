"""Runs a sweep: as many trials at a time as there are cores for, until there are enough or the time is over."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import with_overrides
from lstm_cli.config.space import Parameter, overrides_of, space_of
from lstm_cli.config.sweep import without_passwords
from lstm_cli.errors import ConfigError, LstmError, on_one_line
from lstm_cli.run.lock import is_held
from lstm_cli.run.metrics_log import best_entry, monitored, read_entries
from lstm_cli.run.names import METRICS
from lstm_cli.run.sweep import trial_name, trial_number
from lstm_cli.signals import Signals
from lstm_cli.sweeps.events import Began, Closed, Noted, SweepEvent, Swept
from lstm_cli.sweeps.folder import SweepFolder
from lstm_cli.sweeps.page import write_page
from lstm_cli.sweeps.storage import check_installed
from lstm_cli.sweeps.study import Study, study_name
from lstm_cli.sweeps.trials import Trial
from lstm_cli.training.members.plan import train_command
from lstm_cli.training.members.processes import Advanced, Ended, Processes, Said, Scored

ASK_AGAIN = 5.0  # seconds until a study is asked again that had no trial
HOPELESS = 3  # trials that fail before anything was trained, after which no further one is tried
WAIT = 120.0  # seconds for which the run of a trial may still be held by the process of a killed worker


Listener = Callable[[SweepEvent, "Sweep"], None]


class SweepFailed(LstmError):
    """No trial was trained; the exit code is that of the first."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def sweep(
    config: Config,
    given: str,
    overrides: Sequence[str],
    listener: Listener,
    *,
    folder: Path | None = None,
    workers: int | None = None,
) -> Swept:
    """Search the space of a config, or continue a search.

    Parameters
    ----------
    config
        The config.
    given
        Its file as typed.
    overrides
        ``KEY=VALUE`` of the command line.
    listener
        Called with what happens.
    folder
        Of the sweep, by default ``runs/NAME-sweep``.
    workers
        In place of `sweep.workers`.

    Raises
    ------
    ConfigError
        There is nothing to search, or something wrong in it, or a library is missing.
    SweepFailed
        No trial was trained.
    Interrupted
        A signal came; every trial has saved its state.
    """
    space = space_of(config)
    spec = config.sweep
    if spec is None:
        raise AssertionError(space)
    check_installed(spec)
    place = Path("runs") / f"{config.source.name}-sweep" if folder is None else folder
    described = {
        "study": study_name(config),
        "storage": spec.storage and without_passwords(spec.storage),
        "monitor": config.train.monitor,
    }
    own = SweepFolder.open(place, described)
    count = workers or (spec.workers if spec.workers != "auto" else spec.trials)
    with own.working():
        made = Sweep(
            config, space, own, given, [key for key in overrides if key.partition(".")[0] != "sweep"], listener
        )
        return made.run(count)


@dataclass
class _Training:
    """A trial that is being trained: what it was stopped for, and whether it has made an update."""

    trial: Trial
    stopped: str = ""
    began: bool = False
    said: list[str] = field(default_factory=list)


class Sweep:
    """A sweep that runs in this process.

    Parameters
    ----------
    config, space, folder, given, overrides
        As in `sweep`; of the overrides those of the section `sweep` are left out.
    listener
        Called with what happens.
    """

    def __init__(
        self,
        config: Config,
        space: Sequence[Parameter],
        folder: SweepFolder,
        given: str,
        overrides: Sequence[str],
        listener: Listener,
    ) -> None:
        self._config, self._space, self._folder = config, space, folder
        self._given, self._overrides, self._listener = given, overrides, listener
        self._signals = Signals()
        self.study = Study(config, space, folder, lambda text: self._tell(Noted(text)), self._stop_waiting)
        self.trials = config.sweep.trials if config.sweep else 0
        self.monitor = config.train.monitor
        self.together = 0
        self._training: dict[str, _Training] = {}
        self._hopeless: list[tuple[str, int]] = []
        self._alone = True
        self._stopping = ""
        self._asked_at = -ASK_AGAIN

    def run(self, count: int) -> Swept:
        """Train trials, `count` at a time."""
        limit = self._config.sweep.time.count if self._config.sweep and self._config.sweep.time else None
        end = None if limit is None else time.monotonic() + limit
        with self._signals, Processes(min(count, self.trials)) as processes:
            self.together = processes.together
            while True:
                self._start(processes)
                if not processes.running:
                    break
                for event in processes.events():
                    self._notice(event, processes)
                    self._tell(event)
                if self._signals.received is not None:
                    self._stop(processes, "signal", self._signals.received)
                elif end is not None and time.monotonic() > end:
                    self._stop(processes, "time", signal.SIGTERM)
                self.study.beat()
            self._publish(done=True)
            if self._signals.received is not None:
                raise self._signals.interrupted("after every trial had saved its state; the same command continues")
        return self._swept()

    def _swept(self) -> Swept:
        best = self.study.best()
        if best is None:
            self._raise_hopeless()
            failed = [trial for trial in self.study.found() if trial.state == "failed"]
            why = f": {trial_name(failed[0].number)}: {failed[0].reason}" if failed else ""
            if self._stopping == "time":
                why = ": the time was over before one was; the same command continues"
            raise SweepFailed(f"{on_one_line(self._folder.path)}: no trial was trained to its end{why}", 1)
        stopped = "the time is over: the same command continues" if self._stopping == "time" else ""
        return Swept(self._folder.path, self.study.found(), best, stopped)

    def _start(self, processes: Processes) -> None:
        """Start trials on cores that are free; the first one alone until its first update, as it compiles."""
        while processes.free and not self._stopping and len(self._hopeless) < HOPELESS:
            if self._alone and processes.running:
                return
            if processes.running and time.monotonic() - self._asked_at < ASK_AGAIN:
                return
            trial = self.study.next()
            if trial is None:
                self._asked_at = time.monotonic()
                return
            self._begin(trial, processes)

    def _begin(self, trial: Trial, processes: Processes) -> None:
        name, keys = trial_name(trial.number), overrides_of(self._config, trial.values)
        self._tell(Began(trial))
        self._training[name] = _Training(trial)
        try:
            with_overrides(self._config, keys)
        except ConfigError as error:
            self._training[name].said.append(str(error).removeprefix("command line: "))
            self._ended(name, error.exit_code)
            return
        run = self._folder.path / name
        self._wait_for(run)

        def command(events: int, threads: int | None) -> list[str]:
            more = [] if threads is None or self._config.threads != "auto" else [f"threads={threads}"]
            return train_command(self._given, [*self._overrides, *keys, *more], run, events, "--resume=auto")

        processes.start(name, command, self._config.source.text if self._given == "-" else None)

    def _wait_for(self, run: Path) -> None:
        """Wait until the process of a worker that was killed has left a run: it ends when it next reports."""
        end = time.monotonic() + WAIT
        while is_held(run) and time.monotonic() < end and self._signals.received is None:
            time.sleep(0.1)

    def _notice(self, event: SweepEvent, processes: Processes) -> None:
        match event:
            case Advanced() if event.step:
                self._training[event.member].began = True
                self._alone = False
                self._hopeless.clear()
            case Said():
                self._training[event.member].said.append(event.text)
            case Scored():
                self._report(event.member, event.entry, processes)
            case Ended():
                self._ended(event.member, event.code)

    def _report(self, name: str, entry: Any, processes: Processes) -> None:
        """Report a score to the study, and stop a trial that is worse than others were at the same point."""
        value = monitored(self.monitor, entry)
        training = self._training[name]
        if value is None or training.stopped:
            return
        by_epoch = self._config.train.evaluate_every.unit == "epoch"
        if self.study.reported(training.trial.number, entry["epoch" if by_epoch else "step"], value):
            training.stopped = "pruned"
            processes.signal(signal.SIGTERM, name)

    def _stop(self, processes: Processes, why: str, number: int) -> None:
        """Stop all trials, once."""
        if self._stopping:
            return
        self._stopping = why
        for training in self._training.values():
            training.stopped = training.stopped or why
        processes.signal(number)

    def _ended(self, name: str, code: int) -> None:
        """Record what became of a trial."""
        training = self._training.pop(name)
        number = trial_number(name)
        if code in (0, -signal.SIGTERM, 128 + signal.SIGTERM) and (not code or training.stopped == "pruned"):
            best = best_entry(self.monitor, read_entries(self._folder.run(number) / METRICS))
            if best is None:
                self.study.fail(number, f"no evaluation has {self.monitor}")
            else:
                at = {key: best[key] for key in ("epoch", "step")}
                self.study.finish(number, monitored(self.monitor, best) or 0.0, at, pruned=bool(code))
        elif training.stopped in ("time", "signal"):
            self.study.leave(number)
        else:
            reason = training.said[-1] if training.said else _ending(code)
            if self._alone:
                self._hopeless.append((reason, code))
            self.study.fail(number, reason, counted=not self._alone)
        self._asked_at = -ASK_AGAIN
        found = next((trial for trial in self.study.found() if trial.number == number), None)
        self._tell(Closed(name, found))
        self._publish()

    def _publish(self, *, done: bool = False) -> None:
        """Write the page, and link the best run of this folder."""
        found = self.study.found()
        best = self.study.best(own=True)
        if best is not None:
            self._folder.link(best.number)
        matters = self.study.importance() if done else {}
        write_page(self._folder.path, self._config, self._space, found, matters, training=not done)

    def _raise_hopeless(self) -> None:
        if self._hopeless:
            reason, code = self._hopeless[0]
            count = len(self._hopeless)
            what = "the first trial failed" if count == 1 else f"the first {count} trials failed"
            shown = on_one_line(self._folder.path)
            raise SweepFailed(f"{shown}: {what} before an update: {reason}", code if code > 0 else 1)

    def _stop_waiting(self) -> None:
        """End the wait for a database on a signal: every trial saves its state."""
        if self._signals.received is not None:
            raise self._signals.interrupted("while the database was away; the same command continues")

    def _tell(self, event: SweepEvent) -> None:
        self._listener(event, self)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
