"""The length of a run that is not stopped early."""

from dataclasses import dataclass

from lstm_cli.config.config import Config
from lstm_cli.data.batching.auto import epochs_for
from lstm_cli.data.batching.batches import Batches
from lstm_cli.data.batching.changes import is_smooth


@dataclass(frozen=True)
class Length:
    """The length of a run that is not stopped early.

    Attributes
    ----------
    each, epochs
        Updates of an epoch, and epochs.
    """

    each: int
    epochs: int

    @property
    def updates(self) -> int:
        """The updates of the whole run."""
        return self.each * self.epochs

    @classmethod
    def of(cls, config: Config, batches: Batches) -> "Length":
        """Return the length of a run with these training batches."""
        each, epochs = -(-batches.count(0) // config.train.accumulate), config.train.epochs
        return cls(each, epochs_for(each, smooth=is_smooth(batches.dataset)) if epochs == "auto" else epochs)
