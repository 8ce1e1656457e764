"""The evaluations of a run, as in ``metrics.jsonl``: the best, the last, their splits and metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from lstm_cli.engine.metrics import scores_of
from lstm_cli.report.contents import Contents, NaiveScore
from lstm_cli.run.metrics_log import best_entry
from lstm_cli.scores.skill import best_naive
from lstm_cli.scores.titles import SPLITS
from lstm_cli.training.sinks.wording import in_streams

Entry = Mapping[str, Any]

_COUNTS = ("unknown_labels",)  # beside the metrics, and not one


def best_of(monitor: str, entries: Sequence[Entry]) -> Entry | None:
    """Return the evaluation with the best monitored value, the first of ties."""
    return best_entry(monitor, entries)


def last_of(entries: Sequence[Entry], split: str) -> Entry | None:
    """Return the last evaluation on a split."""
    return next((entry for entry in reversed(entries) if entry["split"] == split), None)


def latest(entries: Sequence[Entry]) -> Entry:
    """Return the evaluation after the most steps; that on the test data belongs to the best ones."""
    return max(entries, key=lambda entry: int(entry["step"]))


def metrics_of(*entries: Mapping[str, Any]) -> list[str]:
    """Return the names of the loss and the metrics that any of the evaluations has, in their order."""
    return list(dict.fromkeys(name for entry in entries for name in scores_of(entry) if name not in _COUNTS))


def main_metric(contents: Contents, entry: Entry) -> str:
    """Return the metric that says most about an evaluation: the monitored one, else the first; the loss if alone."""
    monitored = contents.monitor.partition(".")[2]
    if monitored != "loss" and entry.get(monitored) is not None:
        return monitored
    return next((name for name in metrics_of(entry) if name != "loss" and entry[name] is not None), "loss")


def judged(contents: Contents, entries: Sequence[Entry]) -> Entry | None:
    """Return the evaluation that says how good the run is: on the test data, else the best, else the last."""
    best = best_of(contents.monitor, entries)
    return last_of(entries, "test") or best or (entries[-1] if entries else None)


def naive_on(split: str, contents: Contents, metric: str) -> tuple[NaiveScore, float] | None:
    """Return the naive predictor with the best value of a metric on a split, and that value; None if none has it."""
    return best_naive(((score, score.metrics) for score in contents.baselines if score.split == split), metric)


def scored_on(entry: Entry) -> str:
    """Return the split that was scored, and the number of streams if not scored exactly."""
    return SPLITS[entry["split"]] + in_streams(entry.get("streams"))


def data_of(entry: Entry) -> str:
    """Return the data that was scored: validation data, or validation data in 8 streams."""
    return f"{SPLITS[entry['split']]} data{in_streams(entry.get('streams'))}"
