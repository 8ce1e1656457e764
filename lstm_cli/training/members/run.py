"""Trains the members of an ensemble or a cross-validation, as many at a time as there are cores for.

The first one trains alone until its first update, so that what is wrong with the data is said once and kernels are
compiled once.
"""

from collections.abc import Iterator
from functools import partial

from lstm_cli.signals import Signals
from lstm_cli.training.members.plan import Plan
from lstm_cli.training.members.processes import Advanced, Ended, MemberEvent, Processes


class Training:
    """The trainings of a plan; iterating over it runs them.

    Parameters
    ----------
    plan
        Which.
    signals
        The first signal is passed on to all that run, and no other one is started.
    """

    def __init__(self, plan: Plan, signals: Signals) -> None:
        self._plan, self._signals = plan, signals
        self._processes = Processes(len(plan.members))
        self._waiting = list(plan.members)
        self._alone = True
        self._passed_on = False
        self.codes: dict[str, int] = {}

    @property
    def together(self) -> int:
        """How many members train at a time."""
        return self._processes.together

    def __iter__(self) -> Iterator[MemberEvent]:
        """Yield what happens, until all have ended; members that still run at an exception are stopped."""
        with self._processes as processes:
            while True:
                self._start_next()
                if not processes.running:
                    return
                for event in processes.events():
                    self._notice(event)
                    yield event
                self._pass_signal_on()

    def _start_next(self) -> None:
        """Start members on processors that are free."""
        text = self._plan.config.source.text if self._plan.given == "-" else None
        while self._waiting and not self._passed_on and self._processes.free:
            if self._alone and self._processes.running:
                return
            member = self._waiting.pop(0)
            self._processes.start(member.name, partial(self._plan.command, member), text)

    def _notice(self, event: MemberEvent) -> None:
        if isinstance(event, Advanced):
            self._alone = self._alone and not event.step
        elif isinstance(event, Ended):
            self.codes[event.member] = event.code
            if self._alone and event.code:
                self._waiting.clear()  # what stopped the first before an update would stop all
            self._alone = False

    def _pass_signal_on(self) -> None:
        if self._signals.received is not None and not self._passed_on:
            self._passed_on = True
            self._waiting.clear()
            self._processes.signal(self._signals.received)
