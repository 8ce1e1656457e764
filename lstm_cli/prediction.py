"""What `lstm-predict` does, from files to files: predictions, scores, forecasts, text."""

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.errors import ConfigError, DataError
from lstm_cli.files import WholeFile
from lstm_cli.predict import Outputs, Run, load
from lstm_cli.sequences import Encoded, read_rows
from lstm_cli.writers import write_rows


def write_predictions(
    run: Run,
    data: Path | None,
    out: Path | None = None,
    *,
    probabilities: bool = False,
    steps: int | None = None,
    state_in: Path | None = None,
    state_out: Path | None = None,
) -> None:
    """Write a row for each sequence of `data` to `out`, in the order of the input.

    Parameters
    ----------
    run : Run
    data : Path
        A file in the format of the training data, or ``-`` for standard input.
    out : Path, optional
        A jsonl or csv file, which appears whole or not at all; else standard output.
    probabilities : bool
        Add the probability of each label.
    steps : int, optional
        Write forecasts of so many steps beyond the end of each sequence in place of predictions.
    state_in, state_out : Path, optional
        States by sequence id (npz) to go on from, and to leave behind.
    """
    if (state_in or state_out) and run.bidirectional:
        raise ConfigError("--state-in, --state-out: the model is bidirectional and cannot go on from a state")
    states = None if state_in is None else read_states(state_in, run)
    encoded = (run.schema.encode(row) for row in read_rows(data, run.schema))
    if steps is not None:
        write_rows(run.forecasts(encoded, steps, states), out, per_step=True)
        return
    kept: dict[str, np.ndarray] = {}
    rows = _described(run, encoded, states, probabilities, kept if state_out else None)
    write_rows(rows, out, per_step=run.schema.target.per == "step")
    if state_out:
        write_states(state_out, kept)


def _described(
    run: Run,
    encoded: Iterator[Encoded],
    states: Mapping[str, np.ndarray] | None,
    probabilities: bool,
    kept: dict[str, np.ndarray] | None,
) -> Iterator[dict[str, Any]]:
    for outputs in run.outputs(encoded, states):
        if kept is not None:
            _keep(kept, outputs)
        yield run.described(outputs, probabilities=probabilities)


def _keep(kept: dict[str, np.ndarray], outputs: Outputs) -> None:
    name = str(outputs.sequence.id)
    if name in kept:
        raise DataError(f"{outputs.sequence.where}: id {name} occurs twice, so its state is not clear: make ids unique")
    kept[name] = outputs.state


def read_states(path: Path, run: Run) -> dict[str, np.ndarray]:
    """Read what `write_states` wrote: the state (S,) of each sequence by its id."""
    try:
        with np.load(path, allow_pickle=False) as file:
            ids, states = file["ids"], file["states"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(f"{path}: no states: expected a file that --state-out wrote ({error})") from error
    if states.ndim != 2 or states.shape != (len(ids), run.model.state_size):
        raise DataError(
            f"{path}: states of shape {states.shape}, expected ({len(ids)}, {run.model.state_size}): "
            f"give states that this run wrote"
        )
    return dict(zip(ids.tolist(), states.astype(run.model.dtype), strict=True))


def write_states(path: Path, states: Mapping[str, np.ndarray]) -> None:
    """Write the state of each sequence by its id as npz, whole or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, ids=np.array(list(states)), states=np.stack(list(states.values())))
    with WholeFile(path) as file:
        file.write(buffer.getvalue())


def write_text(run: Run, prompt: str, count: int, *, temperature: float, seed: int) -> None:
    """Write the prompt and what the model makes of it to standard output, symbol by symbol."""
    sys.stdout.write(prompt)
    for symbol in run.generate(prompt, count, temperature=temperature, seed=seed):
        sys.stdout.write(symbol)
        sys.stdout.flush()
    sys.stdout.write("\n")


def predict_run(
    folder: Path,
    data: Path | None,
    *,
    out: Path | None = None,
    probabilities: bool = False,
    evaluate: bool = False,
    steps: int | None = None,
    generate: int | None = None,
    prompt: str = "",
    temperature: float = 1.0,
    seed: int = 1,
    state_in: Path | None = None,
    state_out: Path | None = None,
) -> dict[str, float] | None:
    """Do what `lstm-predict` was asked for; return the scores if it was `evaluate`."""
    run = load(folder)
    if generate is not None:
        write_text(run, prompt, generate, temperature=temperature, seed=seed)
        return None
    if evaluate:
        return run.evaluate(data)
    write_predictions(run, data, out, probabilities=probabilities, steps=steps, state_in=state_in, state_out=state_out)
    return None
