"""What a comparison of runs holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.insight.run_record import State
from lstm_cli.typed_json import plain

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """One run of a comparison.

    Attributes
    ----------
    run
        Its folder, as given.
    state
        Whether it has finished, was stopped, or is training.
    monitor
        The score that chose its best state.
    scores
        Loss and metrics of the best state, by split: of the validation data, and of the test data if it has been
        scored.
    config
        The keys that differ between the runs, with the values of this one; keys that it does not have are left out.
    baselines, skill
        By split and name: scores of naive predictors, and the skill against each of them.
    best_step, best_epoch
        Of the best state.
    steps, epochs, seconds
        How far it has trained, and the time that took.
    steps_per_second
        Median over its evaluations.
    parameters
        The number of weights.
    started
        When.
    entries
        Its evaluations, as in ``metrics.jsonl``.
    """

    run: str
    state: State
    monitor: str
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    config: Settings = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Mapping[str, float | None]]] = field(default_factory=dict)
    skill: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    best_step: int | None = None
    best_epoch: int | None = None
    steps: int | None = None
    epochs: int | None = None
    seconds: float | None = None
    steps_per_second: float | None = None
    parameters: int | None = None
    started: str | None = None
    entries: tuple[Mapping[str, Any], ...] = ()

    def monitored(self, monitor: str) -> float | None:
        """Return the best value of a score; None if the run has none."""
        split, _, metric = monitor.partition(".")
        return self.scores.get(split, {}).get(metric)


@dataclass(frozen=True)
class Comparison:
    """Runs, the best first, and what has to be said of them.

    Attributes
    ----------
    runs
        Sorted by `monitor`; runs without a value of it last.
    monitor
        The score that most runs monitor.
    notes
        What does not compare, and folders that were left out.
    """

    runs: tuple[Compared, ...]
    monitor: str
    notes: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The keys that differ, in the order of the config's sections."""
        keys = dict.fromkeys(key for run in self.runs for key in run.config)
        return sorted(keys, key=lambda key: list(Config.model_fields).index(key.partition(".")[0]))

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON: every run with its scores and the keys that differ, without its curves."""
        runs = [{name: value for name, value in vars(run).items() if name != "entries"} for run in self.runs]
        return {"runs": [plain(run) for run in runs], "monitor": self.monitor, "notes": list(self.notes)}
