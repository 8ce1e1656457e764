"""What a network is made of, by the spec and the data's sizes: layers and their widths, parameters and their shapes.

Legend: I input, H units.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lstm_cli.config.model import ModelSpec
from lstm_cli.graph import initializers
from lstm_cli.graph.parameters import Parameter
from lstm_cli.kernels.cells import CELLS, Cell


@dataclass(frozen=True)
class Sizes:
    """What the data fixes of a model's shape.

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
    """

    numbers: int
    tokens: Mapping[str, int]
    outputs: int
    per: Literal["step", "sequence"]


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
        """Widths of what is handed from step to step."""
        return (self.units,) * len(self.cell.states)


@dataclass(frozen=True)
class LayerPlan:
    """One layer of the stack: its one or two directions and the dropout on what it puts out."""

    directions: tuple[Direction, ...]
    dropout: float

    @property
    def outputs(self) -> int:
        """Width of what the layer puts out at each step."""
        return sum(direction.units for direction in self.directions)


def embedding_sizes(spec: int | Mapping[str, int], tokens: Iterable[str]) -> dict[str, int]:
    """Return the width of each token input's embedding, of which the spec gives one for all or each its own."""
    return {name: spec if isinstance(spec, int) else spec[name] for name in tokens}


def plan_layers(spec: ModelSpec, width: int) -> tuple[LayerPlan, ...]:
    """Chain the layers: each takes what the one before puts out."""
    layers = []
    for number, layer in enumerate(spec.layers):
        directions = []
        for reverse in (False, True) if layer.bidirectional else (False,):
            name = f"layers.{number}.reverse" if reverse else f"layers.{number}"
            cell, rate = CELLS[layer.cell], layer.recurrent_dropout
            directions.append(Direction(name, cell, width, layer.size, layer.activation, rate, reverse))
        layers.append(LayerPlan(tuple(directions), layer.dropout))
        width = layers[-1].outputs
    return tuple(layers)


def declare(
    spec: ModelSpec, sizes: Sizes, embeddings: Mapping[str, int], layers: Sequence[LayerPlan]
) -> list[Parameter]:
    """List every parameter in the order of the data's way through the network."""
    parameters = [
        Parameter(f"embedding.{name}", (sizes.tokens[name], size), initializers.unit_normal)
        for name, size in embeddings.items()
    ]
    for layer in layers:
        for direction in layer.directions:
            parameters += _declare_direction(direction, learned_initial=spec.initial_state == "learned")
    width = layers[-1].outputs
    if sizes.per == "sequence" and spec.pool == "attention":
        parameters += _declare_dense("attention", width, 1)
    return parameters + _declare_dense("output", width, sizes.outputs)


def _declare_direction(direction: Direction, *, learned_initial: bool) -> list[Parameter]:
    cell, name, units = direction.cell, direction.name, direction.units
    gates, bias = len(cell.gates), [cell.initial_bias.get(name, 0.0) for name in cell.biases]
    weights = (gates * units, direction.inputs + units)
    parameters = [
        Parameter(f"{name}.W", weights, initializers.recurrent(gates), blocks=cell.gates),
        Parameter(f"{name}.b", (len(bias) * units,), initializers.constant_blocks(bias), blocks=cell.biases),
    ]
    if learned_initial:
        parameters.append(Parameter(f"{name}.initial", (sum(direction.states),), initializers.zeros))
    return parameters


def _declare_dense(name: str, inputs: int, outputs: int) -> list[Parameter]:
    return [
        Parameter(f"{name}.W", (outputs, inputs), initializers.glorot_uniform),
        Parameter(f"{name}.b", (outputs,), initializers.zeros),
    ]
