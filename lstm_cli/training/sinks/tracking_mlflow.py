"""MLflow: a run's curves, config, scores and report, at ``MLFLOW_TRACKING_URI`` or in a store beside the run folder.

Whatever talks to the store runs in the background, so that training never waits for it. What could not be sent is sent
with what follows, at the end, or when the run is resumed.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lstm_cli.plain_files import read_own
from lstm_cli.run.files import replace_file
from lstm_cli.run.names import TRACKED
from lstm_cli.training.events import Started
from lstm_cli.training.sinks.background import Background
from lstm_cli.training.sinks.mlflow_store import MlflowStore
from lstm_cli.training.sinks.tracker import Ending, Point, cause
from lstm_cli.typed_json import built

CONNECTING, ENDING, STOPPING = 30.0, 15.0, 5.0  # seconds to wait: for the start, the end, and the end if stopped
RETRY = 30.0  # seconds from a failure to the next attempt
T = TypeVar("T")


@dataclass(frozen=True)
class Tracked:
    """Where a run is in MLflow, as ``tracking.json`` keeps it: for the next session, and for people."""

    store: str
    run: str


class Mlflow:
    """Passes a run on to MLflow.

    Parameters
    ----------
    run
        The run folder.
    """

    title = "MLflow"

    def __init__(self, run: Path) -> None:
        self._folder, self._background = run, Background()
        self._pending: list[Point] = []  # not given to the background yet
        self._sending: list[Point] = []  # given to it; those that were sent are removed
        self._sent: Future[None] | None = None
        self._retry_at = 0.0
        self._failing = False
        self._store = self._wait(partial(MlflowStore, run.parent), CONNECTING)

    def begin(self, start: Started, points: Sequence[Point]) -> None:
        """Open the run, or that of the earlier session, and send what it lacks of the points."""
        names = list(dict.fromkeys(point.name for point in points))
        opened = partial(self._store.open, start, earlier_run(start.folder) if start.first_step else "", names)
        tracked = Tracked(self._store.shown_uri, self._wait(opened, CONNECTING))
        content = json.dumps({"mlflow": asdict(tracked)}, indent=1) + "\n"
        replace_file(start.folder / TRACKED, content.encode())
        self.log(points)

    def log(self, points: Sequence[Point]) -> str:
        """Have points sent; return a warning the first time that it has failed, else nothing."""
        self._pending += points
        warning = ""
        if self._sent is not None and self._sent.done():
            error, self._sent = self._sent.exception(), None
            if error is not None:
                self._pending[:0], self._retry_at = self._sending, time.monotonic() + RETRY
                warning = "" if self._failing else f"{cause(error)}: training continues, and it is tried again"
            self._failing = error is not None
        if self._pending and self._sent is None and time.monotonic() >= self._retry_at:
            self._sending, self._pending = self._pending, []
            self._sent = self._background.run(partial(self._store.send, self._sending))
        return warning

    def end(self, ending: Ending) -> str:
        """Send the rest, the final scores and the report; return a warning if not all of it could be sent."""

        def finish() -> None:
            try:
                self._store.send(self._sending)
                self._store.send(self._pending)
            finally:
                self._store.finish(self._folder, ending)

        try:
            self._wait(finish, ENDING if ending.status == "finished" else STOPPING)
        except Exception as error:
            return f"{cause(error)}: not all of the run is in it; what lacks is sent when the run is resumed"
        return ""

    def close(self) -> None:
        """End the thread in the background, without waiting for it."""
        self._background.close()

    def _wait(self, function: Callable[[], T], seconds: float) -> T:
        """Run a function in the background and wait for its result."""
        future: Future[Any] = self._background.run(function)
        try:
            result: T = future.result(seconds)
        except TimeoutError as error:
            if future.done():  # the function's own
                raise
            raise TimeoutError(f"no answer within {seconds:.0f} s") from error
        return result


def earlier_run(folder: Path) -> str:
    """Return the identifier of the run of an earlier session; empty if there is none, or none that can be read."""
    try:
        return built(Tracked, json.loads(read_own(folder / TRACKED))["mlflow"]).run
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""
