"""What an evaluation found: scores that explain themselves, as a dataclass and as JSON."""

from dataclasses import dataclass, field, fields
from typing import Any

from lstm_cli.data import Split
from lstm_cli.run.seen import Extent
from lstm_cli.scores.positions import Positions
from lstm_cli.typed_json import plain

Metrics = dict[str, float]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of a model on some data.

    Attributes
    ----------
    data
        What was evaluated: a file's name, or ``the test data of the run``.
    split
        Which data of the run that is, ``test`` or ``valid``; None: a file that was given.
    trained_on
        Whether the model was trained on ``all`` of a file that was given, or on ``parts`` of it; None: not that it is
        known.
    sequences, positions
        How many sequences have a target that counts, and how many targets.
    metrics
        The loss and the metrics, those of ``lstm-predict --evaluate``.
    intervals
        95 % confidence intervals of metrics, by bootstrap over sequences (`scores.intervals`).
    baselines
        Metrics of naive predictors by their names, as in `scores.baselines`.
    titles
        What to call each of the baselines.
    skill
        By baseline: how much of its way to a perfect score the model goes, for each metric (`scores.skill`).
    classes
        Of categories and sets: precision, recall, F1 and support of each label.
    confusion
        Of categories: ``labels`` and ``counts``; rows are the truth.
    confused
        Pairs of labels that were confused, the most frequent first.
    columns
        Of several columns of numbers: the metrics of each.
    horizons
        Of predictions several steps ahead, and of closed loops: errors by the number of steps.
    interval
        Of numbers whose spread is predicted: the share of values that the widest interval is to hold (``level``), the
        share that it holds (``coverage``) and its mean ``width``, and both by the number of steps ahead.
    calibration
        Of categories and sets: ``ece``, the expected calibration error, and the ``bins`` it is computed from.
    lengths
        Scores by the length of the sequences.
    by
        What the groups are: a column, or ``length``.
    groups
        Scores by the values of that column, or by length if that was asked for.
    members
        Of an ensemble: the metrics of each of its runs, by folder.
    over_members
        Of an ensemble: the ``mean`` of these, and their standard ``deviation`` (n - 1).
    targets
        Of several target columns: the evaluation of each, whose metrics have no column in their names.
    found
        Of a single target: the positions that all of these are computed from; not in the JSON.
    """

    data: str
    sequences: int
    positions: int
    metrics: Metrics
    split: Split | None = None
    trained_on: Extent | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    baselines: dict[str, Metrics] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    skill: dict[str, Metrics] = field(default_factory=dict)
    classes: dict[str, dict[str, float]] = field(default_factory=dict)
    confusion: dict[str, Any] = field(default_factory=dict)
    confused: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)
    horizons: dict[str, Any] = field(default_factory=dict)
    interval: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    lengths: list[dict[str, Any]] = field(default_factory=list)
    by: str | None = None
    groups: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Metrics] = field(default_factory=dict)
    over_members: dict[str, Metrics] = field(default_factory=dict)
    targets: "dict[str, Evaluation]" = field(default_factory=dict)
    found: Positions | None = field(default=None, repr=False)

    @property
    def positions_of_targets(self) -> dict[str, Positions]:
        """The positions of each target column by its name; of a single target under no name."""
        each = {name: target.found for name, target in self.targets.items()} or {"": self.found}
        return {name: found for name, found in each.items() if found is not None}

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as JSON has it: without what does not apply, and null for what is not finite."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("found", "targets")}
        given["targets"] = {name: target.to_json() for name, target in self.targets.items()}
        return {name: plain(value) for name, value in given.items() if value not in (None, {}, [])}
