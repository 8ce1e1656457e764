"""The metrics of several target columns, named after them."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from lstm_cli.engine.metrics import Accumulator, accumulator
from lstm_cli.engine.task import Task

T = TypeVar("T")


class Tasks(Task, Protocol):
    """The properties of one target, or of several columns of kind ``several``."""

    @property
    def targets(self) -> Sequence[Task]:
        """Of several columns: each."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of several columns: their names."""


def accumulators(task: Tasks) -> dict[str, Accumulator]:
    """Return the empty accumulator of each target column by its name; of a task with one target under no name."""
    if task.kind != "several":
        return {"": accumulator(task)}
    return {name: accumulator(one) for name, one in zip(task.names, task.targets, strict=True)}


def of_column(metrics: Mapping[str, T], column: str) -> dict[str, T]:
    """Return the metrics of one of several target columns under the names that they have among those of all."""
    return {f"{name}.{column}" if column else name: value for name, value in metrics.items()}


def metric_names(task: Tasks) -> list[str]:
    """Return the metrics of a task, the most informative first."""
    each = accumulators(task).items()
    return [name for column, metrics in each for name in of_column(dict.fromkeys(metrics.names), column)]
