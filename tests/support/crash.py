"""Runs tasks of `crash_worker` with strace killing them or failing their system calls, and checks what is left."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from lstm_cli.run.checkpoint import PARTS, State, load, load_newest, save
from lstm_cli.run.names import BEST, LAST, MODEL
from tests.support.crash_worker import state
from tests.support.paths import ROOT


class Outcome(NamedTuple):
    """How a task ended: its exit code (negative: the signal) and what it printed."""

    code: int
    message: str


class Worker:
    """The worker process. `setup` is a shell script that runs before it, in a mount namespace of its own.

    It imports `modules` once, so that its children need not.
    """

    def __init__(self, scratch: Path, setup: str = "", modules: Sequence[str] = ()) -> None:
        self.scratch = scratch
        self._tracer: subprocess.Popen | None = None
        command = [sys.executable, "-m", "tests.support.crash_worker", *modules]
        if setup:
            command = ["unshare", "--mount", "--map-root-user", "sh", "-c", f'{setup}\nexec "$@"', "sh", *command]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(timeout=100)
        finally:  # a hang is one failure, not a warning in a later test as well
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def seen(self, path: Path) -> Path:
        """The way from here to a path that only the worker's mount namespace has."""
        return Path(f"/proc/{self._process.pid}/root{path}")

    def start(self, *strace: str, **task: object) -> int:
        """Fork a child for a task, put strace on it if options for it are given, let it begin, and return its pid."""
        pid = self._ask(stderr=str(self.scratch / "stderr"), **{key: _plain(value) for key, value in task.items()})
        self._tracer = _attach(pid, self.scratch / "strace", *strace) if strace else None
        os.kill(pid, signal.SIGCONT)
        return pid

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert self.wait().code == -signal.SIGKILL

    def wait(self) -> Outcome:
        """Wait for the child's end."""
        code = self._ask(wait=True)
        if self._tracer:
            self._tracer.stderr.close()
            self._tracer.wait(timeout=100)
        return Outcome(code, (self.scratch / "stderr").read_text())

    def run(self, *strace: str, **task: object) -> Outcome:
        """Run a task to its end."""
        self.start(*strace, **task)
        return self.wait()

    def calls(self, **task: object) -> list[tuple[str, int]]:
        """Run a task, and list its system calls, each as its name and its ordinal among those of that name."""
        assert self.run("-etrace=all", **task).code == 0
        seen: dict[str, int] = {}
        calls = []
        for line in (self.scratch / "strace").read_text().splitlines():
            if match := re.match(r"(\w+)\(", line):
                seen[match[1]] = seen.get(match[1], 0) + 1
                calls.append((match[1], seen[match[1]]))
        return calls

    def _ask(self, **task: object) -> int:
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def is_over(pid: int) -> bool:
    """Whether a child has ended that nobody has waited for."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _attach(pid: int, log: Path, *options: str) -> subprocess.Popen:
    command = ["strace", "-o", str(log), "-p", str(pid), *options]
    tracer = subprocess.Popen(command, text=True, stderr=subprocess.PIPE)
    assert "attached" in (line := tracer.stderr.readline()), line
    return tracer


@cache
def why_no_strace() -> str:
    """Why system calls cannot be killed or failed here; empty if they can."""
    if not shutil.which("strace"):
        return "strace is not installed: no system call of a save was killed or failed"
    probe = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return f"strace cannot trace here: {probe.stderr.strip()}" if probe.returncode else ""


@cache
def why_no_mount() -> str:
    """Why no small or read-only file system can be mounted here; empty if it can."""
    if not shutil.which("unshare"):
        return "unshare is not installed: no full or read-only file system was tried"
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", "mount -t tmpfs none /mnt"]
    probe = subprocess.run(command, capture_output=True, text=True)
    return f"no file system can be mounted here: {probe.stderr.strip()}" if probe.returncode else ""


def needs(why_not: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(why_not), reason=why_not or "available")


def step_of(found: State) -> int:
    """The step of a state, after a look at every value: none is of another step."""
    step = found.position["step"]
    for part in PARTS:
        for name, array in getattr(found, part).items():
            assert np.all(array == step), f"{part} {name} is of another step than {step}"
    assert found.position["best"] == step
    assert found.identity == {"made by": f"step {step}"}
    return step


def leftovers(run: Path) -> list[str]:
    return [path.name for path in run.iterdir() if path.name.startswith((".tmp", ".old"))]


def check_run(run: Path, *, last: set[int | None], best: set[int | None], silent: bool = True) -> None:
    """Check that the run resumes at one of the allowed steps, predicts with one, and the next save tidies up."""
    found = load_newest(run)
    assert (step_of(found.state) if found else None) in last
    assert not (found and silent and found.warning)
    if None not in best:
        assert step_of(load(run / BEST)) in best
    for folder in (LAST, BEST):
        save(state(99), run / folder)
        assert step_of(load(run / folder)) == 99
    assert not leftovers(run)


def damage(folder: Path) -> None:
    """Flip a bit of the weights in a checkpoint."""
    data = bytearray((folder / MODEL).read_bytes())
    data[-1] ^= 1
    (folder / MODEL).write_bytes(data)
