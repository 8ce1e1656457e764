"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
COUNT = click.IntRange(min=1, max=2**31 - 1)

run_argument = click.argument("run", metavar="RUN", type=PATH)
runs_argument = click.argument("given", metavar="RUN... [DATA]", nargs=-1, required=True, type=PATH)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as where stdout is no terminal.")
safe_csv_option = click.option(
    "--safe-csv", is_flag=True,
    help="With -o OUT.csv: quote every cell, and put ' before text that a spreadsheet would run as a formula, as it "
    "begins with =, +, -, @, a tab or a line end and is no number.",
)  # fmt: skip
trust_option = click.option(
    "--trust", is_flag=True, help="Allow running the code stored in RUN, of the system that the model drives."
)


def runs_and_data(given: tuple[Path, ...]) -> tuple[list[Path], Path | None]:
    """Return the run folders of ``RUN... [DATA]``, and DATA: what stands behind the first RUN and is no run."""
    first, *others = given
    runs, data = [first], others
    if any(path.is_dir() for path in others):  # else none of them is a run, which takes imports to know
        from lstm_cli.predict import is_model

        runs, data = [first, *filter(is_model, others)], [path for path in others if not is_model(path)]
    if len(data) > 1:
        names = " and ".join(str(path) for path in data[:2])
        raise click.UsageError(f"{names} are no run folders, and only one may be DATA: leave one out.")
    return runs, data[0] if data else None


def format_option(data: str) -> Callable[[Decorated], Decorated]:
    """Return ``--format`` of a file that the command's help calls `data`."""
    default = "by default as in training: the one that data.format set, or by the suffix"
    return click.option("--format", "form", metavar="F", help=f"Format of {data}, such as csv; {default}.")


def verbosity_options(command: Decorated) -> Decorated:
    """Add ``-q`` and ``-v`` to a command."""
    command = click.option("-v", "--verbose", is_flag=True, help="Print more, and the traceback of an error.")(command)
    return click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors.")(command)


def verbosity_of(*, quiet: bool, verbose: bool) -> int:
    """Return -1 for quiet, 0, or 1 for verbose."""
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other: give one of them.")
    return int(verbose) - int(quiet)
