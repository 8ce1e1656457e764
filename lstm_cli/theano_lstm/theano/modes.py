"""Theano's compilation modes, so that a script starts within seconds.

PyTensor's default, the numba linker, took 28 to 175 s to compile a loop over one or two LSTM layers with its gradient,
and again for every other size of layer. Here ``FAST_RUN``, ``FAST_COMPILE`` and a mode that names one of Theano's
linkers run Op by Op from Python: two LSTM layers of 20 units that drive a double pendulum were built in 8 s. A time
step, forward and back, then cost 2 to 3 ms on one core, numba's 0.15 ms. For hours of training set
``theano.config.mode = "NUMBA"`` or pass ``mode="NUMBA"``. A loop whose inputs are known in advance is no scan, but one
Op for each recurrent layer (`lstm_cli.theano_lstm.loops`), which is faster than both.
"""

from functools import cache
from typing import Any, TypeAlias

from pytensor.compile import mode as pytensor_mode
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.basic import JITLinker, Linker
from pytensor.link.vm import VMLinker

from lstm_cli.theano_lstm.theano.configuration import config
from lstm_cli.theano_lstm.theano.debugging import DebugMode
from lstm_cli.theano_lstm.theano.guards import NanGuardMode
from lstm_cli.theano_lstm.theano.known_flags import LINKERS, MODES, QUICK_MODES
from lstm_cli.theano_lstm.theano.quick_rewrites import UPDATE, rewrites

AnyMode: TypeAlias = pytensor_mode.Mode

_COMPILING = ("numba", "jax", "pytorch", "mlx")


class Mode(pytensor_mode.Mode):
    """How a function is compiled: by Python, Op by Op, unless a linker of PyTensor's is named.

    Parameters
    ----------
    linker : str or Linker, optional
        ``"py"``, ``"vm"``, ``"cvm"``, ``"c|py"``, … all are the same; ``"numba"`` and ``"jax"`` compile.
        By default ``config.linker``.
    optimizer : str, None or a query of rewrites
        None or ``"None"`` for no rewrites; any other name of Theano's for the rewrites that pay off within a few
        calls. By default ``config.optimizer``.
    """

    def __init__(self, linker: str | Linker | None = None, optimizer: Any = "default", db: Any = None) -> None:
        linker = config.linker if linker is None else linker
        optimizer = config.optimizer if optimizer == "default" else optimizer
        if linker in _COMPILING or isinstance(linker, JITLinker):
            super().__init__(linker, optimizer, db)
        else:
            super().__init__(_linker(linker), rewrites(optimizer), db)


@cache
def fast_start() -> Mode:
    """Return the default mode: no compiler, and only the rewrites that pay off within a few calls."""
    return Mode("vm", "fast_run")


def get_mode(mode: str | AnyMode | None = None) -> AnyMode:
    """Return the mode of this name; of None, the one that ``config.mode`` names.

    Raises
    ------
    ValueError
        There is no such mode.
    """
    mode = config.mode if mode is None else mode
    if not isinstance(mode, str):
        return mode
    name = mode.upper()
    if name not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    return _mode_of(name, *(config[flag] for flag in ("allow_gc", "linker", "optimizer", *_CHANGES)))


def get_default_mode() -> AnyMode:
    """Return the mode that ``config.mode`` names."""
    return get_mode()


def runs_from_python(mode: AnyMode) -> bool:
    """Whether a function in this mode calls its Ops from Python, and has the rewrites that are needed then."""
    query = mode.provided_optimizer
    return not isinstance(mode, DebugMode) and isinstance(query, RewriteDatabaseQuery) and UPDATE in query.include


_CHANGES = {"optimizer_excluding": "excluding", "optimizer_including": "including", "optimizer_requiring": "requiring"}


@cache
def _mode_of(name: str, allow_gc: bool, linker: str, optimizer: str, *changes: str) -> AnyMode:
    """Return the mode of a name in capitals as the flags have it, the same object for the same flags."""
    mode: AnyMode
    if name in ("DEBUGMODE", "DEBUG_MODE"):
        mode = DebugMode(optimizer)
    elif name == "NANGUARDMODE":
        mode = NanGuardMode(True, True, True, optimizer)
    elif name in QUICK_MODES and linker in _COMPILING:
        mode = pytensor_mode.get_mode(linker)
    elif name in QUICK_MODES:
        by_default = allow_gc and linker == "auto" and (name != "MODE" or optimizer == "o4")
        mode = fast_start() if by_default else Mode(linker, optimizer if name == "MODE" else "fast_run")
    else:
        return pytensor_mode.get_mode(name)
    for change, tags in zip(_CHANGES.values(), changes, strict=True):
        mode = getattr(mode, change)(*tags.split(":")) if tags else mode
    return mode


def _linker(linker: str | Linker) -> Linker:
    if not isinstance(linker, str):
        return linker
    if linker not in LINKERS:
        raise ValueError(f"linker: expected one of {', '.join(LINKERS)}, got {linker!r}")
    return VMLinker(allow_gc=False if linker.endswith("_nogc") else None, use_cloop=False, c_thunks=False)


FAST_RUN = FAST_COMPILE = fast_start()
predefined_modes = dict.fromkeys(QUICK_MODES, FAST_RUN)
