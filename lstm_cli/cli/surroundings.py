"""What a command does about where it was started, before its work: closed streams, and settings of its libraries.

The variables of numba, PyTensor and OpenMP set how other programs of the user compute; a config alone determines what
a command does. As a library in the user's own process, the package changes none of them.
"""

import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from lstm_cli.errors import CacheWarning, CheckpointWarning, on_one_line

#: Variables that commands ignore: those of the libraries that compile, compute and share work.
_FOREIGN = re.compile(r"(NUMBA|PYTENSOR|THEANO|OMP|GOMP|KMP|MKL|OPENBLAS|GOTO|BLIS|NPY|NUMPY|TQDM)_.*|THEANORC")
#: Those among them that change nothing but how long an idle thread looks for work, with the values that are valid.
_KEPT = {"OMP_WAIT_POLICY": re.compile("(?i)active|passive"), "GOMP_SPINCOUNT": re.compile("[0-9]+")}


def prepare() -> None:
    """Make a command independent of what is odd where it was started; called before anything slow is imported."""
    open_streams()
    ignore_settings()
    show_own_warnings()


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


def ignore_settings() -> None:
    """Take the settings of libraries out of the environment, before the libraries are imported and read them."""
    for name, value in list(os.environ.items()):
        if _FOREIGN.fullmatch(name) and not (name in _KEPT and _KEPT[name].fullmatch(value)):
            del os.environ[name]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as kernels have it; each one more would cost memory at the import
    os.environ["PYTENSORRC"] = os.devnull  # in place of ~/.pytensorrc
    sys.meta_path.insert(0, _NumbaWithoutYaml())


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


class _NumbaWithoutYaml(MetaPathFinder):
    """Imports numba's settings as if PyYAML were not installed, with which they are read from a file too.

    That file is ``.numba_config.yaml`` in the current folder. Numba is imported late: a run that is refused needs none.
    """

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the specification of that one module, with a loader that hides PyYAML while it loads."""
        spec = PathFinder.find_spec(name, path) if name == "numba.core.config" else None
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(_load_without_yaml, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _load_without_yaml(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    reader = sys.modules.get("yaml")
    sys.modules["yaml"] = None  # type: ignore[assignment]
    try:
        load(module)
    finally:
        del sys.modules["yaml"]
        if reader is not None:
            sys.modules["yaml"] = reader
