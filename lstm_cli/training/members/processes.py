"""Trainings in processes of their own, each on cores of its own.

Each is ``lstm-train`` in a process group of its own: a Ctrl-C reaches this process alone, which passes it on once, and
every training saves its state before it ends. If this process is killed, they end at their next report.
"""

import json
import os
import selectors
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self

from lstm_cli.training.members.cores import bound, shares

POLL = 0.2  # seconds between two looks at signals


@dataclass(frozen=True)
class Advanced:
    """A member made updates: `step` of `total`."""

    member: str
    step: int
    total: int


@dataclass(frozen=True)
class Scored:
    """A member was scored: `entry` as in ``metrics.jsonl``."""

    member: str
    entry: Mapping[str, Any]


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


MemberEvent = Advanced | Scored | Said | Ended


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


class Processes:
    """Trainings that run; leaving the `with` block stops them, after they have saved their state.

    Parameters
    ----------
    count
        At most how many at a time; fewer where there are fewer cores.
    """

    def __init__(self, count: int) -> None:
        self._shares = shares(count)
        self._selector = selectors.DefaultSelector()
        self._running: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self._running:
            with suppress(ProcessLookupError):
                member.process.terminate()
        for member in self._running:
            member.process.wait()
            member.close()
        self._selector.close()

    @property
    def together(self) -> int:
        """How many train at a time."""
        return len(self._shares)

    @property
    def running(self) -> list[str]:
        """The names of those that train."""
        return [member.name for member in self._running]

    @property
    def free(self) -> bool:
        """Whether there are cores for another one."""
        return len(self._running) < len(self._shares)

    def start(self, name: str, command: Callable[[int, int | None], list[str]], text: str | None = None) -> None:
        """Start a training on cores that are free.

        Parameters
        ----------
        name
            Of the training, in events.
        command
            Returns the words of its command, given the file descriptor on which it reports progress, and the number of
            its threads where it cannot be bound to processors.
        text
            What it reads on standard input.
        """
        taken = [member.processors for member in self._running]
        processors = next(share for share in self._shares if share not in taken)
        threads = None if hasattr(os, "sched_setaffinity") else len(processors)
        reader, writer = os.pipe()
        try:
            with bound(processors):
                process = subprocess.Popen(
                    command(writer, threads),
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
        member = _Process(name, process, processors, os.fdopen(reader, "rb", buffering=0))
        self._running.append(member)
        self._selector.register(member.events, selectors.EVENT_READ, (member, "events"))
        if process.stderr is not None:
            self._selector.register(process.stderr, selectors.EVENT_READ, (member, "errors"))

    def events(self) -> Iterator[MemberEvent]:
        """Yield what has happened since the last call; wait a little where nothing has."""
        for key, _ in self._selector.select(POLL):
            member, name = key.data
            data = os.read(key.fd, 1 << 16)
            for line in member.lines(name, data):
                yield Said(member.name, line) if name == "errors" else _reported(member.name, json.loads(line))
            if not data:
                self._selector.unregister(key.fd)
                member.open -= 1
        for member in [member for member in self._running if not member.open]:
            code = member.process.wait()
            member.close()
            self._running.remove(member)
            yield Ended(member.name, code)

    def signal(self, number: int, name: str | None = None) -> None:
        """Send a signal to a training, or to all."""
        for member in self._running:
            if name in (None, member.name):
                with suppress(ProcessLookupError):
                    member.process.send_signal(number)


def _reported(name: str, found: Mapping[str, Any]) -> MemberEvent:
    return Scored(name, found["scored"]) if "scored" in found else Advanced(name, found["step"], found["total"])
