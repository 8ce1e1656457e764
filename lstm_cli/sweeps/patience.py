"""Waiting for a database that is away: calls are repeated, with growing pauses, until it is back."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from lstm_cli.errors import DiskError, duration

LONGEST = 600.0  # seconds for which a database may be away
FIRST, LARGEST = 0.2, 5.0  # seconds between two tries

T = TypeVar("T")


class Patience:
    """Repeats what fails because a database is away.

    Parameters
    ----------
    away
        Says of an exception whether it means that; returns the reason, or None for all else.
    note
        Called with what is to be shown.
    stop
        Called between two tries; raises to give up.
    """

    def __init__(
        self,
        away: Callable[[BaseException], str | None],
        note: Callable[[str], None] = lambda text: None,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._away, self._note, self._stop = away, note, stop
        self._since = 0.0
        self._back_at: float | None = None

    def __call__(self, function: Callable[..., T], *given: Any, **options: Any) -> T:
        """Return what a function returns, as soon as the database is there.

        Raises
        ------
        DiskError
            It was away for too long.
        """
        pause = FIRST
        while True:
            try:
                found = function(*given, **options)
            except Exception as error:
                if (reason := self._away(error)) is None:
                    raise
                self._wait(reason, pause)
                pause = min(2 * pause, LARGEST)
            else:
                if self._since:
                    self._back_at = time.monotonic()
                    self._note(f"the database is back, after {duration(self._back_at - self._since)}")
                    self._since = 0.0
                return found

    def was_away_within(self, seconds: float) -> bool:
        """Return whether the database was away at some time within the last seconds."""
        return self._back_at is not None and time.monotonic() - self._back_at < seconds

    def _wait(self, reason: str, pause: float) -> None:
        now = time.monotonic()
        if not self._since:
            self._since = now
            self._note(f"the database is away ({reason}): waiting for it; trainings continue meanwhile")
        elif now - self._since > LONGEST:
            what = f"the database was away for {duration(LONGEST)} ({reason})"
            raise DiskError(f"{what}: every trial has saved its state; the same command continues")
        end = now + pause
        while time.monotonic() < end:
            self._stop()
            time.sleep(min(0.1, pause))
