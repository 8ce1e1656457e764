"""What every sink is."""

from typing import Protocol

from lstm_cli.training.events import Event


class Sink(Protocol):
    """Takes the events of a run in their order, and is closed once, whether the run ended well or not."""

    def __call__(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Finish what is written; no event follows."""
