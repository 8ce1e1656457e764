"""Passes every event to every sink."""

from collections.abc import Iterable
from contextlib import suppress

from lstm_cli.training.events import Event, Stopped
from lstm_cli.training.sinks.sink import Sink


class EventDispatcher:
    """Passes every event to the files of the run first, and then to the other sinks.

    An error of a file ends the run at once, as on a full disk no state can be saved either. An exception of another
    sink is stored until the run has saved its state and calls `check`.

    Parameters
    ----------
    files, sinks
        In the order in which they receive an event.
    """

    def __init__(self, files: Iterable[Sink], sinks: Iterable[Sink]) -> None:
        self._files, self._sinks = list(files), list(sinks)
        self.failure: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Pass an event to every sink."""
        for sink in self._files:
            sink(event)
        self._pass(event)

    def _pass(self, event: Event) -> None:
        for sink in tuple(self._sinks):
            try:
                sink(event)
            except Exception as error:
                self._sinks = [other for other in self._sinks if other is not sink]
                self.failure = self.failure or error

    def announce(self, event: Event) -> None:
        """Pass an event on from within work that an exception would disturb; `check` raises the first of them."""
        for sink in self._files:
            try:
                sink(event)
            except Exception as error:
                self.failure = self.failure or error
        self._pass(event)

    def stopped(self, event: Stopped) -> None:
        """Pass on what ends the run, which is raised afterwards whatever a sink raises now."""
        for sink in (*self._files, *self._sinks):
            with suppress(Exception):
                sink(event)

    def check(self) -> None:
        """Raise the first exception that a sink has raised, if one has."""
        if self.failure is not None:
            raise self.failure
