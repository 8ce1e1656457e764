"""What a page says of the best weights by task: charts and tables of an explanation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from lstm_cli.errors import counted
from lstm_cli.insight.explanation import ErrorsAhead, Explanation, Saturation, SureError, Trajectory, Window
from lstm_cli.report.charts import Axis, Band, Chart, Line, Mark
from lstm_cli.report.evaluated import Evaluated
from lstm_cli.report.evaluations import metrics_of
from lstm_cli.report.tables import Column, Table, shown
from lstm_cli.report.wording import cut
from lstm_cli.scores.titles import UNSEEN, title

CLASSES = 100  # labels of which scores are listed
LARGEST = 10  # errors of numbers that are listed
CONFUSED = 5  # pairs of labels that are named
HEAT = 9  # levels of a confusion matrix
_ALWAYS = ("sequence", "truth", "prediction")  # columns of errors


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: rows of (label, [(count, level of heat)]), rows are the truth."""

    labels: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[int, int]]]]


def confusion(evaluation: Evaluated) -> Confusion | None:
    """Return the confusion matrix of an evaluation; the heat is a count's share of its row."""
    found = evaluation.confusion
    if found is None:
        return None
    rows = [(label, _heat(counts)) for label, counts in zip(found.labels, found.counts, strict=False)]
    rows += [(UNSEEN, _heat(found.unknown))] if found.unknown else []
    return Confusion(found.labels, rows)


def confused(evaluation: Evaluated) -> list[tuple[str, str, int]]:
    """Return the pairs of labels that were confused most often: the truth, the prediction, how often."""
    pairs = evaluation.confused[:CONFUSED]
    return [(UNSEEN if one.truth is None else one.truth, one.predicted, one.count) for one in pairs]


def _heat(counts: Sequence[int]) -> list[tuple[int, int]]:
    total = sum(counts) or 1
    return [(count, -(-HEAT * count // total)) for count in counts]


def classes(evaluation: Evaluated) -> Table | None:
    """Return precision, recall, F1 and number of each label."""
    found = evaluation.classes
    if not found:
        return None
    columns = [
        Column("label", number=False),
        Column("precision"),
        Column("recall"),
        Column("F1", bar=True),
        Column("number"),
    ]
    rows = [
        [label, *(_share(own.get(name)) for name in ("precision", "recall", "f1")), f"{int(own.get('support') or 0):,}"]
        for label, own in list(found.items())[:CLASSES]
    ]
    rest = f"The first {CLASSES} of {len(found):,} labels" if len(found) > CLASSES else ""
    return Table(columns, rows, rest)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def surest_errors(errors: Sequence[SureError]) -> Table | None:
    """Return the errors: what matters most first, since a narrow screen shows the first columns; the input is last."""
    if not errors:
        return None
    numbers = all(error.confidence is None for error in errors)
    columns = [
        Column("sequence", number=False),
        Column("truth", number=numbers),
        Column("prediction", number=numbers),
        Column("error"),
        Column("confidence"),
        Column("column", number=False),
        Column("step"),
        Column("ahead"),
        Column("input", number=False, prose=True),
    ]
    rows = [_error_cells(error) for error in (errors[:LARGEST] if numbers else errors)]
    given = [k for k, column in enumerate(columns) if column.name in _ALWAYS or any(row[k] for row in rows)]
    return Table([columns[k] for k in given], [[row[k] for k in given] for row in rows])


def _error_cells(error: SureError) -> list[str]:
    """Return an error's cells in all columns, empty where there is nothing to say."""
    step, ahead = ("" if count is None else f"{count:,}" for count in (error.step, error.ahead))
    outcome = [error.truth, error.prediction, error.error or "", _share(error.confidence)]
    return [error.id, *outcome, error.column or "", step, ahead, error.input or ""]


def windows(found: Iterable[Window]) -> list[Chart]:
    """Return forecasts against what was observed, with intervals; sequences are named if there are several."""
    given = list(found)
    one = len({window.id for window in given}) == 1
    return [_window(window, "" if one else f"{cut(window.id)}: ") for window in given]


def _window(window: Window, of: str) -> Chart:
    steps = window.steps
    band = list(zip(steps, window.low, window.high, strict=False))
    axis = Axis("", texts=list(zip(steps, window.times, strict=False))) if window.times else Axis("step")
    at = steps.index(window.origin) if window.origin in steps else -1
    moment = window.times[at] if 0 <= at < len(window.times) else f"step {window.origin:,}"
    return Chart(
        f"{of}{cut(window.column)}, after {cut(moment)}",
        [
            Line("observed", list(zip(steps, window.observed, strict=False))),
            Line("forecast", list(zip(steps, window.predicted, strict=False))),
        ],
        bands=[Band(f"{window.level:.0%} interval".replace("%", " %"), band, colour="s1")] if band else [],
        axes=(axis,),
        mark=Mark(window.origin, None, "last step that the forecast has seen"),
    )


def errors_ahead(found: Mapping[str, ErrorsAhead], titles: Mapping[str, str]) -> list[Chart]:
    """Return the errors by steps ahead, of the model and of naive forecasters."""
    charts = []
    for metric in ("rmse", "mae"):
        lines = []
        for name, errors in found.items():
            points = list(enumerate(getattr(errors, metric), start=1))
            ours = name == "model"
            lines.append(Line("this model" if ours else titles.get(name, name), points, naive=not ours))
        charts.append(Chart(f"{title(metric)} by steps ahead", lines, axes=(Axis("steps ahead"),), zero=True))
    return charts


def closed_loop(errors: Sequence[float | None], trajectories: Iterable[Trajectory]) -> list[Chart]:
    """Return the error at each step of a closed loop, and a few trajectories."""
    axes = (Axis("step of the closed loop"),)
    points = list(enumerate(errors, start=1))
    charts = [Chart("RMSE by step", [Line("RMSE", points)], axes=axes, zero=True)] if points else []
    for one in trajectories:
        lines = [
            Line(name, list(enumerate(values, start=1)))
            for name, values in (("closed loop", one.found), ("target", one.wanted))
        ]
        charts.append(Chart(one.name, lines, axes=axes))
    return charts


def calibration(evaluation: Evaluated) -> Chart | None:
    """Return how often predictions are right, by their confidence."""
    bins = evaluation.calibration.bins if evaluation.calibration else ()
    points = [(one.confidence, one.accuracy) for one in bins if one.confidence is not None]
    lines = [Line("this model", points, dots=True), Line("perfectly calibrated", [(0.0, 0.0), (1.0, 1.0)], naive=True)]
    return (
        Chart("Share that is right, by confidence", lines, axes=(Axis("confidence"),), share=True) if points else None
    )


def lengths(evaluation: Evaluated) -> Table | None:
    """Return the scores of sequences of similar length."""
    names = [name for name in metrics_of(*(part.metrics for part in evaluation.lengths)) if "." not in name]
    if not names:
        return None
    columns = [Column("length", number=False), Column("sequences"), *(Column(title(name)) for name in names)]
    rows = []
    for part in evaluation.lengths:
        span = f"{part.low:,}" if part.low == part.high else f"{part.low:,} to {part.high:,}"
        rows.append([span, f"{part.sequences:,}", *(shown(part.metrics.get(name)) for name in names)])
    return Table(columns, rows)


def gradient_by_lag(explanation: Explanation) -> tuple[Chart, str] | None:
    """Return how strongly the last step's loss depends on earlier states, and what that says."""
    found = explanation.diagnostics.gradient_by_lag
    known = (
        []
        if found is None
        else [(lag, norm) for lag, norm in zip(found.lags, found.norms, strict=False) if norm is not None]
    )
    if not known:
        return None
    chart = Chart("Gradient norm by lag", [Line("gradient norm", known)], axes=(Axis("steps before the output"),))
    return chart, _reach(known)


def _reach(known: Sequence[tuple[int, float]]) -> str:
    """Say after how many steps the gradient has vanished, or that it has not."""
    known = list(dropwhile(lambda point: point[1] <= 0, known))  # an output may act on a system only a step later
    if len(known) < 2:
        return ""
    first = known[0][1]
    gone = next((lag for lag, norm in known if norm < 0.01 * first), None)
    if gone is not None:
        return f"Here it falls below a hundredth after {counted(gone, 'step')}."
    lag, norm = known[-1]
    back = f"{counted(lag, 'step')} back"
    if norm > 100 * first:
        return f"Here it grows: {norm / first:,.0f} times as strong {back}, which makes training unstable."
    return f"Here it is still {norm / first:.2g} times as strong {back}."


@dataclass(frozen=True)
class Gate:
    """Shares of a gate's values, as widths of a bar."""

    layer: str
    gate: str
    low: str
    high: str


def gates(saturation: Iterable[Saturation]) -> list[Gate]:
    """Return the shares of each gate's values that are near its ends."""
    return [Gate(one.layer, one.gate, f"{100 * one.low:.0f} %", f"{100 * one.high:.0f} %") for one in saturation]
