# ruff: noqa: E501
"""Errors with a cause outside the package: which they are, and how they are worded."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_cli.cli.causes import outside, wrong_versions
from tests.support.paths import ROOT


def system(number: int, *names: str) -> OSError:
    return OSError(number, os.strerror(number), *names)


def led_to(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


NO_MEMORY = "too little memory: free some, raise the limit (ulimit -v) or train a smaller model"
INSTALL = "pip install --force-reinstall lstm-cli (in a clone: .)"
CAUSES = [
    (MemoryError(), 1, NO_MEMORY),
    (system(errno.ENOMEM), 1, NO_MEMORY),
    (ImportError("a.so: failed to map segment from shared object"), 1, NO_MEMORY),
    (led_to(OSError("cannot load"), OSError("a.so: cannot allocate memory")), 1, NO_MEMORY),
    (RuntimeError("can't start new thread"), 1, "no thread can be started: raise the limit on processes (ulimit -u), or end others"),
    (system(errno.EAGAIN), 1, "no process can be started: raise the limit on processes (ulimit -u), or end others"),
    (system(errno.ENFILE, "a"), 1, "a: too many open files for this system: raise it"),
    (system(errno.EACCES, "a\udcff"), 74, "a\\udcff: cannot be read or written: Permission denied: check the disk, the path and its permissions"),
    (system(errno.ENOSPC, "a"), 74, "a: cannot be written: No space left on device: free some space, or raise the quota or the limit on file sizes (ulimit -f)"),
    (UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "no"), 2, "'a\\udcff': bytes that are not UTF-8: give this name or text in UTF-8"),
    (UnicodeEncodeError("ascii", "ä", 0, 1, "no"), 2, "'\\xe4': characters that this locale's encoding, ascii, lacks: set PYTHONUTF8=1"),
    (OverflowError("timestamp too large to convert to C _PyTime_t"), 1, "this machine's clock is set to a time beyond what Python can represent: set the clock"),
    (ModuleNotFoundError("No module named 'tqdm'", name="tqdm.std"), 1, f"tqdm cannot be imported (No module named 'tqdm'): its installation is broken: {INSTALL}"),
    (OSError("a.so: cannot open shared object file"), 1, f"a library cannot be imported (a.so: cannot open shared object file): its installation is broken: {INSTALL}"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "message"), CAUSES)
def test_each_cause_outside_is_named(error: Exception, code: int, message: str) -> None:
    assert outside(error) == (message, code)


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError(), KeyError("a"), RecursionError(), ImportError("no", name="lstm_cli.x"), system(errno.EBADF)],
)
def test_mistakes_of_our_own_have_none(error: Exception) -> None:
    assert outside(error) is None


def test_the_versions_here_are_right() -> None:
    assert list(wrong_versions()) == []


def test_a_library_of_a_wrong_version_is_named(tmp_path: Path) -> None:
    found = tmp_path / "click-9.1.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: click\nVersion: 9.1\n")
    code = "from lstm_cli.cli.causes import outside; print(outside(AttributeError('no')))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "AttributeError: no: click 9.1 is installed, expected <9,>=8.1" in done.stdout


CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
static long calls;
int clock_gettime(clockid_t id, struct timespec *t) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(id, t);
  if (id == CLOCK_REALTIME) t->tv_sec = atol(getenv("CLOCK_AT")) - 3600 * ++calls;
  return code;
}
"""  # a clock that goes backwards by an hour each time it is read


@pytest.mark.parametrize(("at", "told"), [("0", "19"), ("95000000000000", ("2262", "unknown"))])
def test_a_clock_far_off_has_a_time(at: str, told: str | tuple[str, ...], tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler here: no clock was set for a process")
    (tmp_path / "clock.c").write_text(CLOCK)
    command = [compiler, "-shared", "-fPIC", "-o", tmp_path / "clock.so", tmp_path / "clock.c", "-ldl"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("the C compiler here does not work: no clock was set for a process")
    code = "from lstm_cli.run.environment import local_time; print(local_time())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(tmp_path / "clock.so"), "CLOCK_AT": at}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(told)
