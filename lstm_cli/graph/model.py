"""From the spec of a model to its graph: embeddings, recurrent layers, pooling, output layer.

Legend: T time, B batch, I input, H units, K outputs, N rows that reach the output layer, S numbers of state a sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.model import ModelSpec
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.parameters import ParameterStore
from lstm_cli.graph.plan import Direction, Sizes, declare, embedding_sizes, plan_layers
from lstm_cli.ops.dropout import dropout, dropout_mask
from lstm_cli.ops.initial import initial_states
from lstm_cli.ops.pooling import pool_attention, pool_max, pool_mean
from lstm_cli.ops.rows import gather
from lstm_cli.theano_lstm.dense import Layer
from lstm_cli.theano_lstm.embedding import Embedding
from lstm_cli.theano_lstm.gru import GRU
from lstm_cli.theano_lstm.lstm import LSTM
from lstm_cli.theano_lstm.recurrent import RNN

SMALL = 256  # tokens: with so few, a layer multiplies its weights with their table rather than with every step


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

    Attributes
    ----------
    threads : int or None
        How many threads its functions run on; None: the current number.
    """

    threads: int | None = None

    def __init__(self, spec: ModelSpec, sizes: Sizes, *, seed: int = 0, dtype: str = "float32") -> None:
        self.spec, self.sizes, self.dtype = spec, sizes, dtype
        self.embeddings = embedding_sizes(spec.embedding, sizes.tokens)
        self.layers = plan_layers(spec, sizes.numbers + sum(self.embeddings.values()))
        self.parameters = ParameterStore(declare(spec, sizes, self.embeddings, self.layers), seed=seed, dtype=dtype)

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

    def inputs(self) -> Inputs[Variable]:
        """Return fresh symbolic inputs."""
        tokens = {name: pt.imatrix(f"tokens.{name}") for name in self.sizes.tokens}
        return Inputs(
            numbers=pt.tensor3("numbers", dtype=self.dtype) if self.sizes.numbers else None,
            tokens=tokens,
            lengths=pt.lvector("lengths"),
            counted=pt.lvector("counted"),
            seeds=pt.lvector("seeds"),
            state=pt.matrix("state", dtype=self.dtype),
            fresh=pt.vector("fresh", dtype=self.dtype),
        )

    def graph(self, inputs: Inputs[Variable], *, training: bool) -> Outputs:
        """Lay the network out over `inputs`; dropout is in it only for training."""
        drop = Dropper(inputs.seeds if training else None)
        starts, finals = self._initial_states(inputs), []
        x, table = self._embed(inputs, drop)
        for layer in self.layers:
            passes = [self._run(d, x, table, inputs, starts[d.name], drop) for d in layer.directions]
            table = None
            x, last = _joined([h for h, _ in passes]), _joined([states[0] for _, states in passes])
            finals += [state for _, states in passes for state in states]
            x = x if layer is self.layers[-1] else drop(x, layer.dropout)
        features = gather(x if self.sizes.per == "step" else self._pool(x, last, inputs)[np.newaxis], inputs.counted)
        output = self._dense("output", drop(features, layer.dropout), self.spec.output_activation or "linear")
        if self.spec.residual:
            output += gather(inputs.numbers, inputs.counted)
        return Outputs(output, _joined(finals))

    def _views(self, name: str, *leaves: str) -> list[Variable]:
        return [self.parameters.views[f"{name}.{leaf}"] for leaf in leaves]

    def _dense(self, name: str, x: Variable, activation: str = "linear") -> Variable:
        return Layer.from_parameters(*self._views(name, "W", "b"), activation=activation).sequence(x)

    def _initial_states(self, inputs: Inputs[Variable]) -> dict[str, list[Variable]]:
        """Return what each pass starts from, by its name."""
        widths = [width for direction in self.directions for width in direction.states]
        names = [direction.name for direction in self.directions] if self.spec.initial_state == "learned" else []
        learned = [self.parameters.views[f"{name}.initial"] for name in names]
        states = iter(initial_states(inputs.state, inputs.fresh, widths, learned))
        return {direction.name: [next(states) for _ in direction.states] for direction in self.directions}

    def _embed(self, inputs: Inputs[Variable], drop: "Dropper") -> tuple[Variable, Variable | None]:
        """Return what enters the first layer (T, B, I); or tokens (T, B) and the table (V, I) of their vectors."""
        tables = [self.parameters.views[f"embedding.{name}"] for name in inputs.tokens]
        rate = drop.rate(self.spec.dropout)
        if inputs.numbers is None and len(tables) == 1 and max(self.sizes.tokens.values()) <= SMALL and not rate:
            return inputs.tokens[next(iter(inputs.tokens))], tables[0]
        parts = [] if inputs.numbers is None else [inputs.numbers]
        for table, ids in zip(tables, inputs.tokens.values(), strict=True):
            parts.append(drop(Embedding.from_parameters(table).sequence(ids), self.spec.dropout))
        return _joined(parts), None

    def _run(
        self,
        direction: Direction,
        x: Variable,
        table: Variable | None,
        inputs: Inputs[Variable],
        start: Sequence[Variable],
        drop: "Dropper",
    ) -> tuple[Variable, tuple[Variable, ...]]:
        """Return what a pass puts out at each step (T, B, H) and its final states (B, H)."""
        weights, shape = self._views(direction.name, "W", "b"), (inputs.lengths.shape[0], direction.units)
        layer = _RECURRENT[direction.cell.name].from_parameters(*weights, activation=direction.activation)
        mask = drop.mask(shape, direction.recurrent_dropout, self.dtype)
        return layer.sequence(x, inputs.lengths, table=table, initial=start, mask=mask, reverse=direction.reverse)

    def _pool(self, h: Variable, last: Variable, inputs: Inputs[Variable]) -> Variable:
        match self.spec.pool:
            case "last":
                return last
            case "mean":
                return pool_mean(h, inputs.lengths)
            case "max":
                return pool_max(h, inputs.lengths)
            case "attention":
                return pool_attention(h, self._dense("attention", h).squeeze(2), inputs.lengths)


_RECURRENT = {layer.cell: layer for layer in (LSTM, GRU, RNN)}


class Dropper:
    """Hands each place that drops a seed of its own; without seeds nothing is dropped."""

    def __init__(self, seeds: Variable | None) -> None:
        self._seeds, self._used = seeds, 0

    def rate(self, rate: float) -> float:
        """Return the share that is dropped where the config says `rate`."""
        return 0.0 if self._seeds is None else rate

    def __call__(self, x: Variable, rate: float) -> Variable:
        """Return x with a share dropped."""
        return dropout(x, rate, self._next_seed()) if self.rate(rate) else x

    def mask(self, shape: tuple[Variable | int, ...], rate: float, dtype: str) -> Variable | None:
        """Return what drops a share of numbers of this shape, by multiplication; None where nothing is dropped."""
        return dropout_mask(shape, rate, self._next_seed(), dtype=dtype) if self.rate(rate) else None

    def _next_seed(self) -> Variable:
        self._used += 1
        return self._seeds[self._used - 1]


def _joined(parts: Sequence[Variable]) -> Variable:
    """Return arrays side by side along their last axis."""
    return parts[0] if len(parts) == 1 else pt.concatenate(parts, axis=-1)
