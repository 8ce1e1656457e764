"""The interface of a sink."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from lstm_cli.training.events import Event


class Sink(Protocol):
    """Receives the events of a run in order: the console is one, and users add their own.

    An event has already happened: the state after it is complete, and its lines in ``metrics.jsonl`` and ``train.log``
    are written. A sink is called from the training loop, which waits for it, and does not change the run.

    A sink that raises an exception ends the run, but loses nothing: the other sinks still receive the event, the state
    is saved in ``last/`` (in ``best/`` too if the score is the best so far), and then the exception is raised; with
    ``resume`` the run continues as if it had not stopped. The sink itself receives no further event. Exceptions not
    derived from `Exception`, such as `KeyboardInterrupt` or `SystemExit`, end the run at once at its last checkpoint.

    A run that has started and ends before its training is complete passes on `Stopped`, which says what stopped it;
    whatever a sink raises then is not raised.

    Examples
    --------
    >>> class Losses:
    ...     def __init__(self) -> None:
    ...         self.values: list[float] = []
    ...
    ...     def __call__(self, event: Event) -> None:
    ...         if isinstance(event, StepDone):
    ...             self.values.append(event.loss)
    ...
    ...     def close(self) -> None:
    ...         pass
    >>> losses = Losses()
    >>> lstm_cli.train("configs/quickstart.yaml", sinks=[losses])
    """

    def __call__(self, event: Event) -> None:
        """Handle one event."""

    def close(self) -> None:
        """Finish writing. Called once, even if the run is refused, fails or is interrupted; no event follows."""


@contextmanager
def closed_at_end(sink: Sink) -> Iterator[None]:
    """Close a sink at the end of a block; an error on the way is raised, whatever closing raises then."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            sink.close()
        raise
    sink.close()
