"""``report.json``: all that a run's page shows beside the evaluations of ``metrics.jsonl``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lstm_cli.config.train import METRICS
from lstm_cli.insight.explanation import Explanation
from lstm_cli.report.evaluated import evaluated, of_columns
from lstm_cli.typed_json import WrongValue, built, expected, plain

VERSION = 1

State = Literal["training", "finished", "stopped"]


@dataclass(frozen=True)
class Layer:
    """One layer of a model."""

    name: str
    description: str
    parameters: int


@dataclass(frozen=True)
class NaiveScore:
    """The scores of a naive predictor on a split."""

    name: str
    title: str
    split: str
    metrics: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class NextCommand:
    """A command to type next, and what it does."""

    command: str
    purpose: str


@dataclass(frozen=True)
class Contents:
    """The contents of a page.

    Attributes
    ----------
    run
        Name of the run.
    folder
        The run folder, as given on the command line.
    state
        Whether the run is still training, has finished, or was stopped before its end.
    status
        That as a sentence: how it has ended, or by what it was stopped.
    started
        Date and time of the run's start, in ISO 8601.
    command
        The command line.
    versions, machine
        Names and what they are.
    monitor
        The metric that selects the best checkpoint, such as ``valid.loss``.
    epochs, total_steps
        The run's length if it is not stopped early.
    config_set
        The keys that the config sets, as YAML; `settings` are all keys with their values.
    facts
        A summary of the data.
    """

    run: str
    folder: str
    state: State
    status: str
    monitor: str
    epochs: int
    total_steps: int
    version: int = VERSION
    started: str = ""
    command: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    config_set: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    model: tuple[Layer, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    next: tuple[NextCommand, ...] = ()
    baselines: tuple[NaiveScore, ...] = ()
    explanation: Explanation | None = None


_DEFAULTED = frozenset(
    "version started command versions machine config_set settings model facts notes next baselines explanation metrics "
    "step input confidence error column ahead times low high level rmse mae prompt gradient_by_lag saturation "
    "evaluation surest_errors forecasts horizon samples trajectories loop_errors diagnostics".split()
)


def to_json(contents: Contents) -> str:
    """Return the text of ``report.json``: what has its default is left out, but for the version."""
    return json.dumps({"version": contents.version, **plain(contents)}, allow_nan=False, indent=1) + "\n"


def from_json(text: str | bytes) -> Contents:
    """Return the contents that ``report.json`` describes.

    Raises
    ------
    WrongValue
        It is no JSON, or a value is missing or of another type than its place allows.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WrongValue(f"no JSON: {error}") from None
    contents = built(Contents, content, _DEFAULTED)
    if contents.version != VERSION:
        raise WrongValue(f"expected {VERSION}, got {contents.version}", "version")
    split, _, metric = contents.monitor.partition(".")
    if split not in ("train", "valid") or metric.partition(".")[0] not in METRICS:
        raise expected("a score such as valid.loss", contents.monitor).within("monitor")
    evaluated(contents.explanation)
    of_columns(contents.explanation)
    return contents
