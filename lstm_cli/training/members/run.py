"""Trains the members of an ensemble or a cross-validation, as many at a time as there are cores for.

The first one trains alone until its first update, so that what is wrong with the data is said once and kernels are
compiled once. Each is ``lstm-train`` in a process group of its own: a Ctrl-C reaches this process alone, which
passes it on once, and every member saves its state before it ends.
"""

import json
import os
import selectors
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import IO

from lstm_cli.signals import Signals
from lstm_cli.training.members.cores import bound, shares
from lstm_cli.training.members.plan import Member, Plan

POLL = 0.2  # seconds between two looks at signals


@dataclass(frozen=True)
class Advanced:
    """A member made updates: `step` of `total`."""

    member: str
    step: int
    total: int


@dataclass(frozen=True)
class Said:
    """A member wrote a line on standard error."""

    member: str
    text: str


@dataclass(frozen=True)
class Ended:
    """A member's process ended with an exit code; below 0 the number of the signal that killed it."""

    member: str
    code: int


MemberEvent = Advanced | Said | Ended


@dataclass
class _Process:
    """The process of a member, and what of its lines is not complete yet."""

    name: str
    process: subprocess.Popen[bytes]
    processors: list[int]
    events: IO[bytes]
    unread: dict[str, bytes] = field(default_factory=lambda: {"events": b"", "errors": b""})
    open: int = 2

    def close(self) -> None:
        """Close the pipes."""
        self.events.close()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def lines(self, name: str, data: bytes) -> list[str]:
        """Return the lines that are complete with more data; all that is left where there is none."""
        *complete, rest = (self.unread[name] + data).split(b"\n")
        if not data and rest:
            complete, rest = [*complete, rest], b""
        self.unread[name] = rest
        return [line.decode(errors="backslashreplace") for line in complete]


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
        self._selector = selectors.DefaultSelector()
        self._running: list[_Process] = []
        self._waiting = list(plan.members)
        self._shares = shares(len(plan.members))
        self._alone = True
        self._passed_on = False
        self.codes: dict[str, int] = {}

    @property
    def together(self) -> int:
        """How many members train at a time."""
        return len(self._shares)

    def __iter__(self) -> Iterator[MemberEvent]:
        """Yield what happens, until all have ended; members that still run at an exception are stopped."""
        with ExitStack() as stack:
            stack.callback(self._selector.close)
            stack.callback(self._stop)
            while True:
                self._start_next()
                if not self._running:
                    return
                for key, _ in self._selector.select(POLL):
                    member, name = key.data
                    yield from self._read(member, name, key.fd)
                yield from self._reap()
                self._pass_signal_on()

    def _start_next(self) -> None:
        """Start members on processors that are free."""
        while self._waiting and not self._passed_on and not (self._alone and self._running):
            taken = [member.processors for member in self._running]
            free = next((share for share in self._shares if share not in taken), None)
            if free is None:
                return
            self._start(self._waiting.pop(0), free)

    def _start(self, planned: Member, processors: list[int]) -> None:
        reader, writer = os.pipe()
        threads = None
        if self._plan.config.threads == "auto" and not hasattr(os, "sched_setaffinity"):
            threads = len(processors)
        text = self._plan.config.source.text if self._plan.given == "-" else None
        try:
            with bound(processors):
                process = subprocess.Popen(
                    self._plan.command(planned, writer, threads),
                    stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=[writer],
                    process_group=0,
                )
        finally:
            os.close(writer)
        if text is not None and process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(text.encode())
        member = _Process(planned.name, process, processors, os.fdopen(reader, "rb", buffering=0))
        self._running.append(member)
        self._selector.register(member.events, selectors.EVENT_READ, (member, "events"))
        if process.stderr is not None:
            self._selector.register(process.stderr, selectors.EVENT_READ, (member, "errors"))

    def _read(self, member: _Process, name: str, descriptor: int) -> Iterator[MemberEvent]:
        data = os.read(descriptor, 1 << 16)
        for line in member.lines(name, data):
            if name == "errors":
                yield Said(member.name, line)
                continue
            found = json.loads(line)
            self._alone = self._alone and not found["step"]
            yield Advanced(member.name, found["step"], found["total"])
        if not data:
            self._selector.unregister(descriptor)
            member.open -= 1

    def _reap(self) -> Iterator[MemberEvent]:
        for member in [member for member in self._running if not member.open]:
            code = self.codes[member.name] = member.process.wait()
            member.close()
            self._running.remove(member)
            if self._alone and code:
                self._waiting.clear()  # what stopped the first before an update would stop all
            self._alone = False
            yield Ended(member.name, code)

    def _pass_signal_on(self) -> None:
        if self._signals.received is not None and not self._passed_on:
            self._passed_on = True
            self._waiting.clear()
            for member in self._running:
                with suppress(ProcessLookupError):
                    member.process.send_signal(self._signals.received)

    def _stop(self) -> None:
        """End what still runs, after it has saved its state: something went wrong here."""
        for member in self._running:
            with suppress(ProcessLookupError):
                member.process.terminate()
        for member in self._running:
            member.process.wait()
