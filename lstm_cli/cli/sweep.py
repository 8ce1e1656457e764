"""``lstm sweep``: searches over the config's section `sweep`."""

import sys
from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, reported
from lstm_cli.cli.completion import keys
from lstm_cli.cli.options import COUNT, verbosity_of, verbosity_options


@click.command("sweep", cls=Command, context_settings=SETTINGS, short_help="Search for the best values of keys.")
@click.argument("config", metavar="CONFIG.yaml", type=click.Path(allow_dash=True))
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=keys)
@click.option(
    "-o", "--out", "folder", metavar="FOLDER", type=click.Path(path_type=Path),
    help="The folder of the runs.  [default: runs/ and the name of the config file, with -sweep]",
)  # fmt: skip
@click.option(
    "--workers", type=COUNT, metavar="N",
    help="Train N trials at a time, at most one on each core; same as the override sweep.workers=N.",
)  # fmt: skip
@verbosity_options
def sweep(
    config: str, overrides: tuple[str, ...], *, folder: Path | None, workers: int | None, quiet: bool, verbose: bool
) -> None:
    """Search the keys that the section sweep of CONFIG.yaml names for values with the best monitored score.

    Each trial is a run in FOLDER, trained by lstm-train in a process of its own; the best one is linked as best, and
    report.html compares them. The same command again continues a search that was stopped or killed, and joins one that
    runs: several machines may search together with sweep.storage, a PostgreSQL database.

    \b
    Example:
      lstm sweep config.yaml
      lstm sweep config.yaml sweep.trials=20 sweep.time=2h --workers 2 -o runs/search
      lstm sweep config.yaml sweep.storage=postgresql://host/database
    """  # noqa: D301
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    with reported(verbosity):
        from lstm_cli.config import load_config

        settings = load_config(config, overrides)
        from lstm_cli.sweeps.run import sweep as run_sweep
        from lstm_cli.sweeps.shown import Shown, found_text

        shown = Shown(sys.stderr, quiet=quiet)
        try:
            found = run_sweep(settings, config, overrides, shown, folder=folder, workers=workers)
        finally:
            shown.close()
        if not quiet:
            click.echo(found_text(found, settings.train.monitor), err=True)
