"""``lstm backtest``: forecasts from many steps of a series, beside naive ones."""

from pathlib import Path

import click

from lstm_cli.cli.common import (
    SETTINGS,
    Command,
    noting,
    reported,
    show_found,
    verbosity_of,
    verbosity_options,
    written,
)
from lstm_cli.signals import Signals

_PATH = click.Path(path_type=Path)
_COUNT = click.IntRange(min=1, max=2**31 - 1)


@click.command(
    "backtest",
    cls=Command,
    context_settings=SETTINGS,
    short_help="Errors of forecasts by steps ahead, beside naive forecasts.",
)
@click.argument("run", metavar="RUN", type=_PATH)
@click.argument("series", metavar="SERIES", type=_PATH, required=False)
@click.option(
    "--origins", type=_COUNT, metavar="N", default=20, show_default=True,
    help="Forecast from at most N steps of each series.",
)  # fmt: skip
@click.option(
    "--horizon", type=_COUNT, metavar="H",
    help="Forecast H steps; by default as many as the model predicts at once or was trained to in a closed loop, else "
    "the shortest season, if it has at most 48 steps, else 12.",
)  # fmt: skip
@click.option(
    "-o", "--out", metavar="FILE", type=_PATH,
    help="Write every forecast to this .csv file, or charts of errors and three forecasts to this .html or .svg one.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as where stdout is no terminal.")
@click.option(
    "--format", "form", metavar="F",
    help="Format of SERIES, such as csv; by default as in training: the one that data.format set, or by the suffix.",
)  # fmt: skip
@verbosity_options
def backtest(
    run: Path,
    series: Path | None,
    *,
    origins: int,
    horizon: int | None,
    out: Path | None,
    as_json: bool,
    form: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Forecast SERIES from several of its steps, as if it ended there, with the model in the run folder RUN.

    Each forecast is that of lstm-predict --steps H for the steps before; known inputs of later steps are taken from
    SERIES. The steps lie in its second half; if RUN was trained on it, in the part held out for the test, or else
    for validation. Naive forecasts stand beside: the last value, and the value a season ago.

    \b
    Example:
      lstm backtest runs/hourly data/hourly/test.csv
      lstm backtest runs/airline data/public/series/airline-passengers.csv --horizon 12 -o forecasts.csv
      lstm backtest runs/hourly data/hourly/test.csv --origins 100 -o forecasts.html
    """  # noqa: D301
    if series is None:
        raise click.UsageError("Missing SERIES: a file of series to forecast, such as the one that RUN was trained on.")
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    with reported(verbosity), Signals() as signals, signals.at_once("before all forecasts were made"):
        from lstm_cli.insight.backtest_text import table
        from lstm_cli.report.backtest import backtest_run

        found = backtest_run(
            run,
            series,
            out=out,
            origins=origins,
            horizon=horizon,
            form=form,
            note=noting(quiet=quiet),
        )
        written(out, quiet=quiet)
        show_found(found, table, as_json=as_json)
