"""Sizes of the network and of its training that fit the amount of data: few rules, each measured on public data sets.

The rules: an epoch has about thirty updates at least; a run has a number of updates that depends on the task; a layer
has more units where there is more to learn from; what is small is regularized more.
"""

import math
from dataclasses import dataclass

from lstm_cli.insight.draft.targets import Task

#: Updates of a run that each task wants, and its learning rate.
_UPDATES: dict[Task, int] = {"classify": 1500, "tag": 1500, "regress": 2000, "forecast": 1000, "language-model": 2500}
_RATES: dict[Task, float] = {"classify": 3e-3, "tag": 3e-3, "regress": 5e-3, "forecast": 5e-3, "language-model": 4e-3}
#: Numbers that are predicted together, from which on there is twice as much to learn.
_AHEAD = 8
#: Updates where there is hardly any noise, so that precision grows for long.
_EXACT = 4000
#: Updates of an epoch, the batches that lead to them, and epochs.
_PER_EPOCH, _BATCHES, _EPOCHS, _MANY = 30, (4, 32), (5, 200), 20_000


@dataclass(frozen=True)
class Amount:
    """How much there is to learn from.

    Attributes
    ----------
    pieces
        Sequences, or windows, of the training data.
    updates
        Updates of an epoch, with the batch size that is right for them.
    steps
        Steps of the training data.
    labels
        Different labels or tokens of the target, or numbers.
    valid
        Whether there is validation data.
    """

    pieces: int
    updates: int
    steps: int
    labels: int
    valid: bool


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network and its training."""

    units: int
    dropout: float
    recurrent_dropout: float
    learning_rate: float
    clip: float
    epochs: int
    patience: int | None


def batch_for(pieces: int) -> int:
    """Return the batch size for a number of sequences or windows: at most 32, or 64 where there are very many."""
    size = _power(pieces / _PER_EPOCH, *_BATCHES)
    return 2 * size if pieces >= _MANY else size


def sizes_for(task: Task, amount: Amount, *, exact: bool, sets: bool, tokens: bool) -> Sizes:
    """Return the sizes for a task and an amount of data.

    Parameters
    ----------
    task
    amount
    exact
        Whether the data has hardly any noise.
    sets
        Whether sets of labels are predicted.
    tokens
        Whether tokens are read, by their embeddings.
    """
    wanted = _EXACT if exact else _UPDATES[task] * (1 + (task == "forecast" and amount.labels >= _AHEAD))
    epochs = min(max(round(wanted / max(1, amount.updates)), _EPOCHS[0]), _EPOCHS[1])
    return Sizes(
        units=_units(task, amount, exact=exact, sets=sets),
        dropout=_dropout(task, amount, exact=exact, heavy=sets or (task == "tag" and tokens)),
        recurrent_dropout=0.3 if sets else 0.0,
        learning_rate=1e-2 if task == "forecast" and amount.steps < 1000 else _RATES[task],
        clip=5.0 if task in ("classify", "tag") else 1.0,
        epochs=epochs,
        patience=max(5, round(epochs / 3)) if amount.valid else None,
    )


def embedding_for(tokens: int) -> int:
    """Return the size of the embedding of a number of different tokens."""
    return 8 if tokens <= 12 else 32 if tokens <= 48 else 64


def _power(wanted: float, least: int, most: int) -> int:
    """Return the power of two that is nearest to a number, within limits."""
    return int(min(max(2 ** round(math.log2(max(wanted, 1))), least), most))


def _units(task: Task, amount: Amount, *, exact: bool, sets: bool) -> int:
    if sets:
        return 192
    if exact:
        return _power(math.sqrt(amount.steps), 32, 256)
    if task in ("classify", "tag", "regress"):
        return _power(math.sqrt(amount.steps), 32, 128)
    if task == "forecast":
        return _power(math.sqrt(amount.steps) / 1.5, 64 if amount.labels >= _AHEAD else 16, 128)
    return _power(math.sqrt(amount.steps) / 2, 32, 256)


def _dropout(task: Task, amount: Amount, *, exact: bool, heavy: bool) -> float:
    if exact:
        return 0.0
    if heavy:
        return 0.5
    if task in ("classify", "tag"):
        return 0.3
    if task == "language-model":
        return 0.1 if amount.labels < 10 or amount.steps > 500_000 else 0.2
    return 0.1
