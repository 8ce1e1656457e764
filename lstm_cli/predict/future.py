"""The known inputs of the steps after the end of the data: from a second file, or from the calendar."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from lstm_cli.data import Schema
from lstm_cli.data.formats.raw import RawSequence, ValueProblem, problem_at
from lstm_cli.data.schema.grid import following, grid_of
from lstm_cli.data.schema.known import continued_by_calendar
from lstm_cli.data.schema.layout import Layout, TargetColumn
from lstm_cli.data.schema.parsing import parse
from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.target import Target
from lstm_cli.data.schema.times import written
from lstm_cli.errors import ConfigError, DataError, counted, listed

Extension = Callable[[Record], Record]


class Future:
    """The known inputs of later steps, by the ids of their series.

    Parameters
    ----------
    schema : Schema
    sequences : iterable of raw sequences
        The rows after the last of each series.
    name : str
        What the sequences come from, for messages.

    Raises
    ------
    ConfigError
        The model has no known inputs.
    DataError
        Values are missing or wrong, or an id occurs twice.
    """

    def __init__(self, schema: Schema, sequences: Iterable[RawSequence], name: str) -> None:
        layout = known_layout(schema.layout)
        self._name, self._layout = name, schema.layout
        self._records: dict[str, Record] = {}
        for sequence in sequences:
            record = parse(layout, sequence, labelled=False)
            if str(record.id) in self._records:
                raise DataError(f"{record.where}: {name} has the id {record.id} twice: put its rows together")
            self._records[str(record.id)] = record

    @property
    def steps(self) -> int:
        """How many later steps every series has.

        Raises
        ------
        ConfigError
            They differ.
        """
        counts = {record.steps for record in self._records.values()}
        if len(counts) != 1:
            shown = listed([f"{id_}: {record.steps}" for id_, record in self._records.items()])
            raise ConfigError(f"--future {self._name}: series have different numbers of rows ({shown}): give --steps N")
        return counts.pop()

    def __call__(self, record: Record) -> Record:
        """Return the record of a series with its later known inputs.

        Raises
        ------
        DataError
            The series has no rows, or they do not follow its last step.
        """
        later = self._records.get(str(record.id))
        if later is None:
            what = f"{self._name} has no rows for the series {record.id}, only for {listed([*self._records])}"
            raise DataError(f"{record.where}: {what}: add them, with the id that the series has")
        if record.times is not None and later.times is not None:
            self._check_times(record, later)
        self._check_transforms(record, later)
        return replace(record, future=later.inputs, future_times=later.times)

    def _check_transforms(self, record: Record, later: Record) -> None:
        """Refuse values whose transforms, which continue those of the series, are not defined."""
        for column in self._layout.known:
            own = later.numbers(column.name)
            try:
                column.chain.apply(np.concatenate([record.numbers(column.name), own]))
            except ValueProblem as problem:
                step = max((problem.step or 0) - record.steps, 0)
                problem = ValueProblem(problem.what, problem.fix, step=step)
                raise problem_at(later.where, column.name, problem) from None

    def _check_times(self, record: Record, later: Record) -> None:
        known, times = record.times, later.times
        if known is None or times is None:
            return
        grid = grid_of(known)
        found, last = written(times[:1])[0], written(known[-1:])[0]
        if times[0] <= known[-1]:
            what = f"{found} is not after {last}, the last of the series {record.id}"
            raise DataError(f"{later.where}: {what}: give the rows that follow it only")
        if grid is None or not grid.regular:
            return
        expected = following(known, len(times))
        wrong = np.flatnonzero(times != expected)
        if len(wrong):
            step = int(wrong[0])
            shown, right = written(times[step : step + 1])[0], written(expected[step : step + 1])[0]
            what = (
                f"expected {right}, as the series {record.id} ends at {last} and has steps of {grid.text}, got {shown}"
            )
            raise DataError(f"{later.where}: {what}: give a row for every step")


def known_layout(layout: Layout) -> Layout:
    """Return the layout of a file with later values of the known inputs, as they are written.

    Raises
    ------
    ConfigError
        There are none.
    """
    inputs = tuple(replace(column, chain=Chain()) for column in layout.known)
    if not inputs:
        fix = "leave it out, or train with data.inputs: {NAME: {known: true}}"
        raise ConfigError(f"--future: this model has no inputs whose later values are known: {fix}")
    return replace(layout, inputs=inputs, target=TargetColumn(None, "number"), closed_loop=None)


def extension(layout: Layout, steps: int | None, future: Future | None) -> Extension | None:
    """Return what adds the known inputs of later steps to a record; None: nothing is needed.

    Parameters
    ----------
    layout
    steps
        Steps to forecast; None: predictions only.
    future
        From a file; None: those of the time continue regularly.
    """
    if future is not None:
        return future
    ahead = max(layout.target.reach, steps or 0) + layout.target.ahead
    if not layout.known and (steps is None or layout.time is None):
        return None
    return lambda record: continued_by_calendar(layout, record, ahead)


def forecast_steps(target: Target, steps: int | None, future: Future | None) -> int:
    """Return how many steps to forecast, or raise the `ConfigError` that says what is wrong with the number."""
    if steps is None and future is None:
        raise ConfigError("--steps: give the number of steps to forecast")
    given = 0 if future is None or steps is not None else future.steps
    asked = steps if steps is not None else given - max(target.ahead - 1, 0)
    if asked < 1:
        what = f"--future has {counted(given, 'row')}, but the first step predicted is {target.ahead} after the last"
        raise ConfigError(f"{what}: give more")
    if target.horizon > 1 and asked > target.horizon:
        if steps is not None:
            what, most = f"--steps {steps}: this model predicts {target.horizon} steps at once", str(target.horizon)
        else:
            what = f"--future has {given} rows: this model predicts the steps {target.ahead} to {target.reach}"
            most = str(target.reach)
        raise ConfigError(f"{what}: give at most {most}")
    return asked
