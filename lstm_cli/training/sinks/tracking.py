"""`track:`: the curves, config, scores and report of a run in programs that show many runs, TensorBoard and MLflow.

A tracker never ends a run: what it cannot do becomes a warning. Only what is wrong before the training begins, such as
a package that is not installed or a server that does not answer, is an error.
"""

import importlib.util
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.errors import ConfigError, listed
from lstm_cli.run.metrics_log import best_entry
from lstm_cli.training.events import Evaluated, Event, Finished, Note, Started, Stopped
from lstm_cli.training.sinks.metrics_file import entry
from lstm_cli.training.sinks.tracker import OF_TRAINING, Ending, Point, Tracker, cause

INSTALL = "pip install 'lstm-cli[track]', or in a clone pip install '.[track]'"
_FIX = {
    "tensorboard": "or leave tensorboard out of track",
    "mlflow": "check the server and MLFLOW_TRACKING_URI, or leave mlflow out of track",
}
#: The modules of each program.
NEEDED = {"tensorboard": ("tensorboard",), "mlflow": ("mlflow", "sqlalchemy", "alembic")}
_NO_CURVE = ("step", "split", "seconds", "streams")


class Tracking:
    """The sink that passes a run on to trackers.

    Parameters
    ----------
    trackers
        Those that the config names.
    """

    def __init__(self, trackers: Iterable[Tracker]) -> None:
        self._trackers = list(trackers)
        self._note: Callable[[Note], object] = lambda note: None
        self._entries: list[Mapping[str, Any]] = []
        self._monitor = ""

    def warn_by(self, note: Callable[[Note], object]) -> None:
        """Pass warnings to `note` from now on."""
        self._note = note

    def __call__(self, event: Event) -> None:
        """Handle one event; raise a `ConfigError` if a tracker cannot open the run."""
        match event:
            case Started():
                self._entries, self._monitor = list(event.earlier), event.monitor
                points = list(_points(event.earlier, time.time()))
                for tracker in self._trackers:
                    _begin(tracker, event, points)
            case Evaluated():
                self._entries.append(entry(event))
                points = list(points_of(self._entries[-1], time.time()))
                self._each(lambda tracker: tracker.log(points))
            case Finished():
                ending = Ending("finished", "", self._scores())
                self._each(lambda tracker: tracker.end(ending))
            case Stopped():
                ending = Ending("failed" if event.failed else "stopped", event.reason, self._scores())
                self._each(lambda tracker: tracker.end(ending))

    def close(self) -> None:
        """Release what the trackers hold open."""
        for tracker in self._trackers:
            with suppress(Exception):
                tracker.close()
        self._trackers.clear()

    def _each(self, act: Callable[[Tracker], str]) -> None:
        """Do something with every tracker, and pass on its warning; leave out from now on those that fail."""
        for tracker in tuple(self._trackers):
            try:
                warning = act(tracker)
            except Exception as error:
                self._trackers.remove(tracker)
                warning = f"{cause(error)}: what follows is not in it"
            if warning:
                self._note(Note(f"{tracker.title}: {warning}", warning=True))

    def _scores(self) -> dict[str, float]:
        """Return the scores of the best state so far: on the data that chose it, and on the test data."""
        best = best_entry(self._monitor, self._entries)
        if best is None:
            return {}
        tested = [entry for entry in self._entries if entry["split"] == "test"]
        chosen = [point for found in (best, *tested[-1:]) for point in points_of(found, 0.0)]
        scores = {f"best/{point.name}": point.value for point in chosen if not point.name.startswith("train/")}
        return {**scores, "best/step": best["step"], "best/epoch": best["epoch"]}


def connected(config: Config, folder: Path) -> Tracking:
    """Return the sink for the trackers that a config names, if any, each of them found to be at work.

    Raises
    ------
    ConfigError
        A package is not installed, a server does not answer, or what lies in a tracker's place is not its own.
    """
    for name in config.track:
        if missing := [module for module in NEEDED[name] if importlib.util.find_spec(module) is None]:
            raise config.error("track", f"{name} needs packages that are not installed ({listed(missing)}): {INSTALL}")
    made: list[Tracker] = []
    for name in config.track:
        try:
            made.append(_tracker(name, folder))
        except Exception as error:
            raise config.error("track", f"{cause(error)}: {_FIX[name]}") from error
    return Tracking(made)


def _tracker(name: str, folder: Path) -> Tracker:
    """Return a tracker; its module imports its program, which takes a second."""
    if name == "tensorboard":
        from lstm_cli.training.sinks.tracking_tensorboard import TensorBoard

        return TensorBoard(folder)
    from lstm_cli.training.sinks.tracking_mlflow import Mlflow

    return Mlflow(folder)


def points_of(found: Mapping[str, Any], now: float) -> Iterator[Point]:
    """Yield the points of an evaluation, as in ``metrics.jsonl``, that ends at the time `now`."""
    for name, value in found.items():
        if name not in _NO_CURVE and value is not None:
            of_training = OF_TRAINING.get(name)
            if of_training is None or found["split"] != "test":  # the score of the best state says nothing of training
                yield Point(of_training or f"{found['split']}/{name}", found["step"], float(value), now)


def _points(entries: Sequence[Mapping[str, Any]], now: float) -> Iterator[Point]:
    """Yield the points of a run's earlier sessions, which ended at the time `now` at the latest."""
    last = max((found.get("seconds") or 0.0 for found in entries), default=0.0)
    for found in entries:
        yield from points_of(found, now - (last - (found.get("seconds") or 0.0)))


def _begin(tracker: Tracker, start: Started, points: Sequence[Point]) -> None:
    try:
        tracker.begin(start, points)
    except Exception as error:
        raise ConfigError(f"track: {tracker.title}: {cause(error)}: {_FIX[tracker.title.lower()]}") from error
