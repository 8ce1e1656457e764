"""``lstm backtest``: forecasts from many steps of a series, beside naive ones."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported, show_found, written
from lstm_cli.cli.options import COUNT, PATH, format_option, json_option, run_argument, verbosity_of, verbosity_options
from lstm_cli.signals import Signals


@click.command(
    "backtest",
    cls=Command,
    context_settings=SETTINGS,
    short_help="Errors of forecasts by steps ahead, beside naive forecasts.",
)
@run_argument
@click.argument("series", metavar="SERIES", type=PATH, required=False)
@click.option(
    "--origins", type=COUNT, metavar="N", default=20, show_default=True,
    help="Forecast from at most N steps of each series.",
)  # fmt: skip
@click.option(
    "--horizon", type=COUNT, metavar="H",
    help="Forecast H steps; by default as many as the model predicts at once or was trained to in a closed loop, else "
    "the shortest season, if it has at most 48 steps, else 12.",
)  # fmt: skip
@click.option(
    "-o", "--out", metavar="FILE", type=PATH,
    help="Write every forecast to this .csv file, or charts of errors and three forecasts to this .html or .svg one.",
)  # fmt: skip
@json_option
@format_option("SERIES")
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
        from lstm_cli.insight.backtest_files import backtest_file
        from lstm_cli.insight.backtest_text import table
        from lstm_cli.report.backtest import DRAWN

        found = backtest_file(
            run,
            series,
            out=out,
            origins=origins,
            horizon=horizon,
            form=form,
            note=noting(quiet=quiet),
            drawn=DRAWN,
        )
        written(out, quiet=quiet)
        show_found(found, table, as_json=as_json)
