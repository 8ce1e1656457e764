"""What `lstm check` finds, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.insight.training_columns import ColumnSummary, FirstSequence
from lstm_cli.scores.baseline import Baseline
from lstm_cli.training.events import Part
from lstm_cli.typed_json import plain

BARS = 8  # of the histogram of lengths


@dataclass(frozen=True)
class Split:
    """The sequences of a split.

    Attributes
    ----------
    summary
        In words.
    sequences, steps
        How many there are.
    shortest, median, longest
        Their lengths.
    histogram
        How many are in each of equal ranges of lengths; one range where all are of one length.
    """

    summary: str
    sequences: int
    steps: int
    shortest: int
    median: int
    longest: int
    histogram: tuple[int, ...]

    @classmethod
    def of(cls, lengths: NDArray[np.int64], summary: str) -> "Split":
        """Return what the lengths of a split's sequences say."""
        bins = min(BARS, int(np.ptp(lengths)) + 1)
        return cls(
            summary=summary,
            sequences=len(lengths),
            steps=int(lengths.sum()),
            shortest=int(lengths.min()),
            median=int(np.median(lengths)),
            longest=int(lengths.max()),
            histogram=tuple(np.histogram(lengths, bins=bins)[0].tolist()),
        )


@dataclass(frozen=True)
class LargestBatch:
    """The batch with the most steps, as it was run: its size, and its time and the memory in use.

    Attributes
    ----------
    sequences, steps
        How many sequences, of up to how many steps.
    seconds, first_seconds
        Of an update on it, and of the first one, which also compiles or loads functions.
    megabytes
        The most memory that the process has used until then.
    """

    sequences: int
    steps: int
    seconds: float
    first_seconds: float
    megabytes: float


@dataclass(frozen=True)
class Findings:
    """What `lstm check` finds.

    Attributes
    ----------
    first : FirstSequence
    columns : tuple of ColumnSummary
        The inputs, and the target if it is a column.
    target : str
        What is predicted, in words.
    labels : mapping of str to int
        How often each label is the target in the training data, the most frequent first; empty for numbers.
    splits : mapping of str to Split
    notes : tuple of str
        What may surprise, each with what to do about it.
    baselines : tuple of Baseline
        Scores of naive predictors on the validation and the test data.
    model : tuple of Part
        The layers, from the input to the output.
    parameters : int
    updates, epochs, batches : int
        Of a training that is not stopped early; batches are those of an epoch.
    bucket : bool
        Whether batches are of sequences of similar length.
    padding, padding_otherwise : float
        The share of padding in all steps, and what it would be with the other value of ``train.bucket``; None where
        that changes nothing.
    largest : LargestBatch
    """

    first: FirstSequence
    columns: tuple[ColumnSummary, ...]
    target: str
    labels: Mapping[str, int]
    splits: Mapping[str, Split]
    notes: tuple[str, ...]
    baselines: tuple[Baseline, ...]
    model: tuple[Part, ...]
    parameters: int
    updates: int
    epochs: int
    batches: int
    bucket: bool
    padding: float
    padding_otherwise: float | None
    largest: LargestBatch

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON; numbers that are not finite are null."""
        return cast(dict[str, Any], plain(asdict(self)))
