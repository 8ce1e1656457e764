"""What every sink is."""

from typing import Protocol

from lstm_cli.training.events import Event


class Sink(Protocol):
    """Takes the events of a run in their order: the console is one, and users add their own.

    An event has happened already: the state after it is complete, and the lines of ``metrics.jsonl`` and ``train.log``
    that it causes are written. A sink is called from the training loop, which waits for it, and does not change the
    run.

    A sink that raises an exception ends the run, but loses nothing: the other sinks still get the event, the state is
    saved in ``last/`` (in ``best/`` too if the score is the best so far), and then the exception is raised; with
    ``resume`` the run continues as if it had not stopped. The sink itself gets no further event. What is no
    `Exception`, as `KeyboardInterrupt` or `SystemExit`, ends the run at once at its last checkpoint.

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
        """Take one event."""

    def close(self) -> None:
        """Finish what is written. Called once, also where the run failed or never began; no event follows."""
