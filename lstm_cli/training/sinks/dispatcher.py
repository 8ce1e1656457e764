"""Every event to every sink."""

from collections.abc import Iterable

from lstm_cli.training.events import Event
from lstm_cli.training.sinks.sink import Sink


class EventDispatcher:
    """Hands every event to the files of the run first, and then to the other sinks.

    An error of a file ends the run at once, as on a full disk no state can be saved either. An exception of another
    sink is kept until the run has saved its state and asks for it with `check`.

    Parameters
    ----------
    files, sinks
        In the order in which they get an event.
    """

    def __init__(self, files: Iterable[Sink], sinks: Iterable[Sink]) -> None:
        self._files, self._sinks = list(files), list(sinks)
        self.failure: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Pass an event to every sink."""
        for sink in self._files:
            sink(event)
        for sink in tuple(self._sinks):
            try:
                sink(event)
            except Exception as error:
                self._sinks = [other for other in self._sinks if other is not sink]
                self.failure = self.failure or error

    def check(self) -> None:
        """Raise the first exception that a sink has raised, if one has."""
        if self.failure is not None:
            raise self.failure
