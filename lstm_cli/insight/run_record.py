"""What a run folder says of its run, without building the model: for comparing and showing runs."""

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lstm_cli.config.config import Config
from lstm_cli.engine.metrics import scores_of
from lstm_cli.errors import CheckpointError, CheckpointWarning, LstmError
from lstm_cli.plain_files import read_own
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.run.environment import Surroundings, read_environment
from lstm_cli.run.lock import is_held
from lstm_cli.run.metrics_log import best_entry, damage, read_entries
from lstm_cli.run.names import CHECKPOINTS, LAST, METRICS, MODEL, POSITION, REPORT_DATA
from lstm_cli.run.origin import saved_config

State = Literal["training", "finished", "stopped", "imported"]
_COUNTS = ("unknown_labels",)  # beside the metrics of an evaluation, and not one
_MOST = 1 << 28  # bytes of a JSON file of a run, far more than they have
_HEADER = 1 << 26  # bytes of the header of a file of arrays


@dataclass(frozen=True)
class Saved:
    """A checkpoint, as far as it is read without its arrays.

    Attributes
    ----------
    position, identity
        See `lstm_cli.run.checkpoint.State`.
    shapes
        The shape of every array of weights.
    """

    position: Mapping[str, Any]
    identity: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(map(math.prod, self.shapes.values()))


@dataclass(frozen=True)
class RunRecord:
    """A run, from the files of its folder.

    Attributes
    ----------
    folder
        As given.
    config
        As in ``resolved.yaml``, which is that of the checkpoints.
    entries
        The evaluations, as in ``metrics.jsonl``.
    saved
        The checkpoints that can be read, by ``best`` and ``last``.
    environment
        What ``environment.json`` says; empty if it cannot be read.
    report
        The content of ``report.json``; empty if it cannot be read, or, of runs of earlier versions, is not there.
    problems
        What is damaged, one line each.
    """

    folder: Path
    config: Config
    entries: tuple[Mapping[str, Any], ...] = ()
    saved: Mapping[str, Saved] = field(default_factory=dict)
    environment: Surroundings = field(default_factory=Surroundings)
    report: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name or self.folder.resolve().name

    @property
    def monitor(self) -> str:
        """The score that chose the best state."""
        return self.config.train.monitor

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The evaluation of the best state; None if there is none yet."""
        return best_entry(self.monitor, self.entries)

    @property
    def test(self) -> Mapping[str, Any] | None:
        """The score of the best state on the test data; None if there is none."""
        return next((entry for entry in reversed(self.entries) if entry["split"] == "test"), None)

    @property
    def state(self) -> State:
        """Whether the run has finished, was stopped before its end, is training now, or was never trained here."""
        if self.environment.imported:
            return "imported"
        said = self.report.get("state")
        if said in ("finished", "stopped"):
            return "finished" if said == "finished" else "stopped"
        held = is_held(self.folder)
        if held or (held is None and said == "training"):
            return "training"
        return "finished" if said is None and self._is_complete() else "stopped"

    def _is_complete(self) -> bool:
        """Return whether the last state is one at which training ends; runs of earlier versions do not say it."""
        train, last = self.config.train, self.saved.get(LAST)
        if last is None:
            return False
        epoch, stale = (last.position.get(name) for name in ("epoch", "stale"))
        out_of_patience = train.patience is not None and isinstance(stale, int) and stale >= train.patience
        epochs = last.position.get("epochs") if train.epochs == "auto" else train.epochs
        return out_of_patience or (isinstance(epoch, int) and isinstance(epochs, int) and epoch >= epochs)


def scores_in(entry: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the loss and the metrics of an evaluation, without the counts beside them."""
    return {name: value for name, value in scores_of(entry).items() if name not in _COUNTS}


def run_record(folder: Path) -> RunRecord:
    """Return what a run folder says of its run.

    Raises
    ------
    CheckpointError
        The folder contains no run, or its config is damaged or was edited.
    """
    problems: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckpointWarning)  # that an earlier version wrote the run
        config = saved_config(folder)
    saved = {}
    for name in CHECKPOINTS:
        if (folder / name).is_dir():
            try:
                saved[name] = _saved(folder / name)
            except CheckpointError as error:
                problems.append(str(error))
    entries: list[dict[str, Any]] = []
    try:
        entries = read_entries(folder / METRICS)
        problems += [line.removesuffix(": left unchanged, and not in the report") for line in damage(folder / METRICS)]
    except LstmError as error:
        problems.append(str(error))
    environment = Surroundings()
    try:
        environment = Surroundings.of(read_environment(folder))
    except LstmError as error:
        problems.append(str(error))
    report = _object(folder / REPORT_DATA, problems)
    return RunRecord(folder, config, tuple(entries), saved, environment, report, tuple(problems))


def _saved(folder: Path) -> Saved:
    """Return what a checkpoint says without its arrays, which are not verified here."""
    identity = identity_of(folder)
    if identity is None:
        raise CheckpointError(f"{folder}: damaged checkpoint: no good manifest")
    try:
        position = json.loads(read_own(folder / POSITION, most=_MOST))
        int(position["step"])
        shapes = _shapes(folder / MODEL)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        found = getattr(error, "strerror", None) or f"not what this tool writes ({type(error).__name__}: {error})"
        raise CheckpointError(f"{folder}: damaged checkpoint: {found}") from None
    return Saved(position, identity, shapes)


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of a safetensors file, from its header alone."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > _HEADER:
            raise ValueError(f"a header of {size:,} bytes")
        header = json.loads(file.read(size))
    return {name: tuple(map(int, array["shape"])) for name, array in header.items() if name != "__metadata__"}


def _object(path: Path, problems: list[str]) -> Mapping[str, Any]:
    """Return the object in a JSON file; empty, with a problem, if it is damaged, and empty if it is missing."""
    try:
        content = json.loads(read_own(path, most=_MOST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, LstmError) as error:
        problems.append(f"{path}: damaged: {getattr(error, 'strerror', None) or 'not JSON'}")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{path}: damaged: not an object")
        return {}
    return content
