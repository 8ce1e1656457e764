"""The work of `lstm-predict`, from files to files: predictions, scores, forecasts, text."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path

from lstm_cli.data import Encoded, Schema, UnknownCounts, encode, memory, read_sequences
from lstm_cli.data.formats.source import Origin, shown
from lstm_cli.errors import ConfigError
from lstm_cli.predict.run import Run, load
from lstm_cli.predict.states import check_stateful, read_states, saved_states
from lstm_cli.predict.trajectories import with_steps
from lstm_cli.predict.writers import write_rows, write_text


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
    trust: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> dict[str, float] | None:
    """Predict the sequences of a file with a trained run, or score it, forecast, or generate text.

    Parameters
    ----------
    folder : Path
        The run.
    data : Path or None
        A file in the format of the training data, or ``-`` for standard input; None with `generate`.
    out : Path, optional
        A jsonl or csv file, written completely or not at all; None: standard output.
    probabilities : bool
        Add the probability of each label.
    evaluate : bool
        Score `data` instead of writing predictions.
    steps : int, optional
        Write forecasts of this many steps beyond the end of each sequence instead of predictions; for a model that
        drives a system, trajectories of this many steps.
    generate, prompt, temperature, seed : int, str, float, int, optional
        Write this many symbols of text; see `Run.generate`.
    state_in, state_out : Path, optional
        Files (npz) of states by sequence id, to continue from and to write.
    trust : bool
        Allow running the code in the folder, of a system that the model drives.
    note : callable
        Called with notes for the user, on tokens and labels that training never saw.

    Returns
    -------
    scores : dict of str to float, or None
        With `evaluate`.
    """
    run, unknown_counts, scores = load(folder, trust=trust), UnknownCounts(), None
    if generate is not None:
        symbols = run.generate(prompt, generate, temperature=temperature, seed=seed)
        write_text(chain([prompt], symbols, ["\n"]), out)
        return None
    if data is None:
        raise ValueError("data: give a file of sequences, or the number of symbols to generate")
    name = "standard input" if str(data) == "-" else shown(data)
    with memory.memory_errors(name):
        if evaluate:
            scores = run.evaluate(data, unknown_counts=unknown_counts)
        elif run.drives:
            if probabilities or state_in or state_out:
                options = "--probabilities, --state-in, --state-out"
                raise ConfigError(f"{options}: this model drives a system: leave them out")
            schema = with_steps(run.schema, steps)
            with _encoded(data, schema, unknown_counts) as starts:
                write_rows(run.trajectories(starts), out, per_step=True)
        else:
            with _encoded(data, run.schema, unknown_counts) as sequences:
                _write(
                    run,
                    sequences,
                    out,
                    probabilities=probabilities,
                    steps=steps,
                    state_in=state_in,
                    state_out=state_out,
                )
    for text in unknown_counts.notes(name):
        note(text)
    return scores


@contextmanager
def _encoded(data: Origin, schema: Schema, unknown_counts: UnknownCounts) -> Iterator[Iterator[Encoded]]:
    """Give the encoded sequences of a file or stream, which is closed afterwards."""
    with closing(read_sequences(data, schema)) as sequences:
        yield (encode(schema, sequence, unknown_counts=unknown_counts) for sequence in sequences)


def _write(
    run: Run,
    encoded: Iterator[Encoded],
    out: Path | None,
    *,
    probabilities: bool,
    steps: int | None,
    state_in: Path | None,
    state_out: Path | None,
) -> None:
    """Write a row for each sequence in the order of the input, and the final states."""
    if state_in or state_out:
        check_stateful(run.network)
    known = read_states(state_in, run.network) if state_in else None
    with saved_states(state_out) as listener:
        if steps is None:
            rows = run.predictions(encoded, known, probabilities=probabilities, listener=listener)
        elif probabilities:
            raise ConfigError("--probabilities: forecasts (--steps) have none: leave one of them out")
        else:
            rows = run.forecasts(encoded, steps, known, listener=listener)
        write_rows(rows, out, per_step=steps is not None or run.schema.target.per == "step")
