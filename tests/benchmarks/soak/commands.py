"""The commands as processes that can be asked, stopped, killed and limited, and what is left of them."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.soak.checks import Broken
from tests.support.paths import ROOT

PATIENCE = 900  # seconds until a process is taken for one that never ends: a machine may be slow
CLOSED = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}
STOPS = (
    "SIGINT",
    "SIGTERM",
    "SIGHUP",
    "SIGXCPU",
    "SIGUSR1",
    "SIGUSR2",
    "SIGALRM",
)  # after which a run has saved its state


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: the signal), what it printed, and its most memory in MB."""

    command: str
    code: int
    out: str
    err: str
    megabytes: int

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


class Running:
    """A process of a command, with its output in files."""

    def __init__(self, command: str, process: subprocess.Popen, out: Path, err: Path) -> None:
        self.command, self.pid, self._process, self._out, self._err = command, process.pid, process, out, err
        self._status: tuple[int, int] | None = None

    def is_over(self) -> bool:
        if self._status is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self._status = self._process.returncode, usage.ru_maxrss // 1024
        return self._status is not None

    def send(self, name: str) -> None:
        if not self.is_over():
            os.kill(self.pid, getattr(signal, name))

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Wait until a condition holds, or the process is over; return which."""
        began = time.monotonic()
        while not self.is_over():
            if condition():
                return True
            if time.monotonic() - began > PATIENCE:
                self.end(patience=0)
            time.sleep(0.002)
        return False

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.wait_for(lambda: time.monotonic() >= until)

    def handles_signals(self) -> bool:
        """Whether the command has taken over the signals: until then Python itself starts."""
        caught = self._status_line("SigCgt")
        return bool(caught and int(caught, 16) >> (getattr(signal, STOPS[-1]) - 1) & 1)

    def is_stopped(self) -> bool:
        return self._status_line("State").startswith(("T", "t"))

    def _status_line(self, name: str) -> str:
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return ""
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:")), "")

    def said(self) -> str:
        return self._err.read_text(errors="replace")

    def end(self, patience: float = PATIENCE) -> Ended:
        """Wait for the end; what does not come to one is killed and is a failure."""
        until = time.monotonic() + patience
        while not self.is_over():
            if time.monotonic() > until:
                self.kill()
                raise Broken(f"`{self.command}` did not end within {patience} s; it had said:\n{self.said()}")
            time.sleep(0.005)
        return Ended(self.command, self._status[0], self._out.read_text(errors="replace"), self.said(), self._status[1])

    def kill(self) -> None:
        while not self.is_over():
            os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.005)


class Commands:
    """Starts commands in one place's folders for home, temporary files and work, and counts them.

    Parameters
    ----------
    place
        Holds the folders `home`, `tmp`, `cwd` and `said`.
    cache
        The folder of compiled kernels.
    """

    def __init__(self, place: Path, cache: Path) -> None:
        self.cwd, self._said, self.count = place / "cwd", place / "said", 0
        for name in ("home", "tmp", "cwd", "said"):
            (place / name).mkdir()
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(place / "home"),
            "TMPDIR": str(place / "tmp"),
            "LSTM_CLI_CACHE": str(cache),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",  # Python itself would leave half a file where a disk is full
        }
        self.running: list[Running] = []

    def start(
        self,
        name: str,
        *arguments: str | Path,
        environment: Mapping[str, str | None] | None = None,
        closed: Sequence[str] = (),
        file_size: int | None = None,
    ) -> Running:
        """Start a command.

        Parameters
        ----------
        name
            train or predict.
        arguments
            What follows it.
        environment
            Variables to set, or with None to leave out.
        closed
            Standard streams that it gets closed.
        file_size
            Bytes beyond which no file may grow.
        """
        words = [name, *map(str, arguments)]
        code = f"import sys; sys.argv[0] = 'lstm-{name}'; from lstm_cli.cli.start import {name}; {name}()"
        shell = f'exec "$@" {" ".join(CLOSED[stream] for stream in closed)}'
        given = {**self.environment, **(environment or {})}
        self.count += 1
        out, err = (self._said / f"{self.count}.{kind}" for kind in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                ["sh", "-c", shell, "sh", sys.executable, "-c", code, *words[1:]],
                cwd=self.cwd,
                env={key: value for key, value in given.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                preexec_fn=lambda: _limit(file_size),  # there are no threads here
            )
        self.running.append(Running(f"lstm-{' '.join(words)}", process, out, err))
        return self.running[-1]

    def run(self, *arguments: str | Path, **options: object) -> Ended:
        return self.start(*arguments, **options).end()

    def kill_all(self) -> None:
        for running in self.running:
            running.kill()


def _limit(file_size: int | None) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's `… &` ignores it, and so would the command
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
