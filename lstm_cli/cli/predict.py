"""``lstm-predict``: from a run folder and sequences to predictions."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lstm_cli.cli.common import SETTINGS, Command, noting, reported, show, typed, written
from lstm_cli.cli.generating import check_unused, chosen, generation_options
from lstm_cli.cli.options import (
    COUNT,
    PATH,
    format_option,
    runs_and_data,
    runs_argument,
    safe_csv_option,
    trust_option,
    verbosity_of,
    verbosity_options,
)
from lstm_cli.cli.ranks import check_alone
from lstm_cli.ranks.joining import joined
from lstm_cli.signals import Signals

_GENERATES_ALONE = (
    "--generate cannot be combined with DATA, --steps, --probabilities or states, nor with other options on DATA: "
    "leave them out."
)


@click.command(
    "predict", cls=Command, ranked=True, context_settings=SETTINGS,
    short_help="Predict sequences with a trained network.",
)  # fmt: skip
@runs_argument
@click.option(
    "-o", "--out", metavar="OUT", type=PATH,
    help="Write the predictions to this .jsonl or .csv file, or with a .conllu file as DATA fill the predicted column "
    "into a .conllu file.",
)  # fmt: skip
@safe_csv_option
@click.option("--probabilities", is_flag=True, help="Add the probability of every label.")
@click.option(
    "--evaluate", is_flag=True,
    help="Print the metrics, with -o OUT beside writing the predictions; DATA must hold the target.",
)  # fmt: skip
@click.option(
    "--keep", metavar="COLUMN,…", multiple=True, callback=lambda context, parameter, given: _columns(given),
    help="Carry these columns of DATA through to the predictions; all: every column.",
)  # fmt: skip
@format_option("DATA")
@click.option(
    "--steps", type=COUNT, metavar="N",
    help="Predict the N steps after the last of each sequence, where need be by feeding predictions back, or drive the "
    "system for N steps.",
)  # fmt: skip
@click.option(
    "--future", type=PATH, metavar="DATA",
    help="Read the known inputs of the steps after the last from this file; without --steps N: for all of its rows.",
)  # fmt: skip
@click.option(
    "--follow", is_flag=True,
    help="Predict each line of DATA as soon as it is there: a sequence, or its next steps, which continue from the "
    "state that is kept by id.",
)  # fmt: skip
@click.option(
    "--hidden", is_flag=True,
    help="Write what the last recurrent layer makes of each step and sequence, with -o OUT to a .npz or .jsonl file.",
)  # fmt: skip
@generation_options
@click.option("--state-in", type=PATH, metavar="FILE", help="Read the initial states from this file of --state-out.")
@click.option(
    "--state-out", type=PATH, metavar="FILE",
    help="Write the state after the last step to this .npz file: ids (N), states (N, S), layer by layer h and of an "
    "LSTM then c.",
)  # fmt: skip
@trust_option
@verbosity_options
def predict(
    given: tuple[Path, ...],
    *,
    out: Path | None,
    safe_csv: bool,
    probabilities: bool,
    evaluate: bool,
    keep: tuple[str, ...],
    form: str | None,
    steps: int | None,
    future: Path | None,
    follow: bool,
    hidden: bool,
    generate: int | None,
    state_in: Path | None,
    state_out: Path | None,
    trust: bool,
    quiet: bool,
    verbose: bool,
    **drawing: Any,
) -> None:
    """Predict the sequences in DATA with the model in the run folder RUN; several RUNs predict their mean.

    Predictions have the order and ids of DATA, original units and label names; step counts the steps of a
    sequence from 0. DATA may be - for standard input. Without -o, or with -o -, predictions go to standard output.

    \b
    Example:
      lstm-predict runs/quickstart new.jsonl -o predictions.csv
      lstm-predict runs/quickstart data/gestures/test.jsonl --evaluate
      lstm-predict runs/load meter.txt --format csv --keep meter,weather -o forecasts.csv
      tail -f meter.jsonl | lstm-predict runs/load - --follow
      lstm-predict runs/first runs/second new.jsonl
      lstm-predict runs/quickstart new.jsonl --hidden -o vectors.npz
      lstm-predict runs/pos_tagger plain.conllu -o tagged.conllu
      lstm-predict runs/pendulum_swing starts.jsonl --steps 200 --trust
      lstm-predict runs/shakespeare_chars --generate 500 --prompt "ROMEO:" --temperature 0.8 --top-p 0.95
    """  # noqa: D301
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    runs, data = runs_and_data(given)
    if generate is not None:
        if data or any((steps, probabilities, evaluate, keep, form, future, follow, hidden, state_in, state_out)):
            raise click.UsageError(_GENERATES_ALONE)
        _generate(runs, generate, out, drawing, trust=trust, verbosity=verbosity)
        return
    check_unused(drawing)
    if data is None:
        raise click.UsageError("Missing DATA: a file of sequences, - for standard input, or --generate N instead.")
    if evaluate:
        others = bool(probabilities or keep or state_in or state_out)
        _check_evaluation(data=data, out=out, steps=steps or future, others=others)
    if follow:
        _check_follow(out=out, evaluate=evaluate, keep=keep, future=future, safe_csv=safe_csv)
    if hidden:
        _check_alone("--hidden", probabilities=probabilities, evaluate=evaluate, keep=keep, follow=follow, steps=steps,
                     future=future, state_in=state_in, state_out=state_out, safe_csv=safe_csv)  # fmt: skip
        _hidden(runs, data, out, form, trust=trust, verbosity=verbosity)
        return
    with reported(verbosity), Signals() as signals, signals.at_once("before all sequences were predicted"):
        from lstm_cli.predict import predict_run

        typed(data, quiet=quiet)
        scores = predict_run(
            runs,
            data,
            out=None if out == Path("-") else out,
            probabilities=probabilities,
            evaluate=evaluate,
            steps=steps,
            state_in=state_in,
            state_out=state_out,
            keep=keep,
            form=form,
            future=future,
            follow=follow,
            safe_csv=safe_csv,
            trust=trust,
            note=noting(quiet=quiet),
            world=joined(),
        )
        written(None if out == Path("-") else out, quiet=quiet)
        if scores is not None:
            show(_table(scores) if sys.stdout.isatty() else _json(scores))


def _hidden(
    runs: Sequence[Path], data: Path, out: Path | None, form: str | None, *, trust: bool, verbosity: int
) -> None:
    """Write hidden vectors."""
    with reported(verbosity), Signals() as signals, signals.at_once("before all sequences were run"):
        from lstm_cli.predict.hidden_files import hidden_run

        file, quiet = None if out == Path("-") else out, verbosity < 0
        typed(data, quiet=quiet)
        hidden_run(runs, data, out=file, form=form, trust=trust, note=noting(quiet=quiet), world=joined())
        written(file, quiet=quiet)


def _generate(
    runs: Sequence[Path], count: int, out: Path | None, drawing: Mapping[str, Any], *, trust: bool, verbosity: int
) -> None:
    """Write texts that a language model draws."""
    check_alone("--generate")
    with reported(verbosity), Signals() as signals, signals.at_once("before all of the text was written"):
        from lstm_cli.predict.texts import generate_run

        file, quiet = None if out == Path("-") else out, verbosity < 0
        generate_run(runs, count, out=file, trust=trust, note=noting(quiet=quiet), **chosen(drawing))
        written(file, quiet=quiet)


def _check_evaluation(*, data: Path | None, out: Path | None, steps: int | Path | None, others: bool) -> None:
    """Refuse options that ``--evaluate`` has no use for."""
    if steps is not None:
        raise click.UsageError("--evaluate scores predictions: leave --steps and --future out.")
    if others and out is None:
        raise click.UsageError("--evaluate prints metrics, and predictions only with -o OUT: give it, or leave other "
                               "options out.")  # fmt: skip
    if out is not None and str(data) == "-":
        raise click.UsageError("--evaluate -o OUT reads DATA twice, which standard input does not allow: give a file.")


def _check_follow(*, out: Path | None, **others: object) -> None:
    """Refuse options that ``--follow`` has no use for."""
    check_alone("--follow")
    if out not in (None, Path("-")):
        raise click.UsageError("--follow writes to standard output, line by line: redirect that, and leave -o out.")
    _check_alone("--follow", **others)


def _check_alone(option: str, **others: object) -> None:
    """Refuse options that another one has no use for."""
    if given := [f"--{name.replace('_', '-')}" for name, value in others.items() if value]:
        raise click.UsageError(f"{option} cannot be combined with {', '.join(given)}: leave it out.")


def _columns(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in comma-separated lists."""
    names = tuple(name.strip() for part in given for name in part.split(","))
    if not all(names):
        raise click.BadParameter("expected names of columns, separated by commas")
    return names


def _table(scores: Mapping[str, float]) -> str:
    width = max(map(len, scores))
    return "\n".join(f"{name:<{width}}  {score:>12.6g}" for name, score in scores.items())


def _json(scores: Mapping[str, float]) -> str:
    """Return the scores as one JSON object; values that are not finite, which JSON lacks, are null."""
    return json.dumps({name: score if math.isfinite(score) else None for name, score in scores.items()})
