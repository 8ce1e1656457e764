"""``lstm backtest``: forecasts from many origins of a series, beside naive ones from the same origins.

Legend: N forecasts, H steps of each, D numbers of a step, T steps of a series.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.batching.whole import chunks
from lstm_cli.data.schema.record import Numbers
from lstm_cli.engine.system import dynamics
from lstm_cli.errors import ConfigError, DataError, counted
from lstm_cli.insight.backtest_plan import Plan, planned
from lstm_cli.insight.backtested import MODEL, Backtest
from lstm_cli.insight.observed import Given, Observed, read_observed
from lstm_cli.insight.rolling import Series, feeds_back, forecasts
from lstm_cli.predict import Run, load
from lstm_cli.run.origin import saved_config
from lstm_cli.run.seen import seen_of
from lstm_cli.scores.horizons import Forecasts
from lstm_cli.scores.naive import LAST, SEASONAL, titles_of
from lstm_cli.scores.prediction_intervals import Intervals, bounds_in
from lstm_cli.scores.seasons import seasonal_steps

ORIGINS = 20
_SCORED = "its scores are those of lstm evaluate RUN DATA"
_DRIVES = f"backtest: this model drives a system, from starts that are no series: {_SCORED} --trust"

Note = Callable[[str], None]


def ignored(text: str) -> None:
    """Do nothing with a note."""


def backtest(
    run: str | Path | Run,
    series: Given,
    *,
    origins: int = ORIGINS,
    horizon: int | None = None,
    form: str | None = None,
    note: Note = ignored,
) -> Backtest:
    """Forecast a series from several of its steps, as if it ended there, and compare with what came.

    Each forecast is the one that `lstm-predict` gives for the steps before it, with the known inputs of later steps
    taken from the series. Naive forecasts from the same origins stand beside it: the last value, and the value a season
    ago, for each season that is found in the steps before the first origin.

    Parameters
    ----------
    run : str, Path or Run
        A run folder, or what `lstm_cli.load` returned, of a model that forecasts numbers.
    series : str, Path or iterable of mappings
        A file as `lstm-predict` reads it, or sequences as for `Run.predict`, with the values that are to be predicted.
    origins : int
        How many forecasts, at most, of each series: in its second half, or if the run was trained on the file in the
        part held out for the test, or else for validation.
    horizon : int, optional
        Steps of a forecast; None: as many as the model predicts at once, or was trained to in a closed loop, or of
        another model that feeds its predictions back the shortest season, if it has at most 48 steps, else 12.
    form : str, optional
        Format of the file; None: that which the run's config names, else by the suffix.
    note : callable
        Called with what the user should know: series that are too short, rows that were skipped.

    Returns
    -------
    backtest : Backtest
        Errors by step ahead, and every forecast; ``to_json()`` gives what ``lstm backtest --json`` prints.

    Raises
    ------
    ConfigError
        The model does not forecast numbers, or not as many steps.
    DataError
        The file cannot be read, or has no series that is long enough.

    Examples
    --------
    >>> found = lstm_cli.backtest("runs/hourly", "data/hourly/test.csv")
    >>> found.to_json()["overall"]["model"]["mae"]
    15.7
    """
    run = run if isinstance(run, Run) else _loaded(Path(run))
    check_forecaster(run, horizon)
    if origins < 1:
        raise ConfigError(f"--origins {origins}: expected 1 or more")
    name, path, given = read_observed(run, series, form=form, note=note)
    seen = None if path is None else seen_of(run.folder, path)
    rollout = run.config.rollout
    horizon = horizon if horizon is not None or rollout is None else rollout.steps
    plan = planned(run.schema, given, seen, count=origins, horizon=horizon, note=lambda text: note(f"{name}: {text}"))
    return _tried(run, name, given, plan)


def _loaded(folder: Path) -> Run:
    """Return a run, unless it drives a system: its code is not needed to refuse it."""
    if dynamics(saved_config(folder)) is not None:
        raise ConfigError(_DRIVES)
    return load(folder)


def check_forecaster(run: Run, horizon: int | None) -> None:
    """Raise a `ConfigError` if a model does not forecast numbers, or not as many steps."""
    target, name = run.schema.target, run.schema.layout.target.name
    if run.drives:
        raise ConfigError(_DRIVES)
    if target.kind != "number":
        what = {"category": "labels", "set": "sets of labels", "several": f"several columns ({name})"}[target.kind]
        raise ConfigError(f"backtest: is for forecasts of numbers, and this model predicts {what}: {_SCORED}")
    if target.per == "sequence" or target.ahead == 0:
        which = "for the sequence" if target.per == "sequence" else "of the same step"
        raise ConfigError(f"backtest: is for forecasts, and this model predicts {name} {which}: {_SCORED}")
    if horizon is not None and horizon < 1:
        raise ConfigError(f"--horizon {horizon}: expected 1 or more")
    if feeds_back(run.schema):
        if run.network.bidirectional:
            what = "this model also reads a series from its end, so that it cannot continue it"
            raise ConfigError(f"backtest: {what}: train with model.bidirectional: false")
    elif horizon is not None and horizon > target.horizon:
        at_once = " at once" if target.horizon > 1 else ""
        what = f"this model predicts {counted(target.horizon, 'step')}{at_once}"
        raise ConfigError(f"--horizon {horizon}: {what}: give at most {target.horizon}")


def _tried(run: Run, name: str, series: Sequence[Observed], plan: Plan) -> Backtest:
    """Make the forecasts, and those before them that intervals are made from."""
    columns = run.schema.target.output_columns[: run.schema.target.width]
    both = [[*early, *late] for early, late in zip(plan.earlier, plan.origins, strict=True)]
    late = np.concatenate([np.arange(len(own)) >= len(early) for own, early in zip(both, plan.earlier, strict=True)])
    truth = np.concatenate([own.values[_later(origins, plan)] for own, origins in zip(series, both, strict=True)])
    titles = _titles(plan)
    curves, head = np.concatenate(_forecasts(run, series, both, plan.steps), axis=1), run.schema.target.head
    made = {MODEL: curves[head.middle if len(curves) > 1 else 0], **_naive(series, both, plan, titles)}
    known = np.logical_and.reduce([~np.isnan(values) for key, values in made.items() if key != MODEL])
    truth = np.where(known, truth, np.nan)
    if np.isnan(truth[late]).all():
        raise DataError(f"{name}: no step after an origin has a value to compare forecasts with: give a longer series")
    return Backtest(
        data=name,
        series=series,
        owners=np.repeat(np.arange(len(both)), list(map(len, both)))[late],
        origins=np.concatenate(both).astype(np.int64)[late],
        plan=plan,
        titles={MODEL: "the model", **titles},
        forecasters={key: Forecasts(truth[late], values[late], columns) for key, values in made.items()},
        predicted=bounds_in(head, curves[:, late]),
        fitted=Intervals.fit(Forecasts(truth[~late], made[MODEL][~late], columns)),
        ids=run.schema.layout.id,
        time=run.schema.layout.time,
    )


def _forecasts(run: Run, series: Sequence[Observed], origins: Sequence[Sequence[int]], steps: int) -> list[Numbers]:
    """Return the model's forecasts (C, origins, H, D) of every series; few series are held encoded at a time."""
    found: list[Numbers] = []
    for group in chunks(range(len(series)), lambda index: series[index].steps, run.schema.target.outputs):
        given = [Series.of(run.schema, series[index].record, origins[index], steps) for index in group]
        found += forecasts(run.network, given, steps)
    return found


def _later(origins: Sequence[int], plan: Plan) -> NDArray[np.int64]:
    """Return the steps (N, H) that forecasts from origins predict."""
    first = np.array(origins, np.int64)[:, np.newaxis] + plan.ahead - 1
    return first + np.arange(plan.steps)


def _titles(plan: Plan) -> dict[str, str]:
    """Return the names of the naive forecasters, each with a title that says what it forecasts; see `titles_of`."""
    seasons = {f"{SEASONAL}{period}": period for period in plan.periods}
    titles = {name: f"the value {counted(period, 'step')} ago" for name, period in seasons.items()}
    stand_ins = {
        name: sum(int((~_earlier(starts, plan, period)[1]).any(axis=1).sum()) for starts in plan.origins)
        for name, period in seasons.items()
    }
    return {LAST: "the last value", **titles_of(titles, stand_ins, sum(map(len, plan.origins)))}


def _naive(
    series: Sequence[Observed], origins: Sequence[Sequence[int]], plan: Plan, names: Iterable[str]
) -> dict[str, Numbers]:
    """Return the forecasts (N, H, D) of naive forecasters, from the origins of all series."""
    found = {}
    for name in names:
        period = 0 if name == LAST else int(name.removeprefix(SEASONAL))
        each = zip(series, origins, strict=True)
        found[name] = np.concatenate([own.filled[_earlier(starts, plan, period)[0]] for own, starts in each])
    return found


def _earlier(origins: Sequence[int], plan: Plan, period: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the steps (N, H) whose values are forecast, and which are of the season; see `seasonal_steps`.

    They are those of a season ago, or for a period of 0 the last ones.
    """
    last = np.array(origins, np.int64)[:, np.newaxis] - 1
    return seasonal_steps(last, _later(origins, plan) - last, [one for one in plan.periods if one <= period])
