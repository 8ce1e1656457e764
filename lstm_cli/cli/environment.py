"""What a command does about the environment it was started in, before its work: streams, settings, limits.

The variables of numba, PyTensor and OpenMP set how other programs of the user compute; a config alone determines what
a command does. As a library in the user's own process, the package takes none of them away.
"""

import io
import os
import re
import resource
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from lstm_cli.errors import CacheWarning, CheckpointWarning, LstmError, on_one_line

#: Variables that commands ignore: those of the libraries that compile, compute and share work.
_FOREIGN = re.compile(r"(NUMBA|PYTENSOR|THEANO|OMP|GOMP|KMP|MKL|OPENBLAS|GOTO|BLIS|NPY|NUMPY|TQDM)_.*|THEANORC")
#: Those among them that change nothing but how long an idle thread looks for work, with the values that are valid.
_KEPT = {"OMP_WAIT_POLICY": re.compile("(?i)active|passive"), "GOMP_SPINCOUNT": re.compile("[0-9]+")}

#: Settings of numba in the current folder, which it reads beside the variables.
_NUMBA_FILE = ".numba_config.yaml"

#: Bytes that the smallest training takes on one thread; with less, Python 3.11 may try again without end.
_LEAST_MEMORY = 1 << 29


def prepare() -> None:
    """Make a command independent of what is odd where it was started; called before anything slow is imported."""
    open_streams()
    show_own_warnings()
    ignore_settings()


def open_streams() -> None:
    """Open the standard streams that are closed on the null device, so that no file of ours takes their numbers.

    What would be printed there is lost, and what would be read from there is empty; the work is done all the same.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.set_inheritable(os.open(os.devnull, flags), True)  # the lowest number that is free: this one
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)
            setattr(sys, name, stream)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may hold any byte, as stderr allows for


def discard(stream: TextIO) -> None:
    """Write to the null device from now on what goes to a stream, and what it still holds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def ignore_settings() -> None:
    """Take the settings of libraries out of the environment, before the libraries are imported and read them."""
    for name, value in list(os.environ.items()):
        if _FOREIGN.fullmatch(name) and not (name in _KEPT and _KEPT[name].fullmatch(value)):
            del os.environ[name]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as kernels have it; each one more would cost memory at the import
    os.environ["PYTENSORRC"] = os.devnull  # in place of ~/.pytensorrc
    if os.path.lexists(_NUMBA_FILE):
        _import_numba_without_file()


def _import_numba_without_file() -> None:
    """Import numba as if PyYAML were not installed, without which it does not read its settings from a file."""
    sys.modules["yaml"] = None  # type: ignore[assignment]  # an import of it fails
    with suppress(Exception):  # a broken installation is named where numba is needed
        import numba  # noqa: F401
    del sys.modules["yaml"]


def show_own_warnings() -> None:
    """Show warnings of this package as one line each, and none of Python's or of other libraries, whatever was set."""
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    for category in (CacheWarning, CheckpointWarning):
        warnings.simplefilter("always", category)
    warnings.showwarning = _show  # type: ignore[assignment]


def _show(message: Warning | str, *others: object) -> None:
    with suppress(OSError):
        sys.stderr.write(f"warning: {on_one_line(message)}\n")


def check_start() -> None:
    """Refuse, before anything is half done, to work without a current folder or within too small a limit on memory."""
    Path.cwd()
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _LEAST_MEMORY:
        raise LstmError(
            f"too little memory: the limit (ulimit -v) is {limit >> 10:,} kB: raise it to {_LEAST_MEMORY >> 10:,} kB"
        )
