"""The work of `lstm-predict`, from files to files: predictions, scores, forecasts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lstm_cli.config.formats import FORMATS
from lstm_cli.data import Encoded, memory, read_sequences
from lstm_cli.data.raw_text import format_by_content, text_column
from lstm_cli.engine.threads import cores
from lstm_cli.errors import ConfigError, counted, did_you_mean, nearest, on_one_line, shown_path
from lstm_cli.predict.conllu import Filling, check_fillable
from lstm_cli.predict.ensemble import load_on
from lstm_cli.predict.follow import follow as follow_lines
from lstm_cli.predict.future import Future, extension, known_layout
from lstm_cli.predict.inputs import Inputs
from lstm_cli.predict.kept import Kept
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.predict.outputs import Outputs
from lstm_cli.predict.run import Run
from lstm_cli.predict.states import check_stateful, read_states, saved_states
from lstm_cli.predict.table import Table, check_labels
from lstm_cli.predict.trajectories import with_steps
from lstm_cli.predict.wording import Row, reserved, spread_key
from lstm_cli.predict.writers import is_csv, write_pieces, write_rows
from lstm_cli.ranks import World
from lstm_cli.run.seen import note_on_seen, seen_of


@dataclass(frozen=True)
class Request:
    """What to predict, and where to write it; the attributes are parameters of `predict_run`."""

    data: Path
    out: Path | None
    probabilities: bool
    steps: int | None
    state_in: Path | None
    state_out: Path | None
    keep: Sequence[str]
    form: str | None
    future: Path | None = None
    safe_csv: bool = False

    @property
    def ahead(self) -> bool:
        """Whether later steps are forecast, instead of predictions for those of the data."""
        return self.steps is not None or self.future is not None

    @property
    def fills(self) -> bool:
        """Whether the predictions fill a column of a CoNLL-U file."""
        return self.out is not None and self.out.suffix == ".conllu"

    def given(self, *names: str) -> list[str]:
        """Return those of the options that are given."""
        return [f"--{name.replace('_', '-')}" for name in names if getattr(self, name) not in (None, False, ())]


def predict_run(
    folder: Path | Sequence[Path],
    data: Path,
    *,
    out: Path | None = None,
    probabilities: bool = False,
    evaluate: bool = False,
    steps: int | None = None,
    state_in: Path | None = None,
    state_out: Path | None = None,
    keep: Sequence[str] = (),
    form: str | None = None,
    future: Path | None = None,
    safe_csv: bool = False,
    follow: bool = False,
    trust: bool = False,
    note: Callable[[str], None] = lambda text: None,
    world: World | None = None,
) -> dict[str, float] | None:
    """Predict the sequences of a file with a trained run, or score it, or forecast.

    Parameters
    ----------
    folder : Path, or a sequence of them
        The run, or several that predict their mean.
    data : Path
        A file in the format of the training data, or ``-`` for standard input.
    out : Path, optional
        A jsonl, csv or conllu file, written completely or not at all; None: standard output.
    probabilities : bool
        Add the probability of each label.
    evaluate : bool
        Score `data`; predictions are written only with `out`.
    steps : int, optional
        Write forecasts of this many steps beyond the end of each sequence instead of predictions; for a model that
        drives a system, trajectories of this many steps. With `future` as many as it has rows.
    future : Path, optional
        A file with the known inputs of the steps after the last, read as `data`.
    state_in, state_out : Path, optional
        Files (npz) of states by sequence id, to continue from and to write; see `lstm_cli.predict.states`.
    keep : sequence of str
        Columns of the input that are carried through to the output; ``all`` for all.
    form : str, optional
        Format of `data`; None: that which the run's config names, else by the suffix.
    safe_csv : bool
        In a csv file, put an apostrophe before text that spreadsheets take for a formula, and quote every cell.
    follow : bool
        Write a prediction for each line of `data` as soon as it is there; see `lstm_cli.predict.follow`.
    trust : bool
        Allow running the code in the folder, of a system that the model drives.
    note : callable
        Called with notes for the user, on tokens and labels that training never saw and on sequences that were skipped.
    world : World, optional
        The ranks that share the work. All call this alike, with a file as `data`, and rank 0 alone writes.

    Returns
    -------
    scores : dict of str to float, or None
        With `evaluate`.
    """
    world = World() if world is None else world
    world.share_cores(cores())
    with world.agreed():
        check_format(form)
        check_outputs({"-o": out, "--state-out": state_out}, {"DATA": data, "--future": future, "--state-in": state_in})
        run, scores, on_states = load_on(world, folder, trust=trust), None, list[str]()
    name = "standard input" if str(data) == "-" else shown_path(data)
    with memory.memory_errors(name):
        if follow:
            follow_lines(
                run, data, probabilities=probabilities, steps=steps, state_in=state_in, state_out=state_out, form=form,
                note=note,
            )  # fmt: skip
            return None
        if out is not None or not evaluate:
            request = Request(data, out, probabilities, steps, state_in, state_out, keep, form, future, safe_csv)
            with world.led():
                inputs = _predict(run, request)
            on_states = _notes_on_states(run, state_out, inputs) + _notes_on_spread(run, request)
        if evaluate:
            inputs = Inputs(run, data, form=form)
            scores = inputs.scores()
            for folder in run.folders:
                if (seen := seen_of(folder, data)) is not None:
                    note(note_on_seen(folder, run.config, name, seen))
                    break
    for text in [*inputs.notes(name), *on_states]:
        note(text)
    return scores


def _notes_on_spread(run: Run, request: Request) -> list[str]:
    """Return the note that a forecast has no intervals, where predictions have some."""
    if not request.ahead or run.schema.target.horizon > 1 or spread_key(run.schema) is None:
        return []
    fix = "train with data.target.horizon: N for those of N steps"
    return [f"--steps: the intervals of this model are those of one step ahead, so forecasts have none: {fix}"]


def check_format(form: str | None) -> None:
    """Raise the `ConfigError` for a name that is that of no format."""
    if form not in (None, *FORMATS):
        hint = did_you_mean(nearest(form, FORMATS))
        raise ConfigError(f"--format {on_one_line(form)}: expected one of {', '.join(FORMATS)}{hint}")


def _predict(run: Run, request: Request) -> Inputs:
    """Write predictions, forecasts or trajectories; return the sequences that were read."""
    _check(run, request)
    request, words = _as_text(run, request)
    ids = run.schema.layout.id
    kept = None
    if request.keep and not run.network.world.rank:
        kept = Kept(None if "all" in request.keep else request.keep, ids, reserved(run.schema))
    later = None if request.future is None else _future(run, request, request.future)
    steps = run.forecast_steps(request.steps, later) if request.ahead and not run.drives else request.steps
    request = replace(request, steps=steps)
    extend = None if run.drives else extension(run.schema.layout, steps, later)
    inputs = Inputs(run, request.data, form=request.form, kept=kept, extend=extend, words=words)
    schema = with_steps(run.schema, request.steps) if run.drives else run.schema
    filling = Filling(request.data, run.schema) if request.fills else None
    with inputs.encoded(schema) as encoded:
        with _rows(run, request, encoded if filling is None else filling.passing(encoded)) as rows:
            if run.network.world.rank:
                for _ in rows:  # none: rank 0 has them
                    pass
            elif filling is not None:
                write_pieces(filling.lines(rows), request.out)
            else:
                per_step = run.drives or request.steps is not None or run.schema.target.per == "step"
                table = Table.of(run.schema, per_step=per_step, later=request.ahead, safe=request.safe_csv)
                write_rows(rows if kept is None else kept.added(rows), request.out, table)
    return inputs


def _as_text(run: Run, request: Request) -> tuple[Request, str]:
    """Return a request whose data may be lines of text, and the column whose tokens these have; labels go with them."""
    layout = run.schema.layout
    column = text_column(layout)
    form = request.form or (None if request.fills else format_by_content(request.data, layout))
    if column is None or form != "text":
        return replace(request, form=form), ""
    per_step = layout.target.per == "step" and not request.ahead
    keep = request.keep or ((column.source,) if per_step else ())
    return replace(request, form="text", keep=keep), column.source


def _future(run: Run, request: Request, file: Path) -> Future:
    """Return the known inputs of the steps after the last, from a file."""
    schema = replace(run.schema, layout=known_layout(run.schema.layout))
    with closing(read_sequences(file, schema, form=request.form or run.format)) as sequences:
        return run.future(sequences, shown_path(file))


def _check(run: Run, request: Request) -> None:
    """Refuse options that this model, or another option, excludes."""
    if not request.fills and is_csv(request.out):
        check_labels(run.schema)
    elif request.safe_csv:
        raise ConfigError("--safe-csv: is for predictions in a csv file: give -o OUT.csv, or leave it out")
    if run.drives and (given := request.given("probabilities", "state_in", "state_out", "future")):
        raise ConfigError(f"{', '.join(given)}: this model drives a system: leave them out")
    if request.state_in or request.state_out:
        check_stateful(run.network, "--state-in and --state-out")
    if (given := request.given("state_in", "state_out")) and run.schema.layout.scale != "train":
        what = {
            "window": "each window starts afresh, so that there is no state to continue from",
            "series": "each part would be scaled by its own mean and deviation, which the state does not fit",
        }[run.schema.layout.scale]
        raise ConfigError(f"{', '.join(given)}: with data.scale: {run.schema.layout.scale} {what}: leave them out")
    if request.ahead and not run.drives:
        if request.probabilities:
            raise ConfigError("--probabilities: forecasts (--steps) have none: leave one of them out")
        if request.keep:
            raise ConfigError("--keep: forecasts (--steps) are of steps that the input lacks: leave one of them out")
    if request.fills:
        form = request.form or run.format
        check_fillable(run.schema, request.data, form, request.given("probabilities", "steps", "future", "keep"))


def _notes_on_states(run: Run, state_out: Path | None, inputs: Inputs) -> list[str]:
    """Return a note if states are not those after the last step of the data, or if a part does not begin with one."""
    steps = run.schema.layout.lag + inputs.unpredicted
    if state_out is None or not steps:
        return []
    reasons = ["differences have no value at the first steps"] * (run.schema.layout.lag > 0)
    reasons += ["the last ones lack the known inputs of later steps"] * (inputs.unpredicted > 0)
    what = f"begin the next part with the last {counted(steps, 'step')} of this one"
    return [f"{shown_path(state_out)}: {what}: {', and '.join(reasons)}"]


@contextmanager
def _rows(run: Run, request: Request, encoded: Iterable[Encoded]) -> Iterator[Iterator[Row]]:
    """Give a row for each sequence in the order of the input; the final states are written afterwards."""
    if run.drives:
        yield run.trajectories(encoded)
        return
    known = read_states(request.state_in, run.network) if request.state_in else None
    with saved_states(None if run.network.world.rank else request.state_out, run.network) as save:

        def listener(outputs: Outputs) -> None:
            save(str(outputs.sequence.id), outputs.state, outputs.sequence.where)

        if request.steps is not None:
            yield run.forecasts(encoded, request.steps, known, listener=listener)
            return
        numbered = request.fills or is_csv(request.out)
        yield run.predictions(encoded, known, probabilities=request.probabilities, numbered=numbered, listener=listener)
