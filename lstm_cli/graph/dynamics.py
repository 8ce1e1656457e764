"""The system that a network drives: a user's function on PyTensor variables, checked, differentiated and compiled.

Legend: B batch, D numbers of the state, O outputs of the network.
"""

import inspect
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from numba.core.errors import NumbaError
from pytensor.graph.basic import Variable

from lstm_cli.errors import CacheWarning, counted
from lstm_cli.graph.machine_code import own_cache
from lstm_cli.ops.mode import exclusive, python_mode

Function = Callable[[Variable, Variable], Variable]
MODULE = "lstm_cli_dynamics"
TRIAL_BATCHES = (2, 3)  # batch sizes that a function is tried with
STATE_LAYOUT = "state is (B, D), so state[:, k] is its element k, and pt.stack(elements, axis=1) builds the next state"


class DynamicsError(Exception):
    """Why a function cannot be used as a system."""


def load_function(path: Path, name: str, source: str) -> Function:
    """Run a file of Python and return one of its functions.

    Parameters
    ----------
    path : Path
        For messages.
    name : str
    source : str
        The text of the file.

    Raises
    ------
    DynamicsError
        The file cannot be run, or has no such function of two arguments.
    """
    module = sys.modules[MODULE] = types.ModuleType(MODULE)  # dataclasses and pickle look definitions up by module
    module.__file__ = str(path)
    try:
        with _quiet():
            exec(compile(source, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise DynamicsError(f"running {path} raised {_describe_with_line(error, path)}") from None
    function: Function | None = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == MODULE]
        raise DynamicsError(
            f"{path} has no function {name}" + (f", only {', '.join(known)}" if known else ": define it")
        )
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise DynamicsError(
            f"{name} takes {inspect.signature(function)}, expected two arguments, (state, output)"
        ) from None
    return function


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what the user's code prints to stderr, and suppress the warnings that it causes; ours stay."""
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", CacheWarning)
        yield


@contextmanager
def _no_files_left() -> Iterator[None]:
    """Have PyTensor write the source of what it compiles into a folder that is removed: it leaves its files behind."""
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = usual


def _describe_with_line(error: BaseException, path: Path) -> str:
    """Describe an error, with the line of the user's file that raised it."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines = [error.lineno]
    return _describe(error) + (f" (line {lines[-1]})" if lines else "")


def _describe(error: BaseException) -> str:
    """Describe an error by its class and its first line, as PyTensor adds lines about the graph."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"


@dataclass(frozen=True)
class Units:
    """The network's units of a state: ``(state - center) / spread``, each (D,)."""

    center: np.ndarray
    spread: np.ndarray

    @property
    def same(self) -> bool:
        """Whether the system has the same units."""
        return not self.center.any() and bool((self.spread == 1).all())


@dataclass(eq=False)
class Dynamics:
    """A system in a closed loop: one step, and its vector-Jacobian product, in the network's units.

    The function has its own units: the state is converted before the call, and back after it.

    Parameters
    ----------
    function : callable
        ``(state (B, D), output (B, O)) -> next state (B, D)`` on PyTensor variables.
    label : str
        Its name in messages.
    size, outputs : int
        D and O.
    units : Units
    dtype : str

    Raises
    ------
    DynamicsError
        The function does not return a differentiable next state.

    Attributes
    ----------
    failure : (int, str) or None
        Step of the closed loop at which the function raised an exception, and its description; no step is taken after
        it.
    diverged : (int, int) or None
        After a closed loop: the first step, from 1, whose next state was not finite, and the row of the batch.
    """

    function: Function
    label: str
    size: int
    outputs: int
    units: Units
    dtype: str
    failure: tuple[int, str] | None = field(default=None, init=False)
    diverged: tuple[int, int] | None = field(default=None, init=False)

    @exclusive
    def __post_init__(self) -> None:
        state = pt.tensor("state", dtype=self.dtype, shape=(None, self.size))
        output = pt.tensor("output", dtype=self.dtype, shape=(None, self.outputs))
        following = self._next(state, output)
        dnext = pt.tensor("dnext", dtype=self.dtype, shape=(None, self.size))
        gradients = self._gradients(following, [state, output], dnext)
        self._step = _compiled([state, output], following)
        self._step_gradient = _compiled([state, output, dnext], gradients)

    def _next(self, state: Variable, output: Variable) -> Variable:
        """Return the next state in the network's units."""
        center, spread = (np.asarray(part, self.dtype) for part in (self.units.center, self.units.spread))
        own = state if self.units.same else state * spread + center
        following = self._apply(own, output)
        return following if self.units.same else (following - center) / spread

    def _apply(self, state: Variable, output: Variable) -> Variable:
        """Return the function's result, checked to be a matrix of floats and cast to the dtype of the state."""
        with pytensor.config.change_flags(floatX=self.dtype):  # the precision of literals in the user's code
            try:
                with _quiet():
                    result = pt.as_tensor_variable(self.function(state, output))
            except (Exception, SystemExit) as error:
                code = getattr(self.function, "__code__", None)
                advice = ": state and output are PyTensor variables, for pytensor.tensor and not for numpy"
                described = _describe_with_line(error, Path(code.co_filename if code else "."))
                raise DynamicsError(f"raised {described}{advice if isinstance(error, TypeError) else ''}") from None
        if result.type.dtype not in ("float16", "float32", "float64"):
            raise DynamicsError(
                f"returned numbers of dtype {result.type.dtype}, expected {self.dtype} as the state has"
            )
        if result.type.ndim != 2 or result.type.shape[1] not in (None, self.size):
            shape = ", ".join("B" if k == 0 and n is None else str(n or "?") for k, n in enumerate(result.type.shape))
            raise DynamicsError(f"returned the shape ({shape}), expected (B, {self.size}) as the state has")
        return result.astype(self.dtype)

    def _gradients(self, following: Variable, inputs: list[Variable], dnext: Variable) -> list[Variable]:
        try:
            dstate, doutput = pytensor.grad(
                None, inputs, known_grads={following: dnext}, disconnected_inputs="ignore", return_disconnected="none"
            )
        except Exception as error:
            raise DynamicsError(f"has no gradient ({_describe(error)}): use differentiable functions") from None
        if doutput is None:
            raise DynamicsError("returned a state that does not depend on the output: there is nothing to learn")
        dstate = pt.zeros_like(inputs[0]) if dstate is None else dstate
        return [dstate.astype(self.dtype), doutput.astype(self.dtype)]

    @exclusive
    def try_out(self, states: np.ndarray) -> None:
        """Run the function on some states (n, D), in the network's units, in batches and row by row.

        Raises
        ------
        DynamicsError
            It raises an exception, returns another shape or numbers that are not finite, or its rows depend on one
            another.
        """
        rng = np.random.default_rng(0)
        for rows in TRIAL_BATCHES:
            some: np.ndarray = np.resize(states, (rows, self.size)).astype(self.dtype)
            some += rng.normal(0, 1e-3, some.shape).astype(self.dtype)
            output = rng.normal(0, 0.1, (rows, self.outputs)).astype(self.dtype)
            following = self._try_step(some, output)
            one_by_one = np.concatenate([self._try_step(some[[row]], output[[row]]) for row in range(rows)])
            if not np.allclose(following, one_by_one, rtol=1e-3, atol=1e-4, equal_nan=True):
                raise DynamicsError(
                    f"is not batched: {rows} rows together give different next states than one by one; "
                    f"row b of the result must depend only on row b of state and output"
                )
            if not np.isfinite(following).all():
                wrong = some[~np.isfinite(following).all(axis=1)][0] * self.units.spread + self.units.center
                shown = ", ".join(f"{number:.4g}" for number in wrong)
                raise DynamicsError(f"returned a next state that is not finite from the start [{shown}]")

    def _try_step(self, state: np.ndarray, output: np.ndarray) -> np.ndarray:
        rows = counted(len(state), "row")
        try:
            following: np.ndarray = self._step(state, output)
            if following.shape == state.shape:
                self._step_gradient(state, output, np.ones_like(state))
        except Exception as error:
            raise DynamicsError(f"raised {_describe(error)}, on {rows}: {STATE_LAYOUT}") from None
        if following.shape != state.shape:
            raise DynamicsError(
                f"returned the shape {following.shape} for {rows}, expected {state.shape}: {STATE_LAYOUT}"
            )
        return following

    def step(self, turn: int, state: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Return the next state; NaN once the function has raised an exception, which is stored in `failure`."""
        if self.failure is None:
            try:
                following: np.ndarray = self._step(state, output)
                return following
            except Exception as error:
                self.failure = turn, _describe(error)
        return np.full_like(state, np.nan)

    def step_gradient(
        self, turn: int, state: np.ndarray, output: np.ndarray, dnext: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of state and output, given that of the next state."""
        if self.failure is None:
            try:
                dstate, doutput = self._step_gradient(state, output, dnext)
                return dstate, doutput
            except Exception as error:
                self.failure = turn, _describe(error)
        return np.full_like(state, np.nan), np.full_like(output, np.nan)


def _compiled(inputs: Sequence[Variable], outputs: Any) -> Any:
    """Compile with numba, whose machine code is kept on disk: an update runs about a hundred steps.

    A graph that numba cannot compile, which the first call shows, runs Op by Op in Python, more slowly; so does one
    whose source cannot be written, as there is no folder for temporary files.
    """
    zeros = [np.zeros((TRIAL_BATCHES[0], variable.type.shape[1]), variable.type.dtype) for variable in inputs]
    try:
        with _quiet(), _no_files_left(), own_cache():
            function = pytensor.function(inputs, outputs, mode="NUMBA", trust_input=True, on_unused_input="ignore")
            function(*zeros)
    except (NumbaError, NotImplementedError, OSError):
        return pytensor.function(inputs, outputs, mode=python_mode(), on_unused_input="ignore")
    except Exception:
        return function  # raised by the system itself: the caller's first step raises it again
    return function
