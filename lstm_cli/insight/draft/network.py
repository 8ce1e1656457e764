"""The sections `model`, `optimizer` and `train` of a config: what a config without them has, written out with reasons.

A drafted config is therefore trained to the same weights as its section `data` alone, but for the score that is
monitored.
"""

from collections.abc import Iterator

from lstm_cli.data import Data, Length
from lstm_cli.data.schema.layout import TargetColumn
from lstm_cli.engine.column_metrics import metric_names
from lstm_cli.errors import are, counted
from lstm_cli.insight.draft.text import Entry

#: The keys of `model` that may be chosen from the data, in the order in which they are written.
_KEYS = ("embedding", "layers", "bidirectional", "pool", "residual", "dropout", "recurrent_dropout")


def network_entries(data: Data) -> list[Entry]:
    """Return the sections for data that was opened with a config of the sections before them."""
    return [
        Entry("model", [Entry(key, data.chosen[key], _why(key, data)) for key in _KEYS if key in data.chosen], ""),
        Entry("optimizer", _optimizer(data), ""),
        Entry("train", list(_train(data)), ""),
    ]


def _why(key: str, data: Data) -> str:
    """Return why a key of `model` was chosen for the data."""
    target = data.schema.target
    whole = target.per == "sequence"
    if key == "embedding":
        most = max(len(vocabulary.tokens) for vocabulary in data.schema.tokens.values())
        return f"numbers for each of {counted(most, 'token')}"
    if key == "layers":
        amount, what = (len(data.train), "sequence") if whole else (int(data.train.offsets[-1]), "step")
        return f"one layer, as there {are(amount)} {counted(amount, what)} to learn from"
    if key == "dropout" and not data.chosen[key]:
        return "dropping outputs would blur the number of a sequence" if whole else "the data has hardly any noise"
    return {
        "bidirectional": "later steps are known, too",
        "pool": "the largest value of each output over all steps: what decides may be anywhere",
        "residual": "the change is predicted, as values change little from step to step",
        "dropout": "share of outputs that each update drops, against overfitting",
        "recurrent_dropout": "also in the recurrence, as sets are easily learned by heart",
    }[key]


def _optimizer(data: Data) -> list[Entry]:
    optimizer = data.config.optimizer
    return [
        Entry("name", optimizer.name, "adapts the step size of every weight"),
        Entry("learning_rate", optimizer.learning_rate, "before the schedule, which lowers it to zero"),
        Entry("clip_norm", optimizer.clip_norm, "maximum norm of all gradients together"),
    ]


def _train(data: Data) -> Iterator[Entry]:
    batches = data.batches["train"]
    length = Length.of(data.config, batches)
    yield Entry("epochs", length.epochs, f"{counted(length.each, 'update')} each, {length.updates:,} in all")
    yield Entry("batch_size", batches.batch_size, _batch(data))
    if data.valid is not None and (monitor := _monitor(data.schema.layout.target, data)) is not None:
        yield Entry("monitor", *monitor)
    yield Entry("patience", data.config.train.patience, "evaluations without a better score before it stops")


def _batch(data: Data) -> str:
    """Return what a batch consists of."""
    spec = data.config.data
    if spec.window is None:
        return "sequences of similar length" if len(data.train) > 1 else "at most: there is one sequence"
    return "places at which the series are read in parallel" if spec.carry_state else "windows"


def _monitor(target: TargetColumn, data: Data) -> tuple[str, str] | None:
    """Return the score by which the best checkpoint is chosen, and what it is; None for the loss."""
    if target.kind == "number":
        one = "rmse" in metric_names(data.schema.target)
        return ("valid.rmse", "in the units of the data") if one else ("valid.r2", "mean over the columns")
    if target.kind == "set":
        return "valid.nll", "negative log-likelihood per step"
    if target.is_next:
        return "valid.bits", "bits per step"
    return ("valid.accuracy", "the checkpoint with the most correct labels is kept") if target.per == "step" else None
