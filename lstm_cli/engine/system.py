"""Builds a closed loop from the config's section `rollout`, the data's schema and the user's system."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batch, Dataset, Schema
from lstm_cli.errors import ConfigError, LstmError, counted
from lstm_cli.graph.dynamics import Dynamics, DynamicsError, Units, load_function
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import Sizes
from lstm_cli.graph.rollout import ClosedLoop, ClosedLoopPlan
from lstm_cli.plain_files import read_plain

STARTS_TRIED = 8  # before training, to find errors of a system early


@dataclass(frozen=True)
class Code:
    """The source file of a system, read once and copied into the run folder."""

    path: Path
    text: str

    @classmethod
    def of(cls, config: Config) -> Self | None:
        """Read the file that `rollout.dynamics` names, if it names one."""
        named = dynamics(config)
        if named is None:
            return None
        return cls.read(config.source.resolve(named[0]), lambda problem: config.error("rollout.dynamics", problem))

    @classmethod
    def read(cls, path: Path, error: Callable[[str], LstmError] = ConfigError) -> Self:
        """Read a file; `error` returns the exception for a problem with it."""
        try:
            content = read_plain(path)
        except OSError as problem:
            raise error(f"{path} cannot be read ({problem.strerror}): give a file of Python") from None
        return cls.of_bytes(path, content, error)

    @classmethod
    def of_bytes(cls, path: Path, content: bytes, error: Callable[[str], LstmError] = ConfigError) -> Self:
        """Return the code of a file that was read already; `path` is for messages."""
        try:
            return cls(path, content.decode())
        except UnicodeDecodeError:
            raise error(f"{path} cannot be read (not UTF-8): give a file of Python") from None

    @property
    def content(self) -> bytes:
        """The bytes of the file: those that are hashed, written to the run folder and run."""
        return self.text.encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.content).hexdigest()


class Divergence(NamedTuple):
    """Where a system produced a state that is not finite: as text, and the column b of the batch."""

    where: str
    column: int


def dynamics(config: Config) -> tuple[str, str] | None:
    """Return the file and the function that `rollout.dynamics` names; None where there is no system."""
    if config.rollout is None or config.rollout.dynamics is None:
        return None
    file, _, function = config.rollout.dynamics.rpartition(":")
    return file, function


def build_closed_loop(config: Config, schema: Schema, sizes: Sizes, code: Code | None) -> ClosedLoop:
    """Return the model of a closed loop, with initial weights.

    `code` is the file of the system that `rollout.dynamics` names; without a system the closed loop feeds back the
    model's own predictions.
    """
    named = dynamics(config)
    if named is None:
        size = schema.target.size
        plan = ClosedLoopPlan(size, tuple(range(size)), None)
    else:
        closed_loop, output = schema.layout.closed_loop, config.model.output
        if code is None or closed_loop is None or output is None:
            raise ValueError("a model that drives a system is built from its code, its layout and model.output")
        system = _system(config, schema, code, named[1], outputs=output.size)
        plan = ClosedLoopPlan(system.size, closed_loop.elements, system)
    return ClosedLoop(config.model, sizes, plan, seed=config.seed, dtype=config.precision)


def _system(config: Config, schema: Schema, code: Code, name: str, *, outputs: int) -> Dynamics:
    """Return the system that a function defines, or raise the `ConfigError` that says what is wrong with it."""
    scaling = schema.scaling[schema.layout.inputs[0].name]
    label = f"{code.path.name}:{name}"
    try:
        function = load_function(code.path, name, code.text)
    except DynamicsError as error:
        raise config.error("rollout.dynamics", str(error)) from None
    try:
        units = Units(scaling.center, scaling.spread)
        return Dynamics(function, label, len(scaling.center), outputs, units, config.precision)
    except DynamicsError as error:
        raise config.error("rollout.dynamics", f"{label}: {error}") from None


def try_system(config: Config, model: Model, dataset: Dataset) -> None:
    """Run the system on a few starts before training, or raise the `ConfigError` that says what is wrong."""
    system = system_of(model)
    if system is None or dataset.observed is None or dataset.numbers is None:
        return
    closing = dataset.offsets[:-1] + dataset.observed - 1
    states = dataset.numbers[closing[:STARTS_TRIED], : system.size]
    try:
        system.try_out(np.ascontiguousarray(states))
    except DynamicsError as error:
        raise config.error("rollout.dynamics", f"{system.label}: {error}") from None


def system_of(model: Model) -> Dynamics | None:
    """Return the system that a model drives; None where it drives none."""
    system = model.closed_loop.system if isinstance(model, ClosedLoop) else None
    return system if isinstance(system, Dynamics) else None


def divergence(model: Model) -> Divergence | None:
    """Return where a model's system produced a state that is not finite in the last batch; None if it did not."""
    system = system_of(model)
    if system is None or system.diverged is None:
        return None
    turn, column = system.diverged
    return Divergence(f"{system.label} produced a state that is not finite at step {turn} of the closed loop", column)


def check_system(model: Model, batch: Batch) -> None:
    """Raise a `ConfigError` if the system that a model drives raised an exception in the last batch."""
    system = system_of(model)
    if system is None or system.failure is None or batch.observed is None:
        return
    time, error = system.failure
    system.failure = None
    turn = time - int(batch.observed.min()) + 2
    raise ConfigError(
        f"{system.label}: raised {error}, at step {turn} of a closed loop with "
        f"{counted(len(batch.lengths), 'sequence')}"
    )
