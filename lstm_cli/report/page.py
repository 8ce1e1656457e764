"""The report as one self-contained HTML page."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_cli.errors import counted, duration
from lstm_cli.insight.explanation import Explanation
from lstm_cli.report import answers, tables
from lstm_cli.report.charts import Chart
from lstm_cli.report.contents import Contents
from lstm_cli.report.curves import curves, drawn_metrics
from lstm_cli.report.drawing import Drawing, drawn
from lstm_cli.report.evaluated import evaluated, of_columns
from lstm_cli.report.evaluations import (
    Entry,
    best_of,
    judged,
    last_of,
    latest,
    main_metric,
    metrics_of,
    naive_on,
    scored_on,
)
from lstm_cli.report.headline import headline, place
from lstm_cli.report.rendering import rendered
from lstm_cli.report.tables import Judgement
from lstm_cli.report.wording import capital, digits
from lstm_cli.scores.calibration import OF_SETS
from lstm_cli.scores.titles import SPLITS, title

REFRESH = 15  # seconds after which the page of a run that is training loads itself again


def render(contents: Contents, entries: Sequence[Entry]) -> str:
    """Return the page of a run.

    Parameters
    ----------
    contents
        What is known of the run.
    entries
        The evaluations, as in ``metrics.jsonl``.
    """
    found = tables.judgement(contents, entries)
    return rendered(
        "report.html",
        contents=contents,
        headline=headline(contents, entries),
        refresh=REFRESH if contents.state == "training" else 0,
        cards=cards(contents, entries, found),
        judgement=found,
        scores=tables.scores(found) if found else None,
        columns=tables.columns_table(found) if found else None,
        curves=drawings(curves(contents, entries)),
        undrawn=_undrawn(contents, entries),
        history=tables.history(entries),
        origin=_origin(contents),
        splits=SPLITS,
        **_explained(contents),
    )


def drawings(charts: Iterable[Chart]) -> list[Drawing]:
    """Return the positions of charts, without those that have no point."""
    return [drawing for drawing in map(drawn, charts) if drawing is not None]


def _explained(contents: Contents) -> dict[str, Any]:
    """Return what the page shows of the best weights; all of it is empty before they are explained."""
    explanation = contents.explanation or Explanation("test")
    evaluation = evaluated(explanation)
    parts = of_columns(explanation)
    titles = {score.name: score.title for score in contents.baselines} | dict(evaluation.titles)
    reliability, reach = answers.calibration(evaluation), answers.gradient_by_lag(explanation)
    return {
        "explanation": explanation,
        "confusion": answers.confusion(evaluation),
        "matrices": {name: found for name, own in parts.items() if (found := answers.confusion(own)) is not None},
        "confused": answers.confused(evaluation),
        "classes": answers.classes(evaluation),
        "errors": answers.surest_errors(explanation.surest_errors),
        "windows": drawings(answers.windows(explanation.forecasts)),
        "level": next((window.level for window in explanation.forecasts if window.low), None),
        "ahead": drawings(answers.errors_ahead(explanation.horizon, titles)),
        "driven": "undriven" in evaluation.baselines,
        "loop": drawings(answers.closed_loop(explanation.loop_errors, explanation.trajectories)),
        "calibration": drawings([reliability] if reliability else []),
        "sets": "frame_accuracy" in evaluation.metrics,
        "of_sets": OF_SETS,
        "ece": evaluation.calibration.ece if evaluation.calibration else None,
        "lengths": answers.lengths(evaluation),
        "lags": drawings([reach[0]] if reach else []),
        "reach": reach[1] if reach else "",
        "gates": answers.gates(explanation.diagnostics.saturation),
    }


def _origin(contents: Contents) -> dict[str, str]:
    """Return when, how, by what and where a run was made."""
    named = {"command": shlex.join(contents.command), "started": contents.started, "run folder": contents.folder}
    named |= {"versions": _listed(contents.versions), "machine": _listed(contents.machine)}
    return {name: text for name, text in named.items() if text}


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in found.items())


def _undrawn(contents: Contents, entries: Sequence[Entry]) -> int:
    """Return how many metrics of the validation data have no curve."""
    valid = last_of(entries, "valid")
    names = [name for name in metrics_of(valid) if name != "loss"] if valid else []
    return len(names) - len(drawn_metrics(contents, entries))


@dataclass(frozen=True)
class Card:
    """A number that a reader looks for first, with what it is and a remark."""

    name: str
    value: str
    remark: str = ""


def cards(contents: Contents, entries: Sequence[Entry], found: Judgement | None) -> list[Card]:
    """Return the numbers that a reader looks for first."""
    made = [*_score_cards(contents, entries, found), *_time_cards(contents, entries)]
    if contents.model:
        parameters = sum(layer.parameters for layer in contents.model)
        made.append(Card("Parameters", f"{parameters:,}", f"in {counted(len(contents.model), 'layer')}"))
    return made


def _score_cards(contents: Contents, entries: Sequence[Entry], found: Judgement | None) -> list[Card]:
    entry = judged(contents, entries)
    if entry is None:
        return []
    metric, best = main_metric(contents, entry), best_of(contents.monitor, entries)
    made: list[Card] = []
    for each in (last_of(entries, "test"), best, entry):
        if each is None or each.get(metric) is None or any(card.name.startswith(_split(each)) for card in made):
            continue
        ends = found.intervals.get(metric) if found and found.split == each["split"] else None
        made.append(Card(f"{capital(scored_on(each))} {title(metric)}", digits(each[metric]), _interval(ends)))
    naive = naive_on(entry["split"], contents, metric)
    if naive:
        made.append(Card("Best naive predictor", digits(naive[1]), naive[0].title))
    if best is not None:
        made.append(Card("Best at", place(best, entries), f"by {contents.monitor}"))
    return made


def _interval(ends: Sequence[float | None] | None) -> str:
    if not ends or ends[0] is None or ends[1] is None:
        return ""
    return f"95 %: {digits(ends[0])} to {digits(ends[1])}"


def _split(entry: Entry) -> str:
    return SPLITS[entry["split"]].capitalize()


def _time_cards(contents: Contents, entries: Sequence[Entry]) -> list[Card]:
    if not entries:
        return []
    last = latest(entries)
    rates = [entry["steps_per_second"] for entry in entries if entry.get("steps_per_second") is not None]
    rate = f"{digits(sorted(rates)[len(rates) // 2])} steps per second" if rates else ""
    of = "" if last["epoch"] == contents.epochs else f" of {contents.epochs:,}"
    steps = counted(last["step"], "step")
    return [Card("Epochs", f"{last['epoch']:,}{of}", steps), Card("Time", duration(last["seconds"]), rate)]
