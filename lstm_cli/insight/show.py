"""What a run is: its model, schema, checkpoints, files, and where it came from.

>>> lstm_cli.show("runs/quickstart").target["labels"]
['circle', 'shake', 'swipe', 'tap', 'wave']
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_cli.config.model import ModelSpec
from lstm_cli.data import Schema, schema_of
from lstm_cli.errors import CheckpointError, LstmError
from lstm_cli.insight.run_record import RunRecord, Saved, State, run_record, scores_in
from lstm_cli.insight.show_parts import (
    data_of,
    inputs_of,
    layer_of,
    layer_text,
    provenance_of,
    size_of,
    target_of,
)
from lstm_cli.run import checkpoint
from lstm_cli.run.identity import read_checked
from lstm_cli.run.names import BEST, LAST, LOCK
from lstm_cli.typed_json import plain


@dataclass(frozen=True)
class Layer:
    """One layer of a model; `parameters` is its number of weights."""

    name: str
    description: str
    parameters: int


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint: its place in the training, the value of the monitored score so far, and its size."""

    step: int
    epoch: int | None
    best: float | None
    bytes: int


@dataclass(frozen=True)
class Description:
    """A description of a run.

    Attributes
    ----------
    run
        Its folder, as given.
    state, status
        Whether it has finished, was stopped, is training, or is made of imported weights, and that as a sentence if the
        run says it.
    monitor
        The score that chooses the best state.
    scores
        Loss and metrics of the best state, by split.
    model
        The layers from the input to the output.
    inputs
        Name, kind, width and more of each input column.
    target
        What is predicted: its column, kind, labels and more.
    data
        Format, id columns, scaling, and the digests of the splits that the model was made with.
    checkpoints
        By ``best`` and ``last``.
    provenance
        When, where and by what the run was made.
    files
        The bytes of each file, and of each folder with all that is in it.
    problems
        What is damaged, one line each.
    """

    run: str
    state: State
    status: str
    monitor: str
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    model: tuple[Layer, ...] = ()
    inputs: tuple[Mapping[str, Any], ...] = ()
    target: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: Mapping[str, Checkpoint] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """The number of weights of the whole model."""
        return sum(layer.parameters for layer in self.model)

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON."""
        found = {name: plain(value) for name, value in vars(self).items()}
        found["checkpoints"] = {name: plain(vars(one)) for name, one in self.checkpoints.items()}
        return {**found, "parameters": self.parameters}


def show(run: str | Path) -> Description:
    """Describe the run in a folder: model, schema, checkpoints, files, and where it came from.

    Parameters
    ----------
    run : path
        The run folder, of a run that has ended or is training. Nothing in it is run or changed.

    Returns
    -------
    description : Description
        Every checkpoint is verified: what is damaged is named in `problems`.

    Raises
    ------
    CheckpointError
        The folder contains no run, or its config is damaged.
    """
    folder = Path(run)
    record = run_record(folder)
    problems = list(record.problems)
    for name in record.saved:
        try:
            checkpoint.load(folder / name)
        except CheckpointError as error:
            problems.append(str(error))
    saved = record.saved.get(BEST) or record.saved.get(LAST)
    schema = _schema(record, saved, problems)
    said = record.report.get("status") if record.state == record.report.get("state") else None
    return Description(
        run=str(folder),
        state=record.state,
        status=said if isinstance(said, str) else record.state,
        monitor=record.monitor,
        scores={entry["split"]: scores_in(entry) for entry in (record.best, record.test) if entry is not None},
        model=() if saved is None else tuple(_layers(record.config.model, saved)),
        inputs=() if schema is None else tuple(map(dict, inputs_of(schema))),
        target={} if schema is None else target_of(schema),
        data=data_of(record, schema, saved),
        checkpoints={name: _checkpoint(folder / name, one) for name, one in record.saved.items()},
        provenance=provenance_of(record, saved),
        files=_files(folder),
        problems=tuple(dict.fromkeys(problems)),
    )


def _schema(record: RunRecord, saved: Saved | None, problems: list[str]) -> Schema | None:
    """Return the run's schema; None, with a problem, if its files are not those of the checkpoint."""
    if saved is None:
        problems.append(f"{record.folder}: no checkpoint that can be read: its model and schema are not shown")
        return None
    try:
        return schema_of(read_checked(saved.identity, record.folder), record.folder, record.config)
    except LstmError as error:
        problems.append(str(error))
    except KeyError as error:
        problems.append(f"{record.folder / error.args[0]}: the file is missing: restore that file, or train again")
    return None


def _layers(spec: ModelSpec, saved: Saved) -> Iterator[Layer]:
    """Yield the layers of a model, from what its weights are called."""
    sizes: dict[str, int] = {}
    for name, shape in saved.shapes.items():
        layer = layer_of(name)
        sizes[layer] = sizes.get(layer, 0) + math.prod(shape)
    order = sorted(sizes, key=lambda layer: (_ORDER.index(layer.partition(".")[0]), _number(layer)))
    for layer in order:
        yield Layer(layer, layer_text(layer, spec, saved.shapes), sizes[layer])


#: The layers of a model from the input to the output, by the first part of their names.
_ORDER = ("embedding", "layers", "attention", "output", "crf")


def _number(layer: str) -> int:
    last = layer.rpartition(".")[2]
    return int(last) if last.isdecimal() else 0


def _checkpoint(folder: Path, saved: Saved) -> Checkpoint:
    epoch, best = saved.position.get("epoch"), saved.position.get("best")
    return Checkpoint(
        step=int(saved.position["step"]),
        epoch=epoch if isinstance(epoch, int) else None,
        best=best if isinstance(best, float) else None,
        bytes=size_of(folder),
    )


def _files(folder: Path) -> dict[str, int]:
    """Return the bytes of each file and folder in a run folder, by name; links are not followed."""
    return {path.name: size_of(path) for path in sorted(folder.iterdir()) if path.name != LOCK}
