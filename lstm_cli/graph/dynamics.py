"""The system that a network drives: a user's function on PyTensor variables, checked, differentiated and compiled.

Legend: B rows, D numbers of the state, O outputs of the network.
"""

import inspect
import sys
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

from lstm_cli.ops.mode import python_mode

Function = Callable[[Variable, Variable], Variable]
MODULE = "lstm_cli_dynamics"
TRIED = (2, 3)  # rows of the batches that a function is tried on
COLUMNS = "state is (B, D), so state[:, k] is its element k, and pt.stack(elements, axis=1) puts the next one together"


class Refused(Exception):
    """The function cannot be used as a system; says why."""


def load_function(path: Path, name: str, source: str) -> Function:
    """Run a file of Python and return one of its functions.

    Parameters
    ----------
    path : Path
        Where messages say it stands.
    name : str
    source : str
        What the file holds.
    """
    module = sys.modules[MODULE] = types.ModuleType(MODULE)  # where what a file defines is looked up by its module
    module.__file__ = str(path)
    try:
        with _users_code():
            exec(compile(source, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise Refused(f"running {path} raised {_told(error, path)}") from None
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == MODULE]
        raise Refused(f"{path} has no function {name}" + (f", only {', '.join(known)}" if known else ": define it"))
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise Refused(f"{name} takes {inspect.signature(function)}, expected two arguments, (state, output)") from None
    return function


@contextmanager
def _users_code() -> Iterator[None]:
    """Keep what the user's code prints out of the results, and its warnings and those on it out of the messages."""
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _told(error: BaseException, path: Path) -> str:
    """Return an error with the line of the user's file that it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines = [error.lineno]
    return _worded(error) + (f" (line {lines[-1]})" if lines else "")


def _worded(error: BaseException) -> str:
    """Return an error's kind and first line: PyTensor adds lines on the graph."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"


@dataclass(frozen=True)
class Units:
    """The units in which the network sees a state: ``(state - center) / spread`` (D,)."""

    center: np.ndarray
    spread: np.ndarray

    @property
    def same(self) -> bool:
        """Whether they are the system's own."""
        return not self.center.any() and bool((self.spread == 1).all())


@dataclass(eq=False)
class Dynamics:
    """A system as the loop runs it: one step, and its vector-Jacobian product, in the network's units.

    The function itself works in its own units: what it is given and returns is scaled around it.

    Parameters
    ----------
    function : callable
        ``(state (B, D), output (B, O)) -> next state (B, D)`` on PyTensor variables.
    label : str
        What messages call it.
    size, outputs : int
        D and O.
    units : Units
    dtype : str

    Raises
    ------
    Refused
        The function does not return what it should.
    """

    function: Function
    label: str
    size: int
    outputs: int
    units: Units
    dtype: str
    failure: tuple[int, str] | None = field(default=None, init=False)
    diverged: tuple[int, int] | None = field(default=None, init=False)

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
        following = self._called(own, output)
        return following if self.units.same else (following - center) / spread

    def _called(self, state: Variable, output: Variable) -> Variable:
        """Return what the function returns, once it is a matrix of floats; of another precision they are cast."""
        with pytensor.config.change_flags(floatX=self.dtype):  # numbers in the function's own text take this precision
            try:
                with _users_code():
                    result = pt.as_tensor_variable(self.function(state, output))
            except (Exception, SystemExit) as error:
                code = getattr(self.function, "__code__", None)
                advice = ": state and output are PyTensor variables, for pytensor.tensor and not for numpy"
                told = _told(error, Path(code.co_filename if code else "."))
                raise Refused(f"raised {told}{advice if isinstance(error, TypeError) else ''}") from None
        if result.type.dtype not in ("float16", "float32", "float64"):
            raise Refused(f"returned numbers of dtype {result.type.dtype}, expected {self.dtype} as the state has")
        if result.type.ndim != 2 or result.type.shape[1] not in (None, self.size):
            shape = ", ".join("B" if k == 0 and n is None else str(n or "?") for k, n in enumerate(result.type.shape))
            raise Refused(f"returned the shape ({shape}), expected (B, {self.size}) as the state has")
        return result.astype(self.dtype)

    def _gradients(self, following: Variable, inputs: list[Variable], dnext: Variable) -> list[Variable]:
        try:
            dstate, doutput = pytensor.grad(
                None, inputs, known_grads={following: dnext}, disconnected_inputs="ignore", return_disconnected="none"
            )
        except Exception as error:
            raise Refused(f"has no gradient ({_worded(error)}): use differentiable functions") from None
        if doutput is None:
            raise Refused("returned a state that does not depend on the output: there is nothing to learn")
        dstate = pt.zeros_like(inputs[0]) if dstate is None else dstate
        return [dstate.astype(self.dtype), doutput.astype(self.dtype)]

    def try_out(self, states: np.ndarray) -> None:
        """Run the function on a few states (n, D), in the network's units, in batches of different sizes and orders.

        Raises
        ------
        Refused
            It raises, returns another shape, or its rows hang on one another.
        """
        rng = np.random.default_rng(0)
        for rows in TRIED:
            some = np.resize(states, (rows, self.size)).astype(self.dtype)
            some += rng.normal(0, 1e-3, some.shape).astype(self.dtype)
            output = rng.normal(0, 0.1, (rows, self.outputs)).astype(self.dtype)
            following = self._tried(some, output)
            alone = np.concatenate([self._tried(some[[row]], output[[row]]) for row in range(rows)])
            if not np.allclose(following, alone, rtol=1e-3, atol=1e-4, equal_nan=True):
                raise Refused(
                    f"is not batched: {rows} rows together give other next states than one by one; "
                    f"row b of the result must hang on row b of state and output alone"
                )
            if not np.isfinite(following).all():
                wrong = some[~np.isfinite(following).all(axis=1)][0] * self.units.spread + self.units.center
                shown = ", ".join(f"{number:.4g}" for number in wrong)
                raise Refused(f"made a next state that is not finite of the start [{shown}]")

    def _tried(self, state: np.ndarray, output: np.ndarray) -> np.ndarray:
        try:
            following = self._step(state, output)
            if following.shape == state.shape:
                self._step_gradient(state, output, np.ones_like(state))
        except Exception as error:
            raise Refused(f"raised {_worded(error)}, on {_rows(len(state))}: {COLUMNS}") from None
        if following.shape != state.shape:
            raise Refused(
                f"returned the shape {following.shape} for {_rows(len(state))}, expected {state.shape}: {COLUMNS}"
            )
        return following

    def step(self, turn: int, state: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Return the next state; NaN from where on the function raised something: `failure` tells the step and what."""
        if self.failure is None:
            try:
                return self._step(state, output)
            except Exception as error:
                self.failure = turn, _worded(error)
        return np.full_like(state, np.nan)

    def step_gradient(
        self, turn: int, state: np.ndarray, output: np.ndarray, dnext: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of state and output for that of the next state."""
        if self.failure is None:
            try:
                return self._step_gradient(state, output, dnext)
            except Exception as error:
                self.failure = turn, _worded(error)
        return np.full_like(state, np.nan), np.full_like(output, np.nan)


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count > 1)}"


def _compiled(inputs: Sequence[Variable], outputs: Any) -> Any:
    """Compile with numba, whose machine code PyTensor keeps on disk: a step is called a hundred times an update.

    What numba cannot compile runs all the same, more slowly; that shows at the first call.
    """
    zeros = [np.zeros((TRIED[0], variable.type.shape[1]), variable.type.dtype) for variable in inputs]
    try:
        with _users_code():
            function = pytensor.function(inputs, outputs, mode="NUMBA", trust_input=True, on_unused_input="ignore")
            function(*zeros)
    except (NumbaError, NotImplementedError):
        return pytensor.function(inputs, outputs, mode=python_mode(), on_unused_input="ignore")
    except Exception:
        return function  # what the system itself raises, it raises again where it is told
    return function
