"""From the spec of a model to its graph: embeddings, recurrent layers, pooling, output layer.

Legend: T time, B batch, I input, H units, K outputs, N rows that reach the output layer, S numbers of state a sequence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.graph import initializers
from lstm_cli.graph.cells import CELLS, Cell
from lstm_cli.graph.layers.dense import Layer
from lstm_cli.graph.layers.embedding import Embedding
from lstm_cli.graph.layers.gru import GRU
from lstm_cli.graph.layers.lstm import LSTM
from lstm_cli.graph.layers.recurrent import RNN
from lstm_cli.graph.parameters import Parameter, ParameterStore
from lstm_cli.ops.dropout import dropout, dropout_mask
from lstm_cli.ops.initial import initial_states
from lstm_cli.ops.pooling import pool_attention, pool_max, pool_mean
from lstm_cli.ops.rows import gather


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


@dataclass(frozen=True)
class Inputs:
    """The symbolic inputs of a model's graph.

    numbers (T, B, I), tokens (T, B) by name, lengths (B,); rows (N,): flat positions t * B + b that reach the output
    layer; seeds: one for each place that drops; state (B, S): where each sequence starts, zeros for a fresh start;
    fresh (B,): 1 where a sequence starts from the learned initial state, 0 where it continues.
    """

    numbers: Variable | None
    tokens: dict[str, Variable]
    lengths: Variable
    rows: Variable
    seeds: Variable
    state: Variable
    fresh: Variable


@dataclass(frozen=True)
class Outputs:
    """What a graph computes: output (N, K) and the final state (B, S) of every sequence."""

    output: Variable
    state: Variable


class Model:
    """The plan of a network and its parameters; `graph` lays it out over symbolic inputs.

    Parameters
    ----------
    spec : ModelSpec
        The section `model` of the config.
    sizes : Sizes
    seed : int
        Draws the starting weights.
    dtype : str
        ``float32`` or ``float64``.
    """

    def __init__(self, spec: Any, sizes: Sizes, *, seed: int = 0, dtype: str = "float32") -> None:
        self.spec, self.sizes, self.dtype = spec, sizes, dtype
        self.embeddings = {name: _embedding_size(spec.embedding, name) for name in sizes.tokens}
        self.layers = _plan_layers(spec, sizes.numbers + sum(self.embeddings.values()))
        self.parameters = ParameterStore(self._declare(), seed=seed, dtype=dtype)

    @property
    def directions(self) -> list[Direction]:
        """All recurrent passes in their order; so lie their states in the state matrix (B, S)."""
        return [direction for layer in self.layers for direction in layer.directions]

    @property
    def state_size(self) -> int:
        """S, the numbers of state of one sequence."""
        return sum(sum(direction.states) for direction in self.directions)

    @property
    def places_that_drop(self) -> int:
        """How many seeds a training graph takes: one an embedding, a layer's output and a recurrence."""
        return len(self.embeddings) + sum(1 + len(layer.directions) for layer in self.layers)

    def inputs(self) -> Inputs:
        """Return fresh symbolic inputs."""
        tokens = {name: pt.imatrix(f"tokens.{name}") for name in self.sizes.tokens}
        return Inputs(
            numbers=pt.tensor3("numbers", dtype=self.dtype) if self.sizes.numbers else None,
            tokens=tokens,
            lengths=pt.lvector("lengths"),
            rows=pt.lvector("rows"),
            seeds=pt.lvector("seeds"),
            state=pt.matrix("state", dtype=self.dtype),
            fresh=pt.vector("fresh", dtype=self.dtype),
        )

    def graph(self, inputs: Inputs, *, training: bool) -> Outputs:
        """Lay the network out over `inputs`; dropout is in it only for training."""
        drop = _Dropper(inputs.seeds if training else None)
        starts, finals = self._initial_states(inputs), []
        x = self._embed(inputs, drop)
        for layer in self.layers:
            passes = [self._run(d, x, inputs, starts[d.name], drop) for d in layer.directions]
            x, last = _joined([h for h, _ in passes]), _joined([states[0] for _, states in passes])
            finals += [state for _, states in passes for state in states]
            x = x if layer is self.layers[-1] else drop(x, layer.dropout)
        features = gather(x, inputs.rows) if self.sizes.per == "step" else self._pool(x, last, inputs)
        output = self._dense("output", drop(features, layer.dropout), self.spec.output_activation or "linear")
        if self.spec.residual:
            output += gather(inputs.numbers, inputs.rows)
        return Outputs(output, _joined(finals))

    def _views(self, name: str, *leaves: str) -> list[Variable]:
        return [self.parameters.views[f"{name}.{leaf}"] for leaf in leaves]

    def _dense(self, name: str, x: Variable, activation: str = "linear") -> Variable:
        return Layer.from_parameters(*self._views(name, "W", "b"), activation=activation).sequence(x)

    def _initial_states(self, inputs: Inputs) -> dict[str, list[Variable]]:
        """Return what each pass starts from, by its name."""
        widths = [width for direction in self.directions for width in direction.states]
        names = [direction.name for direction in self.directions] if self.spec.initial_state == "learned" else []
        learned = [self.parameters.views[f"{name}.initial"] for name in names]
        states = iter(initial_states(inputs.state, inputs.fresh, widths, learned))
        return {direction.name: [next(states) for _ in direction.states] for direction in self.directions}

    def _embed(self, inputs: Inputs, drop: "_Dropper") -> Variable:
        parts = [] if inputs.numbers is None else [inputs.numbers]
        for name, ids in inputs.tokens.items():
            table = self.parameters.views[f"embedding.{name}"]
            parts.append(drop(Embedding.from_parameters(table).sequence(ids), self.spec.dropout))
        return _joined(parts)

    def _run(
        self, direction: Direction, x: Variable, inputs: Inputs, start: Sequence[Variable], drop: "_Dropper"
    ) -> tuple[Variable, tuple[Variable, ...]]:
        """Return what a pass puts out at each step (T, B, H) and its final states (B, H)."""
        weights, shape = self._views(direction.name, "W", "b"), (inputs.lengths.shape[0], direction.units)
        layer = _RECURRENT[direction.cell.name].from_parameters(*weights, activation=direction.activation)
        mask = drop.mask(shape, direction.recurrent_dropout, self.dtype)
        return layer.sequence(x, inputs.lengths, initial=start, mask=mask, reverse=direction.reverse)

    def _pool(self, h: Variable, last: Variable, inputs: Inputs) -> Variable:
        match self.spec.pool:
            case "last":
                return last
            case "mean":
                return pool_mean(h, inputs.lengths)
            case "max":
                return pool_max(h, inputs.lengths)
            case "attention":
                return pool_attention(h, self._dense("attention", h).squeeze(2), inputs.lengths)

    def _declare(self) -> list[Parameter]:
        """List every parameter in the order of the data's way through the network."""
        parameters = [
            Parameter(f"embedding.{name}", (self.sizes.tokens[name], size), initializers.unit_normal)
            for name, size in self.embeddings.items()
        ]
        for layer in self.layers:
            for direction in layer.directions:
                parameters += _declare_direction(direction, learned_initial=self.spec.initial_state == "learned")
        width = self.layers[-1].outputs
        if self.sizes.per == "sequence" and self.spec.pool == "attention":
            parameters += _declare_dense("attention", width, 1)
        return parameters + _declare_dense("output", width, self.sizes.outputs)


_RECURRENT = {layer.cell: layer for layer in (LSTM, GRU, RNN)}


class _Dropper:
    """Hands each place that drops a seed of its own; without seeds nothing is dropped."""

    def __init__(self, seeds: Variable | None) -> None:
        self._seeds, self._used = seeds, 0

    def __call__(self, x: Variable, rate: float) -> Variable:
        return x if self._seeds is None or not rate else dropout(x, rate, self._next_seed())

    def mask(self, shape: tuple[Variable | int, ...], rate: float, dtype: str) -> Variable | None:
        return None if self._seeds is None or not rate else dropout_mask(shape, rate, self._next_seed(), dtype=dtype)

    def _next_seed(self) -> Variable:
        self._used += 1
        return self._seeds[self._used - 1]


def _joined(parts: Sequence[Variable]) -> Variable:
    """Return arrays side by side along their last axis."""
    return parts[0] if len(parts) == 1 else pt.concatenate(parts, axis=-1)


def _embedding_size(spec: int | Mapping[str, int], name: str) -> int:
    return spec if isinstance(spec, int) else spec[name]


def _plan_layers(spec: Any, width: int) -> tuple[LayerPlan, ...]:
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


def _declare_direction(direction: Direction, *, learned_initial: bool) -> list[Parameter]:
    cell, name, units = direction.cell, direction.name, direction.units
    gates = len(cell.gates)
    weights = (gates * units, direction.inputs + units)
    bias = initializers.forget_bias if cell.name == "lstm" else initializers.zeros
    parameters = [
        Parameter(f"{name}.W", weights, initializers.recurrent(gates), blocks=cell.gates),
        Parameter(f"{name}.b", (len(cell.biases) * units,), bias, blocks=cell.biases),
    ]
    if learned_initial:
        parameters.append(Parameter(f"{name}.initial", (sum(direction.states),), initializers.zeros))
    return parameters


def _declare_dense(name: str, inputs: int, outputs: int) -> list[Parameter]:
    return [
        Parameter(f"{name}.W", (outputs, inputs), initializers.glorot_uniform),
        Parameter(f"{name}.b", (outputs,), initializers.zeros),
    ]
