"""Weights of another run as the initial weights of a new model: by the names of layers, inputs, tokens and labels."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.data.schema.target import Target
from lstm_cli.engine.meaning import Label, Meaning, Names, Side, inputs_of, is_of_outputs, names_of
from lstm_cli.engine.saved import SavedRun
from lstm_cli.errors import brief, counted
from lstm_cli.graph.model import Model
from lstm_cli.graph.parameters import Parameter


@dataclass(frozen=True, eq=False)
class Places:
    """What the indices along one axis of a new array are in the run's.

    Attributes
    ----------
    size
        Length of the axis.
    new, old
        Indices of the same thing in both arrays.
    grown
        Indices of new things, and where those are in the run's array whose mean they start from.
    """

    size: int
    new: np.ndarray
    old: np.ndarray
    grown: Sequence[tuple[np.ndarray, np.ndarray]] = ()

    def extended(self, old: np.ndarray, axis: int) -> np.ndarray:
        """Return the run's array with this axis as in the new one; 0 where nothing corresponds."""
        before = np.moveaxis(old, axis, 0)
        after = np.zeros((self.size, *before.shape[1:]), old.dtype)
        after[self.new] = before[self.old]
        for places, like in self.grown:
            after[places] = before[like].mean(axis=0)
        return np.moveaxis(after, 0, axis)


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


def transferred(model: Model, config: Config, schema: Schema, source: SavedRun) -> Transfer:
    """Return the weights of a run's best state where they fit a new model, and the model's own elsewhere.

    A layer fits if all its arrays have the same shape and gates in both, apart from rows or columns that stand for
    inputs, tokens or outputs: these are matched by name (`lstm_cli.engine.meaning`). A new token's or label's row is
    its initial draw plus the mean of the rows of the known ones of its column, so that a new label is at first as
    likely as an average one (Hewitt 2021, "Initializing new word embeddings for pretrained language models"); a new
    input's column is its initial draw.

    Parameters
    ----------
    model
        With initial weights.
    config, schema
        Of the new run.
    source
        The run whose weights are taken.
    """
    new, old = Side.of(config, schema), Side.of(source.config, source.schema)
    found, meaning = Transfer(model.parameters.values()), Meaning.of(schema, source.schema)
    for layer, parameters in _by_layer(new.parameters.values()).items():
        names = {p.name: meaning.parameter(p.name) for p in parameters}
        places = {p.name: _places(p, old.parameters.get(names[p.name]), new, old, meaning) for p in parameters}
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
                    _take(values, source.state.model[names[parameter.name]], at)
                    found.taken[layer] = found.taken[layer] or _growth(at)
    return found


def _by_layer(parameters: Iterable[Parameter]) -> dict[str, list[Parameter]]:
    """Return the parameters by layer: an embedding, one direction of a recurrent layer, the output layer."""
    layers: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        embedding = parameter.name.startswith("embedding.")
        layers.setdefault(parameter.name if embedding else parameter.name.rpartition(".")[0], []).append(parameter)
    return layers


def _places(new: Parameter, old: Parameter | None, to: Side, of: Side, meaning: Meaning) -> tuple[Places, ...] | str:
    """Return the indices along each axis that correspond, or why the arrays do not fit."""
    if old is None:
        return "no such weights there"
    if len(new.blocks) != len(old.blocks) or new.blocks != old.blocks or len(new.shape) != len(old.shape):
        return f"{len(old.blocks)} gates there ({', '.join(old.blocks)})" if old.blocks else "another cell there"
    if is_of_outputs(new) and (reason := _other_target(to.schema.target, of.schema.target)):
        return reason
    places: list[Places] = []
    for axis, (wanted, had) in enumerate(zip(new.shape, old.shape, strict=True)):
        own, other = names_of(new, axis, to, meaning), names_of(old, axis, of, None)
        if own is None or other is None or len(own) != wanted or len(other) != had:
            own, other = [*range(wanted)], [*range(had)]
            if wanted != had:
                return f"{' x '.join(map(str, new.shape))} weights, {' x '.join(map(str, old.shape))} there"
        at = _matched(own, other, grows=not new.name.startswith("layers."))
        if not len(at.new):
            return "none of its rows or columns is one there"
        if (inputs := inputs_of(new)) and axis == 1 and not (at.new < inputs).any():
            return "none of its inputs is one there"
        places.append(at)
    return tuple(places)


def _other_target(new: Target, old: Target) -> str:
    """Return why outputs for a target mean nothing for another one; empty: they may."""
    if new.targets or old.targets:
        return ""  # each column by itself
    if new.kind != old.kind:
        return f"the target is of kind {old.kind} there"
    return "another loss there, which needs other outputs" if new.head != old.head else ""


def _matched(new: Names, old: Names, *, grows: bool) -> Places:
    """Return where the names that both have stand in each; with `grows`, new labels begin as the mean of known ones."""
    where = {name: index for index, name in enumerate(old)}
    both = [(index, where[name]) for index, name in enumerate(new) if name in where]
    at = np.array(both, np.intp).reshape(-1, 2)
    grown = []
    for kind in dict.fromkeys(name.of for name in new if isinstance(name, Label)) if grows else ():
        own = [
            (index, where.get(name)) for index, name in enumerate(new) if isinstance(name, Label) and name.of == kind
        ]
        like = np.array([place for _, place in own if place is not None], np.intp)
        if len(like) and len(like) < len(own):
            grown.append((np.array([index for index, place in own if place is None], np.intp), like))
    return Places(len(new), at[:, 0], at[:, 1], grown)


def _take(values: np.ndarray, old: np.ndarray, at: Sequence[Places]) -> None:
    """Write the run's weights into those of the new model, in place; what is new gains the mean of what it is like."""
    extended = old
    for axis, places in enumerate(at):
        extended = places.extended(extended, axis)
    known = np.zeros(values.shape, bool)
    known[np.ix_(*(places.new for places in at))] = True
    values[:] = np.where(known, extended, values + extended)


def _growth(at: Sequence[Places]) -> str:
    """Return what is new in an array of weights; empty: nothing."""
    for axis, places in enumerate(at):
        if more := places.size - len(places.new):
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
