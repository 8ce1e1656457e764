"""``lstm evaluate``: scores that explain themselves."""

from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported, show_found, typed, written
from lstm_cli.cli.options import (
    PATH,
    format_option,
    json_option,
    runs_and_data,
    runs_argument,
    safe_csv_option,
    trust_option,
    verbosity_of,
    verbosity_options,
)
from lstm_cli.signals import Signals


@click.command(
    "evaluate", cls=Command, context_settings=SETTINGS, short_help="Score a network, and see where it is wrong."
)
@runs_argument
@click.option(
    "--by", metavar="length|COLUMN",
    help="Give scores by the length of the sequences, or for each value of this column of the data, which need not be "
    "an input.",
)  # fmt: skip
@click.option(
    "-o", "--out", metavar="OUT", type=PATH,
    help="Write the errors to this .csv or .jsonl file, the surest first: id, step, input, truth, prediction, "
    "confidence; of numbers all predictions, the largest error first.",
)  # fmt: skip
@json_option
@format_option("DATA")
@safe_csv_option
@trust_option
@verbosity_options
def evaluate(
    given: tuple[Path, ...],
    *,
    by: str | None,
    out: Path | None,
    as_json: bool,
    form: str | None,
    safe_csv: bool,
    trust: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Score the model in the run folder RUN on DATA, which must hold the target.

    Without DATA on the run's own test data, or if it has none on its validation data. Scores have 95 % confidence
    intervals (bootstrap over sequences) and stand beside those of naive predictors; skill is 1 for a perfect model
    and 0 for one as good as the naive predictor. DATA may be - for standard input. Of several RUNs the mean of their
    predictions is scored, and each of them beside it.

    \b
    Example:
      lstm evaluate runs/quickstart
      lstm evaluate runs/quickstart data/gestures/test.jsonl --by length
      lstm evaluate runs/first runs/second new.jsonl
      lstm evaluate runs/load meter.csv --by weekday -o errors.csv
      lstm evaluate runs/quickstart --json > scores.json
    """  # noqa: D301
    runs, data = runs_and_data(given)
    with reported(verbosity_of(quiet=quiet, verbose=verbose)), Signals() as signals:
        with signals.at_once("before all sequences were scored"):
            from lstm_cli.insight.evaluate import evaluate as evaluated
            from lstm_cli.insight.evaluation_text import evaluation_text

            typed(data, quiet=quiet)
            found = evaluated(
                runs,
                data,
                by=by,
                out=out,
                form=form,
                safe_csv=safe_csv,
                trust=trust,
                note=noting(quiet=quiet),
            )
            written(out, quiet=quiet)
            show_found(found, evaluation_text, as_json=as_json)
