"""What metrics and splits are called in texts and on pages."""

from lstm_cli.data.splits import Split
from lstm_cli.errors import on_one_line

#: The data of a split, as in "validation data".
SPLITS: dict[str, str] = {"train": "training", "valid": "validation", "test": "test"}
#: What stands where a label is that training never saw.
UNSEEN = "(never seen)"

_TITLES = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "bits": "bits per step",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "nll": "negative log-likelihood",
}
_SHORT = {"nll": "NLL", "bits": "bits/step", "frame_accuracy": "frame acc."}


def title(metric: str) -> str:
    """Return what to call a metric: RMSE, or RMSE of load."""
    name, of, column = metric.partition(".")
    return _TITLES.get(name, name.replace("_", " ")) + (f" of {on_one_line(column)}" if of else "")


def short_title(metric: str) -> str:
    """Return what to call a metric where there is little room, as above a column: NLL."""
    return _SHORT.get(metric) or title(metric)


def data_of_run(split: Split) -> str:
    """Return what to call the data of a split."""
    return f"the {SPLITS[split]} data of the run"
