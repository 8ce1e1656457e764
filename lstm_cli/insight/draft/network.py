"""The sections `model`, `optimizer` and `train` of a config, once the data has been read."""

from lstm_cli.data import Data
from lstm_cli.data.schema.layout import TargetColumn
from lstm_cli.engine.column_metrics import metric_names
from lstm_cli.errors import are, counted
from lstm_cli.insight.draft.settings import Settings
from lstm_cli.insight.draft.sizes import Amount, Sizes, batch_for, embedding_for, sizes_for
from lstm_cli.insight.draft.targets import Task
from lstm_cli.insight.draft.text import Entry

#: Tasks whose targets depend on later steps too.
_BOTH_WAYS = ("classify", "tag", "regress")


def network_entries(task: Task, settings: Settings, data: Data) -> list[Entry]:
    """Return the sections for a task and the data that its config reads, in batches of `batch_size`."""
    schema, train = data.schema, data.train
    amount = Amount(
        pieces=_pieces(settings, data),
        updates=data.batches["train"].count(0),
        steps=int(train.offsets[-1]),
        labels=schema.target.size,
        valid=data.valid is not None,
    )
    sizes = sizes_for(task, amount, exact=settings.exact, sets=schema.target.kind == "set", tokens=bool(schema.tokens))
    optimizer = [
        Entry("name", "adam", "adapts the step size of every weight"),
        Entry("learning_rate", sizes.learning_rate, "before the schedule, which lowers it to zero"),
        Entry("clip_norm", sizes.clip, "maximum norm of all gradients together"),
    ]
    return [
        Entry("model", _model(task, settings, data, sizes), ""),
        Entry("optimizer", optimizer, ""),
        Entry("train", _train(settings, data, sizes, amount.updates), ""),
    ]


def batch_size(settings: Settings, data: Data) -> int:
    """Return the batch size for the data."""
    return batch_for(_pieces(settings, data))


def _pieces(settings: Settings, data: Data) -> int:
    """Return how many sequences the training data has, or windows where it is read in them."""
    steps, step = int(data.train.offsets[-1]), settings.stride or settings.window
    return max(1, -(-steps // step)) if step else len(data.train)


def _model(task: Task, settings: Settings, data: Data, sizes: Sizes) -> list[Entry]:
    entries = []
    if data.schema.tokens:
        most = max(len(vocabulary.tokens) for vocabulary in data.schema.tokens.values())
        entries.append(Entry("embedding", embedding_for(most), f"numbers for each of {counted(most, 'token')}"))
    steps = int(data.train.offsets[-1])
    why = f"one layer, as there {are(steps)} {counted(steps, 'step')} to learn from"
    entries.append(Entry("layers", [sizes.units], why))
    now = task == "regress" and data.schema.layout.target.per == "step"  # as a rule, later steps are not known then
    if task in _BOTH_WAYS and settings.window is None and not now:
        entries.append(Entry("bidirectional", True, "later steps are known, too"))
    if settings.residual:
        entries.append(Entry("residual", True, "the change is predicted, as values change little from step to step"))
    on_dropout = "share of outputs that each update drops" if sizes.dropout else "the data has hardly any noise"
    entries.append(Entry("dropout", sizes.dropout, on_dropout))
    if sizes.recurrent_dropout:
        entries.append(Entry("recurrent_dropout", sizes.recurrent_dropout, "also in the recurrence"))
    return entries


def _train(settings: Settings, data: Data, sizes: Sizes, updates: int) -> list[Entry]:
    entries = [
        Entry("epochs", sizes.epochs, f"{counted(updates, 'update')} each"),
        Entry("batch_size", batch_size(settings, data), _batch(settings)),
    ]
    if data.valid is not None and (monitor := _monitor(data.schema.layout.target, data)) is not None:
        entries.append(Entry("monitor", *monitor))
    on_patience = "evaluations without a better score before it stops" if sizes.patience else "train to the end"
    return [*entries, Entry("patience", sizes.patience, on_patience)]


def _batch(settings: Settings) -> str:
    """Return what a batch consists of."""
    if settings.window is None:
        return "sequences of similar length"
    return "windows" if settings.stride else "places at which the series are read in parallel"


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
