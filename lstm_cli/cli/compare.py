"""``lstm compare``: runs side by side."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported, show_found, wants_json, written
from lstm_cli.cli.options import PATH, json_option, verbosity_of, verbosity_options


@click.command(
    "compare",
    cls=Command,
    context_settings=SETTINGS,
    short_help="Show runs side by side: what differs, and the scores.",
)
@click.argument("runs", metavar="RUN…", type=PATH, nargs=-1, required=True)
@click.option(
    "-o", "--out", metavar="FILE", type=PATH,
    help="Write the comparison with the curves of all runs to this .html file.",
)  # fmt: skip
@json_option
@verbosity_options
def compare(runs: tuple[Path, ...], *, out: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Show runs side by side, the best first: their scores, and the keys of their configs that differ.

    RUN is a run folder, or a folder of run folders. Runs are sorted by the score that they monitor; scores of different
    validation data do not compare, which is said. Skill is 1 for a perfect model and 0 for one as good as the best
    naive predictor.

    \b
    Example:
      lstm compare runs
      lstm compare runs/small runs/large -o compare.html
      lstm compare runs --json > runs.json
    """  # noqa: D301
    with reported(verbosity_of(quiet=quiet, verbose=verbose)):
        from lstm_cli.insight.compare_text import comparison_text
        from lstm_cli.report.compare import compare_runs

        found = compare_runs(runs, out=out)
        written(out, quiet=quiet)
        if wants_json(as_json=as_json):
            for note in found.notes:
                noting(quiet=quiet)(note)
        show_found(found, comparison_text, as_json=as_json)
