"""``lstm report``: makes the report of a run again."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported, show
from lstm_cli.cli.options import run_argument, trust_option, verbosity_of, verbosity_options
from lstm_cli.errors import on_one_line
from lstm_cli.signals import Signals


@click.command("report", cls=Command, context_settings=SETTINGS, short_help="Make the report of a run again.")
@run_argument
@trust_option
@verbosity_options
def report(run: Path, *, trust: bool, quiet: bool, verbose: bool) -> None:
    """Make the report of a run again, and print where it is.

    RUN is a run folder, or the folder of a sweep. What the report of an earlier version, or of a run that was stopped,
    lacks is made of the run's data if that is still where it was. A run may be training meanwhile.

    \b
    Example:
      lstm report runs/quickstart
    """  # noqa: D301
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    with reported(verbosity), Signals() as signals, signals.at_once("before the report was made"):
        from lstm_cli.sweeps.page import is_sweep, remake

        if is_sweep(run):
            show(on_one_line(remake(run)))
            return
        from lstm_cli.report.remake import make_report

        page = make_report(
            run,
            trust=trust,
            note=noting(quiet=quiet),
        )
        show(on_one_line(page))
