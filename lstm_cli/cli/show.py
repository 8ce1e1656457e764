"""``lstm show``: what a run is."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, reported, show_found
from lstm_cli.cli.options import json_option, run_argument, verbosity_of, verbosity_options


@click.command(
    "show", cls=Command, context_settings=SETTINGS, short_help="Show a run: model, schema, checkpoints, provenance."
)
@run_argument
@json_option
@verbosity_options
def show(run: Path, *, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Show what the run in the folder RUN is: model, schema, checkpoints, files, and where it came from.

    The checkpoints are verified, and damaged parts named. RUN may be training, and nothing in it is changed.

    \b
    Example:
      lstm show runs/quickstart
      lstm show runs/quickstart --json > run.json
    """  # noqa: D301
    with reported(verbosity_of(quiet=quiet, verbose=verbose)):
        from lstm_cli.insight.show import show as described
        from lstm_cli.insight.show_text import description_text

        found = described(run)
        show_found(found, description_text, as_json=as_json)
