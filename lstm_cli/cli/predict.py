"""``lstm-predict``: a run folder and sequences in, predictions out."""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from lstm_cli.cli.common import SETTINGS, reported, verbosity_of, verbosity_options
from lstm_cli.signals import Signals

_PATH = click.Path(path_type=Path)


@click.command("predict", context_settings=SETTINGS, short_help="Predict sequences with a trained network.")
@click.argument("run", metavar="RUN", type=_PATH)
@click.argument("data", metavar="[DATA]", type=_PATH, required=False)
@click.option(
    "-o", "--out", metavar="OUT", type=_PATH, help="File for the predictions, .jsonl or .csv; - is standard output."
)
@click.option("--probabilities", is_flag=True, help="Add the probability of every label.")
@click.option("--evaluate", is_flag=True, help="Print the metrics, where DATA holds the target.")
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N",
    help="Go on for N steps after each sequence, feeding predictions back; or drive the system for N steps.",
)  # fmt: skip
@click.option(
    "--generate", type=click.IntRange(min=1), metavar="N", help="Draw N symbols from a language model; needs no DATA."
)
@click.option("--prompt", metavar="TEXT", help="With --generate: what the text starts with.")
@click.option(
    "--temperature", type=click.FloatRange(min=0), metavar="T",
    help="With --generate: below 1 likelier symbols, above 1 odder ones; 0 always the likeliest.  [default: 1]",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=1, show_default=True, help="Of the draws.")
@click.option("--state-in", type=_PATH, metavar="F", help="Start from the state in this file.")
@click.option("--state-out", type=_PATH, metavar="F", help="Write the state after the last step to this file.")
@click.option("--trust", is_flag=True, help="Run the code of the system that the model drives, which RUN keeps.")
@verbosity_options
def predict(
    run: Path,
    data: Path | None,
    *,
    out: Path | None,
    probabilities: bool,
    evaluate: bool,
    steps: int | None,
    generate: int | None,
    prompt: str | None,
    temperature: float | None,
    seed: int,
    state_in: Path | None,
    state_out: Path | None,
    trust: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Predict the sequences in DATA with the network in the folder RUN.

    Rows come out in the order of DATA with their ids, in original units and label names. DATA may be - for standard
    input. Without -o they go to standard output.

    \b
    Example:
      lstm-predict runs/quickstart new.jsonl -o predictions.csv
      lstm-predict runs/quickstart test.jsonl --evaluate
      lstm-predict runs/pendulum_swing starts.jsonl --steps 200 --trust
      lstm-predict runs/shakespeare --generate 500 --prompt "ROMEO:" --temperature 0.8
    """  # noqa: D301
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    if generate is None:
        _check_data(data=data, prompt=prompt, temperature=temperature)
    elif data or steps or probabilities or state_in or state_out:
        raise click.UsageError("--generate draws without DATA, --steps, --probabilities and states: leave them out.")
    if evaluate and (out or probabilities or steps or generate or state_in or state_out):
        raise click.UsageError("--evaluate prints scores and no predictions: leave the other options out.")
    with reported(verbosity), Signals() as signals, signals.at_once("before all was predicted"):
        from lstm_cli.predict import predict_run

        scores = predict_run(
            run,
            data,
            out=None if out == Path("-") else out,
            probabilities=probabilities,
            evaluate=evaluate,
            steps=steps,
            generate=generate,
            prompt=prompt or "",
            temperature=1.0 if temperature is None else temperature,
            seed=seed,
            state_in=state_in,
            state_out=state_out,
            trust=trust,
            note=lambda text: None if quiet else click.echo(text, err=True),
        )
        if scores is not None:
            click.echo(_table(scores) if sys.stdout.isatty() else _json(scores))


def _check_data(*, data: Path | None, prompt: str | None, temperature: float | None) -> None:
    """Refuse what is for ``--generate`` only, and no DATA."""
    if prompt is not None or temperature is not None:
        raise click.UsageError("--prompt and --temperature are for --generate N: give it too, or leave them out.")
    if data is None:
        raise click.UsageError("Missing DATA: a file of sequences, - for standard input, or --generate N instead.")


def _table(scores: Mapping[str, float]) -> str:
    width = max(map(len, scores))
    return "\n".join(f"{name:<{width}}  {score:>12.6g}" for name, score in scores.items())


def _json(scores: Mapping[str, float]) -> str:
    """Return the scores as one JSON object; what is not finite, which JSON does not have, as null."""
    return json.dumps({name: score if math.isfinite(score) else None for name, score in scores.items()})
