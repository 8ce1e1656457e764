"""A backtest as a table for a terminal, and every forecast of it as csv."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lstm_cli.errors import counted
from lstm_cli.insight.backtested import MODEL, Backtest
from lstm_cli.insight.tables import GAP, STEPS_AHEAD, aligned, cut, width_of
from lstm_cli.predict.table import distinct

_LONGEST = 28  # characters of a column's name in a table


def table(found: Backtest, width: int = 80) -> str:
    """Return the errors as text of at most `width` columns: over all steps ahead, and at some of them."""
    what = f"{counted(len(found), 'forecast')} of {counted(found.plan.steps, 'step')}"
    several = len(set(found.owners.tolist()))
    of = f", {several} series" if several > 1 else ""
    parts = [f"{found.data}: {what}{of}"]
    parts += ["\n".join(aligned(_fitting(*_rows(found, column), width), indent="")) for column in found.columns]
    notes = ["at N: the MAE N steps ahead"] * (found.plan.steps > 1)
    notes += ["skill: the share by which the MAE of the model is smaller", _interval(found)]
    return "\n\n".join([*parts, "\n".join(notes)])


def _rows(found: Backtest, column: str) -> tuple[list[list[str]], list[int]]:
    """Return the cells of a column's errors by forecaster, and the steps ahead that the last cells are of."""
    several = len(found.columns) > 1
    mae, rmse = (f"{metric}.{column}" if several else metric for metric in ("mae", "rmse"))
    ahead = found.steps_ahead
    chosen = [step for step in STEPS_AHEAD if ahead[0] <= step < ahead[-1]] + [ahead[-1]]
    chosen = sorted({ahead[0], *chosen}) if len(ahead) > 1 else []
    form = form_of(found.overall[MODEL][rmse])
    rows = [[cut(column, _LONGEST), "RMSE", "MAE", "skill", *(f"at {step}" for step in chosen)]]
    for name, title in found.titles.items():
        overall, at = found.overall[name], found.horizons[name][mae]
        skill = "" if name == MODEL else number(found.skill[name][mae], ".2f")
        cells = [number(overall[rmse], form), number(overall[mae], form), skill]
        rows.append([title, *cells, *(number(at[step - ahead[0]], form) for step in chosen)])
    return rows, chosen


def _fitting(rows: list[list[str]], chosen: list[int], width: int) -> list[list[str]]:
    """Return as many cells of rows as fit: of the steps ahead, the second ones are left out until all fits."""
    fixed = len(rows[0]) - len(chosen)
    kept = list(range(len(rows[0])))
    while _width(rows, kept) > width and len(kept) > fixed + 2:
        del kept[fixed + 1]
    return [[row[place] for place in kept] for row in rows]


def _width(rows: Sequence[Sequence[str]], kept: Sequence[int]) -> int:
    return sum(max(width_of(row[place]) for row in rows) + len(GAP) for place in kept) - len(GAP)


def _interval(found: Backtest) -> str:
    """Return what the intervals are worth, or why there are none."""
    interval = found.interval
    if not interval:
        return "no intervals: too few earlier forecasts to learn their errors from"
    level, share = (f"{100 * interval[name]:.0f} %" for name in ("level", "coverage"))
    width = number(interval["width"], form_of(interval["width"]))
    source = "that the model predicts" if found.predicted is not None else "from earlier errors"
    return f"{level} intervals, {source}, hold {share} of the values; mean width {width}"


def form_of(value: float) -> str:
    """Return how numbers like this one are shown: with about four digits, and as many decimals in each."""
    if not math.isfinite(value) or not 1e-4 <= abs(value) < 1e6:
        return ".3g"
    return f".{max(0, 3 - math.floor(math.log10(abs(value))))}f"


def number(value: float | None, form: str) -> str:
    """Return a number as text; a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:{form}}"


def lines(found: Backtest) -> Iterator[str]:
    """Yield every forecast step as a line of csv: what was observed, the model's forecast, the naive ones.

    ``origin`` is the last step that the forecast has seen, and `horizon` how many steps later the predicted one is.
    Without intervals there are no columns ``low`` and ``high``; a value that is not there is an empty cell.
    """
    time = [] if found.time is None else [found.time]
    bounds = {"low": found.bounds.low, "high": found.bounds.high} if found.interval else {}
    values = {MODEL: found.forecasters[MODEL].predicted} | bounds
    values |= {name: one.predicted for name, one in found.forecasters.items() if name != MODEL}
    columns = distinct(found.forecasters[MODEL].columns)
    yield _line([*found.ids, "origin", "step", *time, "horizon", "column", "observed", *values])
    for index in range(len(found)):
        own, steps = found.of(index), found.predicted_steps(index)
        ids = found.id(index)
        start = [*(ids if isinstance(ids, tuple) else [ids]), int(own.numbers(found.origins[index : index + 1] - 1)[0])]
        times = [[one] for one in found.times(index, steps)] or [[]] * len(steps)
        for h, (step, ahead) in enumerate(zip(own.numbers(steps).tolist(), found.steps_ahead, strict=True)):
            for d, column in enumerate(columns):
                cells = [own.values[steps[h], d], *(one[index, h, d] for one in values.values())]
                yield _line([*start, step, *times[h], ahead, column, *map(_cell, cells)])


def _cell(value: np.floating[Any]) -> str:
    return f"{value:.7g}" if np.isfinite(value) else ""


def _line(cells: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
