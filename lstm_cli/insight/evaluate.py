"""The work of ``lstm evaluate``: from a run and data, or from positions that were collected, to an `Evaluation`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lstm_cli.data import Batches, Split, memory
from lstm_cli.data.schema.layout import Layout
from lstm_cli.engine.evaluation import evaluate as evaluated
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.errors import ConfigError, on_one_line, shown_path
from lstm_cli.insight.columns import Columns
from lstm_cli.insight.errors_file import SUFFIXES, write_errors
from lstm_cli.insight.evaluation import Evaluation
from lstm_cli.insight.labelled import Labelled, file_of, held_out
from lstm_cli.insight.naive_file import read_naives
from lstm_cli.insight.targets import joined, metrics_in
from lstm_cli.predict.ensemble import Ensemble, load
from lstm_cli.predict.files import check_format
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.predict.run import Run
from lstm_cli.predict.table import check_labels
from lstm_cli.predict.writers import is_csv
from lstm_cli.run.seen import Seen, note_on_seen, seen_of, trained_on
from lstm_cli.scores import bootstrap, calibration, groups, labels, numbers
from lstm_cli.scores.baselines import UNDRIVEN, drives, undriven
from lstm_cli.scores.collect import collect, scored_targets
from lstm_cli.scores.horizons import horizons
from lstm_cli.scores.metrics import metrics_of
from lstm_cli.scores.naive import Naive
from lstm_cli.scores.naives import Naives
from lstm_cli.scores.over_runs import over_runs
from lstm_cli.scores.positions import Positions
from lstm_cli.scores.prediction_intervals import interval_of
from lstm_cli.scores.skill import skills

LENGTH = "length"  # of --by


@dataclass(frozen=True)
class Grouping:
    """What scores are divided by: the length of sequences, or a value for each position."""

    name: str
    values: Sequence[Any] | None = None


def evaluate(
    run: str | Path | Run | Sequence[str | Path],
    data: str | Path | None = None,
    *,
    by: str | None = None,
    out: str | Path | None = None,
    form: str | None = None,
    safe_csv: bool = False,
    trust: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Score a trained run, and say how certain the scores are, what they are worth, and where the model is wrong.

    Parameters
    ----------
    run : str, Path or Run, or a sequence of paths
        The run folder, or a run that is loaded; several folders: the mean of their predictions is scored.
    data : str or Path, optional
        A file in the format of the training data, with the target, or ``-`` for standard input; None: the run's own
        test data, or if it has none its validation data.
    by : str, optional
        ``length``, or a column of the data: scores are given for each range of lengths or each value too.
    out : str or Path, optional
        A csv or jsonl file that the errors are written to, the surest or largest first.
    form : str, optional
        Format of `data`; None: that which the run's config names, else by the suffix.
    safe_csv : bool
        In a csv file, put an apostrophe before text that spreadsheets take for a formula, and quote every cell.
    trust : bool
        Allow running the code in the folder, of a system that the model drives.
    note : callable
        Called with notes for the user on the data.

    Returns
    -------
    evaluation : Evaluation

    Raises
    ------
    ConfigError, DataError, CheckpointError, DiskError
    """
    check_format(form)
    path, given = None if out is None else Path(out), None if data is None else Path(data)
    check_outputs({"-o": path}, {"DATA": given})
    csv = is_csv(path, SUFFIXES)
    run = run if isinstance(run, Run) else load(run, trust=trust)
    if csv:
        check_labels(run.schema)
    elif safe_csv:
        raise ConfigError("--safe-csv: is for errors in a csv file: give -o OUT.csv, or leave it out")
    if given is None and form is not None:
        raise ConfigError("--format: is that of DATA: give DATA too, or leave it out")
    name = "the data of the run" if given is None else "standard input" if str(given) == "-" else shown_path(given)
    with memory.memory_errors(name):
        columns = _columns(run, by, errors=path is not None)
        labelled = held_out(run, columns, path) if given is None else file_of(run, given, columns, form=form)
        seen = None if given is None else _seen(run, given, labelled)
        evaluation = _scored(run, labelled, by, seen)
        if path is not None:
            if not write_errors(evaluation.positions_of_targets, labelled.columns, path, safe=safe_csv):
                note(f"{shown_path(path)}: empty, as there are no errors")
    seen_note = [] if seen is None else [note_on_seen(run.folder, run.config, name, seen)]
    for text in [*labelled.notes, *seen_note]:
        note(text)
    return evaluation


def _seen(run: Run, data: Path, labelled: Labelled) -> Seen | None:
    """Return what the run has seen of a file in training; None if it has seen nothing of it that is known."""
    found = (None if str(data) == "-" else seen_of(folder, data) for folder in run.folders)
    seen = next((seen for seen in found if seen is not None), None)
    digest = labelled.batches.dataset.digest()
    if seen is None and any(trained_on(folder, digest) for folder in run.folders):
        return Seen({})
    return seen


def _columns(run: Run, by: str | None, *, errors: bool) -> Columns:
    """Return what is to be read of a file besides the data set: the column to group by, and what errors show."""
    layout = run.schema.layout
    others = _shown(layout) if errors else []
    asked = [] if by is None or by in (LENGTH, *layout.id) else [by]
    return Columns(run.schema, asked, others, option="--by")


def _shown(layout: Layout) -> list[str]:
    """Return the columns that a list of errors shows: the inputs, and for labels that are unknown the target."""
    inputs = [column.source for column in layout.inputs if column.calendar is None]
    return [*inputs, *layout.target_columns]


def _scored(run: Run, labelled: Labelled, by: str | None, seen: Seen | None) -> Evaluation:
    found, scores = scored_targets(run.evaluator, labelled.batches)
    members = _members(run, labelled.batches)
    evaluation = evaluation_of_targets(
        found,
        scores,
        data=labelled.name,
        split=labelled.split,
        naives=read_naives(run.folder, run.schema),
        alone=undriven_positions(run.evaluator, labelled.batches),
        grouping=None if by is None else lambda positions: _grouping(by, labelled, positions),
    )
    evaluation = replace(evaluation, members=members, over_members=over_runs(list(members.values())))
    return evaluation if seen is None else replace(evaluation, trained_on=seen.extent)


def _members(run: Run, batches: Batches) -> dict[str, dict[str, float]]:
    """Return the scores of each run of an ensemble by its folder; nothing of a single run."""
    if not isinstance(run, Ensemble):
        return {}
    scored = ((member, evaluated(member.evaluator, batches)) for member in run.members)
    return {str(member.folder): {"loss": loss, **metrics} for member, (loss, metrics) in scored}


def undriven_positions(evaluator: Evaluator, batches: Batches) -> Positions | None:
    """Return where a system goes that a model does not drive; None for other models."""
    if not drives(evaluator, batches.dataset):
        return None
    with undriven(evaluator):
        return collect(evaluator, batches)


def _grouping(by: str, labelled: Labelled, positions: Positions) -> Grouping:
    """Return the values of a column that an evaluation is divided by."""
    if by == LENGTH:
        return Grouping(by)
    ids = positions.dataset.schema.layout.id
    if by in ids:
        names = [positions.dataset.ids[sequence] for sequence in positions.sequences.tolist()]
        values = [name[ids.index(by)] if isinstance(name, tuple) else name for name in names]
    else:
        values = labelled.columns.values(by, positions)
    if any(isinstance(value, list | dict) for value in values):
        option = f"--by {on_one_line(by)}"
        raise ConfigError(f"{option}: has several values where one is expected: name a column with one value per step")
    return Grouping(by, values)


def evaluation_of_targets(
    found: Mapping[str, Positions],
    scores: Mapping[str, float],
    *,
    data: str,
    split: Split | None = None,
    naives: Naives | None = None,
    alone: Positions | None = None,
    grouping: Callable[[Positions], Grouping] | None = None,
    most_labels: int = labels.MOST_LABELS,
) -> Evaluation:
    """Return what the positions of one target, or of several target columns, say of a model.

    Parameters are as of `evaluation_of`; `found` is by target column as of `scores.collect.scored_targets`, and
    `grouping` returns what the scores of some positions are divided by.
    """

    def one(column: str, positions: Positions, own: Mapping[str, float]) -> Evaluation:
        return evaluation_of(
            positions,
            own,
            data=data,
            split=split,
            naive=None if naives is None else naives[column],
            alone=alone,
            grouping=None if grouping is None else grouping(positions),
            most_labels=most_labels,
        )

    if "" in found:
        return one("", found[""], scores)
    each = {column: one(column, own, metrics_in(scores, column)) for column, own in found.items()}
    return joined(each, scores)


def evaluation_of(
    positions: Positions,
    scores: Mapping[str, float],
    *,
    data: str,
    split: Split | None = None,
    naive: Naive | None = None,
    alone: Positions | None = None,
    grouping: Grouping | None = None,
    most_labels: int = labels.MOST_LABELS,
) -> Evaluation:
    """Return what positions that were collected say of a model.

    Parameters
    ----------
    positions, scores
        From `scores.collect.scored_positions`: the positions, and their loss and metrics.
    data
        What was evaluated, as it is shown.
    split
        Which data of the run that is, if it is one.
    naive
        What naive predictors know of the training data; None: there are no baselines.
    alone
        Of a model that drives a system: where the system goes without it.
    grouping
        What the scores are divided by.
    most_labels
        There is no confusion matrix of more labels.
    """
    titles = {} if naive is None else naive.titles(positions)
    others = {} if naive is None else {name: naive.positions(name, positions) for name in titles}
    if alone is not None:
        titles[UNDRIVEN[0]], others[UNDRIVEN[0]] = UNDRIVEN[1], alone
    baselines = {name: metrics_of(other) for name, other in others.items()}
    is_number = positions.task.kind == "number"
    return Evaluation(
        data=data,
        split=split,
        sequences=len(set(positions.sequences.tolist())),
        positions=len(positions),
        metrics=dict(scores),
        intervals=bootstrap.intervals(positions),
        baselines=baselines,
        titles=titles,
        skill={name: skills(scores, metrics) for name, metrics in baselines.items()},
        classes=labels.classes(positions),
        confusion=labels.confusion(positions, most=most_labels),
        confused=labels.confused(positions),
        columns=numbers.columns(positions) if is_number else {},
        horizons=horizons({"model": positions, **others}) if is_number else {},
        interval=interval_of(positions),
        calibration=calibration.calibration(positions),
        lengths=_lengths(positions),
        by=None if grouping is None else grouping.name,
        groups={} if grouping is None else _groups(positions, grouping),
        found=positions,
    )


def _lengths(positions: Positions) -> list[dict[str, Any]]:
    """Return the scores by length, where there are enough sequences of different lengths."""
    found = groups.by_length(positions)
    return found if len(found) > 1 and sum(part["sequences"] for part in found) >= 2 * groups.LEAST else []


def _groups(positions: Positions, grouping: Grouping) -> dict[str, Any]:
    """Return the scores of each value, or of each range of lengths."""
    if grouping.values is None:
        return groups.by_range_of_lengths(positions)
    return groups.by_value(positions, grouping.values)
