"""The plan of a network, from its spec and the data's sizes: layers, parameters, and dropout places.

Legend: I input, H units.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from lstm_cli.config.initializer import Initial
from lstm_cli.config.model import ModelSpec
from lstm_cli.graph import initializers
from lstm_cli.graph.heads import ONE, Curves, SideBySide
from lstm_cli.graph.parameters import Parameter
from lstm_cli.kernels.cells import Cell, cell_of

T = TypeVar("T")


@dataclass(frozen=True)
class Sizes:
    """The sizes of a model that the data determines.

    Attributes
    ----------
    numbers : int
        Width of the numeric input at each step, 0 where there is none.
    tokens : mapping of str to int
        Vocabulary size of each token input.
    outputs : int
        Classes, numbers or labels of the target.
    per : {"step", "sequence"}
        Whether there is a target for every step or one for a sequence.
    curves : Curves or SideBySide
        How many outputs there are of each value of the target, or of each of several target columns.
    """

    numbers: int
    tokens: Mapping[str, int]
    outputs: int
    per: Literal["step", "sequence"]
    curves: Curves | SideBySide = ONE


@dataclass(frozen=True)
class Direction:
    """One recurrent pass over the sequences: a layer, or one half of a bidirectional one."""

    name: str
    cell: Cell
    inputs: int
    units: int
    activation: str
    recurrent_dropout: float
    reverse: bool

    @property
    def states(self) -> tuple[int, ...]:
        """Widths of the states that are passed from step to step."""
        return (self.units,) * len(self.cell.states)


@dataclass(frozen=True)
class LayerPlan:
    """One layer of the stack: its one or two directions, the dropout on its output, and if its input is added to it."""

    name: str
    directions: tuple[Direction, ...]
    dropout: float
    skip: bool

    @property
    def outputs(self) -> int:
        """Width of the layer's output at each step."""
        return sum(direction.units for direction in self.directions)


def embedding_sizes(spec: int | Mapping[str, int], tokens: Iterable[str]) -> dict[str, int]:
    """Return the width of each token input's embedding; the spec has one width for all, or one for each."""
    return {name: spec if isinstance(spec, int) else spec[name] for name in tokens}


def plan_layers(spec: ModelSpec, width: int) -> tuple[LayerPlan, ...]:
    """Chain the layers: the input of each is the output of the one below; that of the first has this width."""
    layers = []
    for number, layer in enumerate(spec.layers):
        name, rate = f"layers.{number}", _filled(layer.recurrent_dropout)
        cell = cell_of(_filled(layer.cell), normalized=_filled(layer.layer_norm))
        directions = []
        for reverse in (False, True) if layer.bidirectional else (False,):
            own = f"{name}.reverse" if reverse else name
            directions.append(Direction(own, cell, width, layer.size, _filled(layer.activation), rate, reverse))
        layers.append(LayerPlan(name, tuple(directions), _filled(layer.dropout), _filled(layer.skip)))
        width = layers[-1].outputs
    return tuple(layers)


def _filled(value: T | None) -> T:
    """Return a value of a layer's spec; `ModelSpec` has replaced each null by the model's own value."""
    if value is None:
        raise ValueError("a layer's spec has a null: take the layers of a ModelSpec")
    return value


def dropout_rates(spec: ModelSpec, embeddings: Iterable[str], layers: Iterable[LayerPlan]) -> dict[str, float]:
    """Return the rate of every dropout place, in the order of the places' seeds.

    The places are named after the embedding (``embedding.w``), the recurrent pass whose state is masked
    (``layers.0.reverse``), or the layer whose output is dropped (``layers.0.output``).
    """
    rates = {f"embedding.{name}": spec.dropout for name in embeddings}
    for layer in layers:
        rates |= {direction.name: direction.recurrent_dropout for direction in layer.directions}
        rates[f"{layer.name}.output"] = layer.dropout
    return {place: rate for place, rate in rates.items() if rate}


def declare(
    spec: ModelSpec, sizes: Sizes, embeddings: Mapping[str, int], layers: Sequence[LayerPlan]
) -> list[Parameter]:
    """List every parameter, from the network's input to its output."""
    parameters = [
        Parameter(f"embedding.{name}", (sizes.tokens[name], size), initializers.matrix(spec.initializer.embedding))
        for name, size in embeddings.items()
    ]
    for layer in layers:
        for direction in layer.directions:
            parameters += _declare_direction(direction, spec)
    width = layers[-1].outputs
    if sizes.per == "sequence" and spec.pool == "attention":
        parameters += _declare_dense("attention", width, 1, Initial(distribution="glorot_uniform"))
    W, b = _declare_dense("output", width, sizes.outputs, spec.initializer.output)
    parameters += [b] if spec.tie_embeddings else [W, b]
    return parameters + (_declare_field(sizes.outputs) if spec.crf else [])


def declared(spec: ModelSpec, sizes: Sizes) -> list[Parameter]:
    """List every parameter of the network of a spec, without making any."""
    embeddings = embedding_sizes(spec.embedding, sizes.tokens)
    return declare(spec, sizes, embeddings, plan_layers(spec, sizes.numbers + sum(embeddings.values())))


def _declare_direction(direction: Direction, spec: ModelSpec) -> list[Parameter]:
    cell, name, units = direction.cell, direction.name, direction.units
    started = {**cell.initial_bias, "forget_gate": spec.forget_bias}
    gates, bias = len(cell.gates), [started.get(block, 0.0) for block in cell.biases]
    weights = (gates * units, direction.inputs + units)
    draw = initializers.recurrent(gates, spec.initializer.input, spec.initializer.recurrent)
    parameters = [
        Parameter(f"{name}.W", weights, draw, blocks=cell.gates),
        Parameter(f"{name}.b", (len(bias) * units,), initializers.constant_blocks(bias), blocks=cell.biases),
    ]
    if cell.normalized:
        ones = initializers.constant_blocks([1.0])
        parameters.append(Parameter(f"{name}.gain", (len(bias) * units,), ones, blocks=cell.biases))
    if spec.initial_state == "learned":
        parameters.append(Parameter(f"{name}.initial", (sum(direction.states),), initializers.zeros))
    return parameters


def _declare_field(classes: int) -> list[Parameter]:
    """List the parameters of a conditional random field, which begins as independent steps."""
    shapes = {"transitions": (classes, classes), "start": (classes,), "end": (classes,)}
    return [Parameter(f"crf.{name}", shape, initializers.zeros) for name, shape in shapes.items()]


def _declare_dense(name: str, inputs: int, outputs: int, initial: Initial) -> list[Parameter]:
    return [
        Parameter(f"{name}.W", (outputs, inputs), initializers.matrix(initial)),
        Parameter(f"{name}.b", (outputs,), initializers.zeros),
    ]
