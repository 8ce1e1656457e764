"""A closed loop put together: the config's section `rollout`, the data's schema, and the user's system."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Dataset, Schema
from lstm_cli.errors import ConfigError
from lstm_cli.graph.dynamics import Dynamics, DynamicsError, Units, load_function
from lstm_cli.graph.plan import Sizes
from lstm_cli.graph.rollout import ClosedLoop, LoopPlan

TRIED = 8  # starts that a system is tried out on


@dataclass(frozen=True)
class Code:
    """The file of a system, as it is read once; and as it lies in the run folder from then on."""

    path: Path
    text: str

    @classmethod
    def of(cls, config: Config) -> Self:
        """Read the file that `rollout.dynamics` names."""
        path = config.source.resolve(config.rollout.dynamics.rpartition(":")[0])
        return cls.read(path, lambda problem: config.error("rollout.dynamics", problem))

    @classmethod
    def read(cls, path: Path, error: Any = ConfigError) -> Self:
        """Read a file; `error` makes the exception of what is wrong with it."""
        try:
            return cls(path, path.read_bytes().decode())
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "not UTF-8"
            raise error(f"{path} cannot be read ({reason}): give a file of Python") from None

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def build_loop(config: Config, schema: Schema, sizes: Sizes, code: Code | None) -> ClosedLoop:
    """Return the model of a closed loop, with its starting weights."""
    options = {"seed": config.seed, "dtype": config.precision}
    if config.rollout.dynamics is None:
        size = schema.target.size
        return ClosedLoop(config.model, sizes, LoopPlan(size, tuple(range(size)), None), **options)
    loop, state = schema.layout.closed_loop, schema.scaling[schema.layout.inputs[0].name]
    size, outputs = len(state.center), config.model.output.size
    name = config.rollout.dynamics.rpartition(":")[2]
    label = f"{code.path.name}:{name}"
    units = Units(state.center, state.spread)
    try:
        function = load_function(code.path, name, code.text)
    except DynamicsError as error:
        raise config.error("rollout.dynamics", str(error)) from None
    try:
        system = Dynamics(function, label, size, outputs, units, config.precision)
    except DynamicsError as error:
        raise config.error("rollout.dynamics", f"{label}: {error}") from None
    plan = LoopPlan(size, loop.elements, system)
    return ClosedLoop(config.model, replace(sizes, outputs=outputs), plan, **options)


def try_system(config: Config, model: ClosedLoop, dataset: Dataset) -> None:
    """Run the system on a few starts before the long work, or raise the `ConfigError` that says what is wrong."""
    if model.loop.system is None:
        return
    closing = dataset.offsets[:-1] + dataset.observed - 1
    states = dataset.numbers[closing[:TRIED], : model.loop.size]
    try:
        model.loop.system.try_out(np.ascontiguousarray(states))
    except DynamicsError as error:
        raise config.error("rollout.dynamics", f"{model.loop.system.label}: {error}") from None
