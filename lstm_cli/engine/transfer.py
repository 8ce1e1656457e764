"""Weights of another run as the initial weights of a new model: by the names of layers, inputs, tokens and labels.

Legend: I inputs of the first layer, H units, K outputs, V tokens.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.data.schema.following import paired_inputs
from lstm_cli.data.schema.target import Target
from lstm_cli.engine.build import parameters_of
from lstm_cli.engine.saved import SavedRun
from lstm_cli.errors import brief, counted
from lstm_cli.graph.model import Model
from lstm_cli.graph.parameters import Parameter

Names = Sequence[Hashable]
Places = tuple[np.ndarray, np.ndarray]  # indices along one axis: in the new array, and in the old one

#: Layers whose arrays have one row, or one number, for each output of the network.
_OF_OUTPUTS = ("output", "crf")


@dataclass(frozen=True)
class Transfer:
    """What became of the parameters of a new model.

    Attributes
    ----------
    weights
        Every parameter of the new model by name.
    taken
        The layers whose weights are those of the run, and what is new in them; empty: nothing.
    fresh
        The layers, or single parameters, with initial weights, and why.
    """

    weights: dict[str, np.ndarray]
    taken: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Side:
    """A network: of the run, or the new one."""

    config: Config
    schema: Schema
    parameters: Mapping[str, Parameter]

    @classmethod
    def of(cls, config: Config, schema: Schema) -> "_Side":
        return cls(config, schema, {parameter.name: parameter for parameter in parameters_of(config, schema)})


def transferred(model: Model, config: Config, schema: Schema, source: SavedRun) -> Transfer:
    """Return the weights of a run's best state where they fit a new model, and the model's own elsewhere.

    A layer fits if all its arrays have the same shape and gates in both, apart from rows or columns that stand for
    inputs, tokens or labels: these are matched by name (`lstm_cli.data.schema.following`). A new token's or label's row
    is its initial draw plus the mean of the rows of the known ones, so that a new label is at first as likely as
    an average one (Hewitt 2021, "Initializing new word embeddings for pretrained language models"); a new input's
    column is its initial draw.

    Parameters
    ----------
    model
        With initial weights.
    config, schema
        Of the new run.
    source
        The run whose weights are taken.
    """
    new, old = _Side.of(config, schema), _Side.of(source.config, source.schema)
    found, pairs = Transfer(model.parameters.values()), paired_inputs(schema.layout, source.schema.layout)
    for layer, parameters in _by_layer(new.parameters.values()).items():
        names = {p.name: _old_name(p.name, pairs) for p in parameters}
        places = {p.name: _places(p, old.parameters.get(names[p.name]), new, old, pairs) for p in parameters}
        wrong = {name: reason for name, reason in places.items() if isinstance(reason, str)}
        missing = [p.name for p in parameters if names[p.name] not in old.parameters]
        if reasons := [reason for name, reason in wrong.items() if name not in missing]:
            found.fresh[layer] = reasons[0]
        elif len(missing) == len(parameters):
            found.fresh[layer] = "no such layer there"
        else:
            found.fresh.update(dict.fromkeys(missing, "no such weights there"))
            found.taken[layer] = ""
            for parameter in parameters:
                at = places[parameter.name]
                if not isinstance(at, str):
                    values = found.weights[parameter.name]
                    _take(values, source.state.model[names[parameter.name]], at, grows=not layer.startswith("layers."))
                    found.taken[layer] = found.taken[layer] or _growth(parameter, at)
    return found


def _by_layer(parameters: Iterable[Parameter]) -> dict[str, list[Parameter]]:
    """Return the parameters by layer: an embedding, one direction of a recurrent layer, the output layer."""
    layers: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        embedding = parameter.name.startswith("embedding.")
        layers.setdefault(parameter.name if embedding else parameter.name.rpartition(".")[0], []).append(parameter)
    return layers


def _old_name(name: str, pairs: Mapping[str, str]) -> str:
    """Return what a parameter is called in the run; the embedding of an input may be that of one of another name."""
    kind, _, column = name.partition(".")
    return f"{kind}.{pairs.get(column, column)}" if kind == "embedding" else name


def _places(
    new: Parameter, old: Parameter | None, to: _Side, of: _Side, pairs: Mapping[str, str]
) -> tuple[Places, ...] | str:
    """Return the indices along each axis that correspond, or why the arrays do not fit."""
    if old is None:
        return "no such weights there"
    if len(new.blocks) != len(old.blocks) or new.blocks != old.blocks or len(new.shape) != len(old.shape):
        return f"{len(old.blocks)} gates there ({', '.join(old.blocks)})" if old.blocks else "another cell there"
    if new.name.partition(".")[0] in _OF_OUTPUTS and (reason := _other_target(to.schema.target, of.schema.target)):
        return reason
    places: list[Places] = []
    for axis, (wanted, had) in enumerate(zip(new.shape, old.shape, strict=True)):
        own, other = _axis(new, axis, to, dict(pairs)), _axis(old, axis, of, None)
        if own is None or other is None or len(own) != wanted or len(other) != had:
            own, other = range(wanted), range(had)
            if wanted != had:
                return f"{' x '.join(map(str, new.shape))} weights, {' x '.join(map(str, old.shape))} there"
        at = _matched(own, other)
        if not len(at[0]):
            return "none of its rows or columns is one there"
        if new.name.endswith(".W") and new.name.startswith("layers.") and axis == 1 and wanted - _units(new) > 0:
            if not (at[0] < wanted - _units(new)).any():
                return "none of its inputs is one there"
        places.append(at)
    return tuple(places)


def _other_target(new: Target, old: Target) -> str:
    """Return why outputs for a target mean nothing for another one; empty: they may."""
    if new.kind != old.kind:
        return f"the target is of kind {old.kind} there"
    return "another loss there, which needs other outputs" if new.head != old.head else ""


def _units(parameter: Parameter) -> int:
    return parameter.shape[0] // max(1, len(parameter.blocks))


def _matched(new: Names, old: Names) -> Places:
    """Return where the names that both have stand in each."""
    where = {name: index for index, name in enumerate(old)}
    both = [(index, where[name]) for index, name in enumerate(new) if name in where]
    at = np.array(both, np.intp).reshape(-1, 2)
    return at[:, 0], at[:, 1]


def _axis(parameter: Parameter, axis: int, side: _Side, pairs: dict[str, str] | None) -> Names | None:
    """Return what the rows or columns of a parameter stand for; None: they are only counted.

    `pairs` renames the inputs of the new network to those of the run.
    """
    layer, _, leaf = parameter.name.rpartition(".")
    schema = side.schema
    if layer in ("layers.0", "layers.0.reverse") and leaf == "W" and axis == 1:
        units = _units(parameter)
        return [*_inputs(side, parameter.shape[1] - units, pairs), *(("h", unit) for unit in range(units))]
    if parameter.name.startswith("embedding.") and axis == 0:
        return schema.tokens[parameter.name.removeprefix("embedding.")].tokens
    if layer in _OF_OUTPUTS and (axis == 0 or layer == "crf"):
        target = schema.target
        if target.labels is not None and len(target.labels) == parameter.shape[axis]:
            return list(map(str, target.labels))
    return None


def _inputs(side: _Side, width: int, pairs: dict[str, str] | None) -> Names:
    """Return a name for each number that enters the first layer (I,)."""
    schema, layout = side.schema, side.schema.layout

    def called(name: str) -> str:
        return name if pairs is None else pairs.get(name, f"new {name}")

    names: list[Hashable] = []
    for name, scaling in schema.scaling.items():
        names += [("number", called(name), place) for place in range(len(scaling.center))]
    for name, labels in schema.sets.items():
        names += [("set", called(name), str(label)) for label in labels.names]
    for column in layout.filled:
        names += [("gap", called(column.name), place) for place in range(column.width * column.indicator)]
    known = sum(column.width for column in layout.known) * layout.target.horizon
    names += [("known", layout.target.horizon, tuple(called(c.name) for c in layout.known), n) for n in range(known)]
    for name in schema.tokens:
        size = side.parameters[f"embedding.{name}"].shape[1]
        names += [("embedding", called(name), place) for place in range(size)]
    return names if len(names) == width else range(width)


def _take(values: np.ndarray, old: np.ndarray, at: Sequence[Places], *, grows: bool) -> None:
    """Write the run's weights into those of the new model, in place; with `grows` new rows gain the mean of the old."""
    known = np.zeros(len(values), bool)
    known[at[0][0]] = True
    if grows and not known.all():
        values[~known] += old[at[0][1]].mean(axis=0)
    values[np.ix_(*(new for new, _ in at))] = old[np.ix_(*(place for _, place in at))]


def _growth(parameter: Parameter, at: Sequence[Places]) -> str:
    """Return what is new in an array of weights; empty: nothing."""
    for axis, (places, _) in enumerate(at):
        if more := parameter.shape[axis] - len(places):
            return counted(more, "new column" if axis else "new row")
    return ""


def described(found: Transfer, run: str) -> list[str]:
    """Return notes on which layers have the weights of a run, and which are fresh and why."""
    taken = [f"{brief(name)} ({more})" if more else brief(name) for name, more in found.taken.items()]
    notes = [f"weights of {brief(run)}: {', '.join(taken)}"]
    reasons = Counter(found.fresh.values())
    for reason in reasons:
        names = [brief(name) for name, why in found.fresh.items() if why == reason]
        notes.append(f"fresh weights: {', '.join(names)}: {reason}")
    return notes
