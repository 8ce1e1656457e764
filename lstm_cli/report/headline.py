"""The first sentence of a page: what came out of a run."""

from collections.abc import Sequence

from lstm_cli.engine.metrics import improves
from lstm_cli.report.contents import Contents
from lstm_cli.report.evaluations import Entry, best_of, data_of, judged, latest, main_metric, naive_on
from lstm_cli.report.wording import capital, cut, digits
from lstm_cli.scores.skill import is_perfect
from lstm_cli.scores.titles import title

RISE = 1.05  # times its lowest value: above this at the end, a loss is said to have risen
LAST = 3  # evaluations that all have to be above
LONGEST_TITLE = 60  # characters of a naive predictor's title, which may have a label in it


def headline(contents: Contents, entries: Sequence[Entry]) -> str:
    """Return one sentence: the score, the best naive predictor's, when it was best, and whether it got worse after.

    Parameters
    ----------
    contents
        What is known of the run.
    entries
        Its evaluations, by step.
    """
    found = judged(contents, entries)
    if found is None:
        return (
            "Training; no evaluation yet." if contents.state == "training" else "It ended before its first evaluation."
        )
    metric = main_metric(contents, found)
    if metric == "loss" and found["split"] == "train":
        return _without_validation(contents, found)
    parts = [_scored(contents, found, metric), *_course(contents, entries)]
    return _opened(contents, latest(entries), "; ".join(part for part in parts if part))


def place(entry: Entry, entries: Sequence[Entry]) -> str:
    """Return where an evaluation stands: its epoch if there is one evaluation for each epoch, else its step."""
    own = [other["epoch"] for other in entries if other["split"] == entry["split"]]
    return f"epoch {entry['epoch']:,}" if len(set(own)) == len(own) else f"step {entry['step']:,}"


def _opened(contents: Contents, last: Entry, text: str) -> str:
    """Begin the sentence with where the run stands, if it has not finished."""
    if contents.state == "training":
        return f"So far {text}; epoch {last['epoch']:,} of {contents.epochs:,}."
    if contents.state == "stopped":
        return f"Stopped at step {last['step']:,} of {contents.total_steps:,}: {text}."
    return f"{capital(text)}."


def _without_validation(contents: Contents, last: Entry) -> str:
    after = f"training loss {digits(last['loss'])}" if last["loss"] is not None else "the training loss is not finite"
    return _opened(
        contents,
        last,
        f"{after}; without validation data nothing tells how good the model is on new sequences",
    )


def _scored(contents: Contents, found: Entry, metric: str) -> str:
    """Say the score, and the best naive predictor's beside it."""
    value = found[metric]
    if value is None and found.get("unknown_labels"):
        return f"no {title(metric)} on the {data_of(found)}, as training saw none of its labels"
    if value is None:
        return f"{title(metric)} on the {data_of(found)} is not finite"
    name = title(metric)
    text = f"{name} {digits(value)} on the {data_of(found)}"
    naive = naive_on(found["split"], contents, metric)
    if naive is None:
        return text
    if improves(metric, value, naive[1]):
        return f"{text}; {cut(naive[0].title, LONGEST_TITLE)} would give {digits(naive[1])}"
    return f"{text}, no better than {cut(naive[0].title, LONGEST_TITLE)}, which gives {digits(naive[1])}"


def _course(contents: Contents, entries: Sequence[Entry]) -> list[str]:
    """Say when the run was best, and what the validation loss did after its lowest value."""
    split = contents.monitor.partition(".")[0]
    rated = [entry for entry in entries if entry["split"] == split]
    best = best_of(contents.monitor, rated)
    if best is None or len(rated) < 2:
        return []
    if contents.state == "training":
        return [f"best at {place(best, entries)}"]
    rise = _rise(rated, best)
    metric = main_metric(contents, best)
    if best is rated[-1] and not rise and not is_perfect(metric, best[metric]):
        return ["still improving at the last evaluation: more epochs may help"]
    *_, number = place(rated[-1], entries).split()
    return [f"best at {place(best, entries)} of {number}", rise]


def _rise(rated: Sequence[Entry], best: Entry) -> str:
    """Say whether the validation loss is clearly above its lowest value at the end."""
    known = [entry for entry in rated if entry["loss"] is not None]
    lowest = min(known, key=lambda entry: float(entry["loss"]), default=None)
    if lowest is None or rated[0]["split"] != "valid":
        return ""
    after = known[known.index(lowest) + 1 :][-LAST:]
    if not after or any(entry["loss"] <= RISE * lowest["loss"] for entry in after):
        return ""
    if lowest is best:
        return f"validation loss rose after it, from {digits(lowest['loss'])} to {digits(after[-1]['loss'])}"
    lowest_at = f"{digits(lowest['loss'])} at {place(lowest, rated)}"
    return f"validation loss rose from {lowest_at} to {digits(after[-1]['loss'])}"
