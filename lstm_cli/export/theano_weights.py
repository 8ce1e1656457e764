"""Weights of the theano-lstm library under the names of a run.

Known are arrays named ``0.in_gate.W`` or, as ``numpy.savez(file, *[p.get_value() for p in model.params])`` writes them,
``arr_0``, ``arr_1``, … in the order of ``model.params``. Layers count from 0, each Embedding, LSTM, RNN and Layer; the
last Layer is the output. An LSTM's state is [c, h] there and [h, c] here; the gates and their order are the same.

Legend: V symbols, H units, K outputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstm_cli.data import Schema
from lstm_cli.data.schema.vocabulary import UNKNOWN, Labels, Vocabulary
from lstm_cli.errors import DataError, listed
from lstm_cli.graph.plan import LayerPlan

#: The gates of a layer in the order of its ``params``; the names are those of the cells here.
_PARAMS = {"lstm": ("in_gate", "forget_gate", "in_gate2", "out_gate"), "rnn": ("",)}
#: The bias of the unknown token as an output: a model that had none never predicts it.
NEVER = -1e4

Arrays = Mapping[str, np.ndarray]


class Expected(NamedTuple):
    """An array that the file should have."""

    name: str
    shape: tuple[int, ...]
    optional: bool = False


def expected_arrays(layers: Sequence[LayerPlan], embeddings: Mapping[str, int], outputs: int) -> list[Expected]:
    """Return the arrays of a network in the order of ``params``; -1 is a size that the file decides."""
    found, number = [], 0
    for width in embeddings.values():
        found.append(Expected(f"{number}.E", (-1, width)))
        number += 1
    for layer in layers:
        (direction,) = layer.directions
        for gate in _PARAMS[direction.cell.name]:
            place = f"{number}.{gate}." if gate else f"{number}."
            found.append(Expected(f"{place}W", (direction.units, direction.inputs + direction.units)))
            found.append(Expected(f"{place}b", (direction.units,)))
        found.append(Expected(f"{number}.initial", (sum(direction.states),), optional=True))
        number += 1
    width = layers[-1].outputs
    return [*found, Expected(f"{number}.W", (outputs, width)), Expected(f"{number}.b", (outputs,))]


def named(arrays: Arrays, expected: Sequence[Expected], source: str) -> dict[str, np.ndarray]:
    """Return the arrays of a file by their names, or raise the `DataError` that names all that do not fit."""
    if arrays and all(name.startswith("arr_") for name in arrays):
        required = [one.name for one in expected if not one.optional]
        if len(arrays) != len(required):
            what = f"{len(arrays)} arrays, but the params of this model are {len(required)} ({listed(required)})"
            raise DataError(f"{source}: {what}: change model.layers or model.cell in the config")
        arrays = {name: arrays[f"arr_{number}"] for number, name in enumerate(required)}
    problems = [
        f"{one.name}: {_shown(one.shape)} expected, {found}"
        for one in expected
        if (found := _problem(one, arrays.get(one.name)))
    ]
    problems += [f"{name}: not part of this model" for name in arrays.keys() - {one.name for one in expected}]
    if problems:
        raise DataError(f"{source}: does not fit the model of the config: {'; '.join(sorted(problems))}")
    return dict(arrays)


def _problem(expected: Expected, array: np.ndarray | None) -> str:
    """Return what is wrong with an array; empty if nothing is."""
    if array is None:
        return "" if expected.optional else "missing"
    fits = array.ndim == len(expected.shape) and all(
        size in (-1, own) for size, own in zip(expected.shape, array.shape, strict=True)
    )
    return "" if fits and array.dtype.kind in "fiu" else f"got {array.dtype}{list(array.shape)}"


def _shown(shape: tuple[int, ...]) -> str:
    return str(["any" if size == -1 else size for size in shape]).replace("'", "")


def converted(arrays: Arrays, layers: Sequence[LayerPlan], embeddings: Sequence[str]) -> dict[str, np.ndarray]:
    """Return named arrays under the names of a run; a state that the file has not is 0.

    The first row of an embedding, of the unknown token, is the mean of the others.
    """
    found: dict[str, np.ndarray] = {}
    for number, name in enumerate(embeddings):
        table = arrays[f"{number}.E"]
        found[f"embedding.{name}"] = np.concatenate([table.mean(axis=0, keepdims=True), table])
    for number, layer in enumerate(layers, len(embeddings)):
        (direction,) = layer.directions
        gates = direction.cell.gates if len(direction.cell.gates) > 1 else ("",)
        places = [f"{number}.{gate}." if gate else f"{number}." for gate in gates]
        for leaf in "Wb":
            found[f"{direction.name}.{leaf}"] = np.concatenate([arrays[place + leaf] for place in places])
        initial = arrays.get(f"{number}.initial", np.zeros(sum(direction.states)))
        states = np.split(initial, len(direction.states))
        found[f"{direction.name}.initial"] = np.concatenate(states[::-1])
    number = len(embeddings) + len(layers)
    return found | {f"output.{leaf}": arrays[f"{number}.{leaf}"] for leaf in "Wb"}


def with_unknown(weights: Arrays) -> dict[str, np.ndarray]:
    """Return weights whose outputs begin with the unknown token, which is never predicted."""
    W, b = weights["output.W"], weights["output.b"]
    first = {"output.W": np.zeros_like(W[:1]), "output.b": np.full_like(b[:1], NEVER)}
    return {**weights, **{name: np.concatenate([row, weights[name]]) for name, row in first.items()}}


def symbols(names: np.ndarray | None, count: int, key: str, source: str) -> list[str]:
    """Return the strings that rows of weights stand for: those of an array, or the numbers of the rows."""
    if names is None:
        return [str(number) for number in range(count)]
    if names.dtype.kind != "U" or names.shape != (count,) or len(set(names.tolist())) < count:
        raise DataError(f"{source}: {key}: expected {count} different strings, got {names.dtype}{list(names.shape)}")
    return [str(name) for name in names]


def with_symbols(schema: Schema, tokens: Mapping[str, Sequence[str]], labels: Sequence[str] | None) -> Schema:
    """Return a schema with other vocabularies and labels, in the order of the rows of weights."""
    if schema.parts:
        raise DataError("data.target: weights are imported for a single target column: name one")
    own = schema.labels
    if own is not None and labels is not None:
        numbers = all(isinstance(name, int) and not isinstance(name, bool) for name in own.names)
        missing = {str(name) for name in own.names} - set(labels)
        if missing:
            what = f"the data has labels that the outputs have not ({listed(sorted(missing))})"
            raise DataError(f"{what}: add an array labels with the label of each output")
        own = Labels([int(name) for name in labels] if numbers else labels)
    vocabularies = {
        name: Vocabulary((UNKNOWN, *tokens[name]), vocabulary.spelling) for name, vocabulary in schema.tokens.items()
    }
    target = schema.target
    if target.kind == "category":
        column = schema.layout.next_columns[0].name if target.is_next else ""
        names = vocabularies[column].tokens if target.is_next else () if own is None else own.names
        target = replace(target, labels=names, size=len(names))
    return replace(schema, tokens=vocabularies, labels=own, target=target)
