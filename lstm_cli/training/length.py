"""Notes for the user on the length of a run."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Length
from lstm_cli.errors import counted
from lstm_cli.optim.schedules import auto_warmup

#: Updates below which a network has often learned little yet.
FEW = 500


def notes_on_length(config: Config, batches: Batches, length: Length, warmup: int) -> Iterator[str]:
    """Yield notes for the user: that there are few updates, or that most of them are warm-up."""
    total = length.updates
    if total < FEW:
        what = f"train: {counted(total, 'update')} in all, often too few to learn from"
        yield f"{what}: {', or '.join(_more_updates(config, batches, length))}"
    if 2 * warmup > total:
        fix = f"set it to auto ({auto_warmup(total)} here), or train for more epochs"
        yield f"train.schedule.warmup: {counted(warmup, 'update')}, of {total:,} in the whole run: {fix}"


def _more_updates(config: Config, batches: Batches, length: Length) -> Iterator[str]:
    """Yield what makes more updates."""
    each, train = counted(length.each, "update"), config.train
    yield f"set train.epochs to {-(-FEW // length.each):,} or more, of {each} each"
    most = batches.most_sequences()
    if train.accumulate > 1:
        yield "a smaller train.accumulate"
    elif most > 1:
        key = "train.batch_size" if train.batch_steps is None else "train.batch_steps"
        yield f"a smaller {key}: a batch has up to {most} now"
    elif config.data.window is None:
        yield "data.window, to learn from parts of a long sequence"
