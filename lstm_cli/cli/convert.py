"""``lstm convert``: data files as Arrow, read in place whatever their size."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported
from lstm_cli.cli.options import PATH, verbosity_of, verbosity_options


@click.command("convert", cls=Command, context_settings=SETTINGS, short_help="Convert data files to Arrow.")
@click.argument("data", metavar="DATA")
@click.option(
    "-o", "--out", metavar="FOLDER", type=PATH, required=True, help="Folder to write, which must not exist yet."
)
@click.option(
    "--id", "ids", metavar="COLUMN", multiple=True,
    help="Column that identifies a sequence, as data.id; several times for several. By default id.",
)  # fmt: skip
@verbosity_options
def convert(data: str, *, out: Path, ids: tuple[str, ...], quiet: bool, verbose: bool) -> None:
    """Write the file, the files of the pattern, or the folder DATA as one Arrow file with a row for each sequence.

    A config names the folder as data.train. It is read with few sequences at a time, whatever the size. Of a table
    with a step per row, a column that never changes within a sequence becomes one value of it: a target per sequence,
    or an input with static: true.

    \b
    Example:
      lstm convert configs/data/vowels-train.jsonl -o vowels
      lstm convert logs -o logs-arrow --id machine
    """  # noqa: D301
    with reported(verbosity_of(quiet=quiet, verbose=verbose)):
        from lstm_cli.training.converting import convert_files

        noting(quiet=quiet)(convert_files(data, out, ids=ids))
