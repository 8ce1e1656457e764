"""From the spec of a model to its graph: embeddings, recurrent layers, pooling, output layer.

Legend: T time, B batch, I input, H units, K outputs, N counted positions, S state values per sequence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.model import ModelSpec
from lstm_cli.graph.dropper import Dropper
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.parameters import ParameterStore
from lstm_cli.graph.plan import Direction, LayerPlan, Sizes, declare, dropout_rates, embedding_sizes, plan_layers
from lstm_cli.ops.activations import ACTIVATIONS
from lstm_cli.ops.dense import dense
from lstm_cli.ops.embedding import embedding
from lstm_cli.ops.initial import initial_states
from lstm_cli.ops.pooling import pool_attention, pool_max, pool_mean
from lstm_cli.ops.recurrent import recurrent, recurrent_tokens
from lstm_cli.ops.rows import gather

# Up to this vocabulary size the first layer's W is multiplied by the table of embeddings instead of by every step.
TABLE_PRODUCT_TOKENS = 256


@dataclass(frozen=True)
class Outputs:
    """The outputs of a graph: output (N, K) and the final state (B, S) of every sequence."""

    output: Variable
    state: Variable


class Hidden(NamedTuple):
    """What the last recurrent layer gives: h (T, B, H), one vector of each sequence (B, H), final states (B, S)."""

    h: Variable
    vectors: Variable
    state: Variable


class Source(NamedTuple):
    """The input of a recurrent layer: x (T, B, I); with a table (V, I) of vectors, x is the tokens (T, B) instead."""

    x: Variable
    table: Variable | None = None


class LayerOutputs(NamedTuple):
    """The outputs of a layer, directions side by side.

    Attributes
    ----------
    h : (T, B, H)
    last : (B, H)
        The output of each direction after its last step.
    finals : list of (B, H)
        The final states of each direction.
    """

    h: Variable
    last: Variable
    finals: list[tuple[Variable, ...]]


class Model:
    """The plan of a network and its parameters; `graph` builds it over symbolic inputs.

    Parameters
    ----------
    spec : ModelSpec
        The section `model` of the config.
    sizes : Sizes
    seed : int
        Of the initial weights.
    dtype : str
        ``float32`` or ``float64``.

    Attributes
    ----------
    threads : int or None
        Number of threads of its functions; None: the current setting.
    dropout_rates : dict of str to float
        Rate of every dropout place; each draws its mask from its own seed, in this order.
    """

    threads: int | None = None

    def __init__(self, spec: ModelSpec, sizes: Sizes, *, seed: int = 0, dtype: str = "float32") -> None:
        self.spec, self.sizes, self.dtype = spec, sizes, dtype
        self.embeddings = embedding_sizes(spec.embedding, sizes.tokens)
        self.layers = plan_layers(spec, sizes.numbers + sum(self.embeddings.values()))
        self.dropout_rates = dropout_rates(spec, self.embeddings, self.layers)
        self.parameters = ParameterStore(declare(spec, sizes, self.embeddings, self.layers), seed=seed, dtype=dtype)

    @property
    def directions(self) -> list[Direction]:
        """All recurrent passes, in the order of their states in the state matrix (B, S)."""
        return [direction for layer in self.layers for direction in layer.directions]

    @property
    def state_size(self) -> int:
        """S, the number of state values of one sequence."""
        return sum(sum(direction.states) for direction in self.directions)

    @property
    def dropout_count(self) -> int:
        """The number of dropout places, which is that of the seeds of a training graph."""
        return len(self.dropout_rates)

    def chain(self) -> list[Variable]:
        """Return the transitions (K, K), the start (K,) and the end (K,) of a conditional random field."""
        return self._views("crf", "transitions", "start", "end")

    def weights(self) -> dict[str, np.ndarray]:
        """Return the value of every parameter by its name."""
        return self.parameters.values()

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
        """Build the network over `inputs`; with dropout only for training."""
        drop = self._dropper(inputs, training)
        return self._graph_over(self._embed(inputs, drop), inputs, drop)

    def observed(self, inputs: Inputs[Variable]) -> Outputs:
        """Build the network without dropout over observed steps only: a closed loop is not closed here."""
        return Model.graph(self, inputs, training=False)

    def graph_over(self, x: Variable, inputs: Inputs[Variable]) -> Outputs:
        """Build the network without dropout over the input x (T, B, I) of its first layer, which `embedded` gives."""
        return self._graph_over(Source(x), inputs, self._dropper(inputs, False))

    def embedded(self, inputs: Inputs[Variable]) -> Variable:
        """Return the input of the first layer (T, B, I) without dropout: numbers and embeddings side by side."""
        return self._joined_inputs(inputs, self._dropper(inputs, False))

    def hidden(self, inputs: Inputs[Variable]) -> Hidden:
        """Build the network up to its output layer, without dropout and over observed steps only.

        The vector of a sequence is what the output layer reads, `pool` of its steps; with a target per step the last h.
        """
        drop = self._dropper(inputs, False)
        outputs = self._run_layers(self._embed(inputs, drop), inputs, drop)
        top = outputs[-1]
        vectors = top.last if self.sizes.per == "step" else self._pool(top, inputs.lengths)
        return Hidden(top.h, vectors, _states(outputs))

    def _graph_over(self, source: Source, inputs: Inputs[Variable], drop: Dropper) -> Outputs:
        outputs = self._run_layers(source, inputs, drop)
        top = outputs[-1]
        features = top.h if self.sizes.per == "step" else self._pool(top, inputs.lengths)[np.newaxis]
        # Dropout after `gather` processes only the positions that reach the output layer.
        features = drop(f"{self.layers[-1].name}.output", gather(features, inputs.counted))
        output = ACTIVATIONS[self.spec.output_activation or "linear"](self.sizes.curves.of(self._output(features)))
        if self.spec.residual:
            output += self.sizes.curves.repeated(gather(inputs.numbers, inputs.counted))
        return Outputs(output, _states(outputs))

    def _dropper(self, inputs: Inputs[Variable], training: bool) -> Dropper:
        return Dropper(self.dropout_rates if training else {}, inputs.seeds)

    def _views(self, name: str, *leaves: str) -> list[Variable]:
        return [self.parameters.views[f"{name}.{leaf}"] for leaf in leaves]

    def _dense(self, name: str, x: Variable) -> Variable:
        W, b = self._views(name, "W", "b")
        return dense(x, W, b)

    def _output(self, features: Variable) -> Variable:
        """Return the output layer's sums (N, K); tied, its W is the embedding (Press and Wolf 2017)."""
        if not self.spec.tie_embeddings:
            return self._dense("output", features)
        (name,) = self.sizes.tokens
        return dense(features, self.parameters.views[f"embedding.{name}"], self.parameters.views["output.b"])

    def _initial_states(self, inputs: Inputs[Variable]) -> dict[str, list[Variable]]:
        """Return the states that each pass starts from, by its name."""
        widths = [width for direction in self.directions for width in direction.states]
        names = [direction.name for direction in self.directions] if self.spec.initial_state == "learned" else []
        learned = [self.parameters.views[f"{name}.initial"] for name in names]
        states = iter(initial_states(inputs.state, inputs.fresh, widths, learned))
        return {direction.name: [next(states) for _ in direction.states] for direction in self.directions}

    def _run_layers(self, source: Source, inputs: Inputs[Variable], drop: Dropper) -> list[LayerOutputs]:
        """Return the outputs of every layer, from the first to the last, before dropout."""
        starts = self._initial_states(inputs)
        outputs = [self._run_layer(self.layers[0], source, source.x, inputs.lengths, starts, drop)]
        for below, layer in pairwise(self.layers):
            h = outputs[-1].h
            source = Source(drop(f"{below.name}.output", h))
            outputs.append(self._run_layer(layer, source, h, inputs.lengths, starts, drop))
        return outputs

    def _embed(self, inputs: Inputs[Variable], drop: Dropper) -> Source:
        """Return the input of the first layer: numbers and embeddings side by side, or tokens and their table."""
        if inputs.numbers is None and len(inputs.tokens) == 1 and not self.layers[0].skip:
            ((name, ids),) = inputs.tokens.items()
            if self.sizes.tokens[name] <= TABLE_PRODUCT_TOKENS and not drop.rate(f"embedding.{name}"):
                return Source(ids, self.parameters.views[f"embedding.{name}"])
        return Source(self._joined_inputs(inputs, drop))

    def _joined_inputs(self, inputs: Inputs[Variable], drop: Dropper) -> Variable:
        """Return numbers and embeddings side by side (T, B, I)."""
        tables = {name: self.parameters.views[f"embedding.{name}"] for name in inputs.tokens}
        parts = [] if inputs.numbers is None else [inputs.numbers]
        parts += [drop(f"embedding.{name}", embedding(tables[name], ids)) for name, ids in inputs.tokens.items()]
        return _joined(parts)

    def _run_layer(
        self,
        layer: LayerPlan,
        source: Source,
        around: Variable,
        lengths: Variable,
        starts: Mapping[str, Sequence[Variable]],
        drop: Dropper,
    ) -> LayerOutputs:
        """Return the outputs of one layer.

        With a skip connection (He et al. 2016), ``y = layer(drop(x)) + x``, the x before dropout is `around` it.
        """
        passes = [self._run(direction, source, lengths, starts[direction.name], drop) for direction in layer.directions]
        finals = [states for _, states in passes]
        h, last = _joined([h for h, _ in passes]), _joined([states[0] for states in finals])
        if layer.skip:
            h, last = h + around, last + _ends(around, lengths, layer)
        return LayerOutputs(h, last, finals)

    def _run(
        self, direction: Direction, source: Source, lengths: Variable, start: Sequence[Variable], drop: Dropper
    ) -> tuple[Variable, tuple[Variable, ...]]:
        """Return the output of one pass at each step (T, B, H), and its final states (B, H)."""
        mask = drop.mask(direction.name, (lengths.shape[0], direction.units), self.dtype)
        W, b = self._views(direction.name, "W", "b")
        kind: dict[str, Any] = {
            "cell": direction.cell.name,
            "activation": direction.activation,
            "reverse": direction.reverse,
            "mask": mask,
            "gain": self.parameters.views[f"{direction.name}.gain"] if direction.cell.normalized else None,
        }
        if source.table is None:
            return recurrent(source.x, lengths, W, b, start, **kind)
        return recurrent_tokens(source.x, lengths, source.table, W, b, start, **kind)

    def _pool(self, top: LayerOutputs, lengths: Variable) -> Variable:
        """Return one vector for each sequence (B, H)."""
        match self.spec.pool:
            case "last":
                return top.last
            case "mean":
                return pool_mean(top.h, lengths)
            case "max":
                return pool_max(top.h, lengths)
            case "attention":
                return pool_attention(top.h, self._dense("attention", top.h).squeeze(2), lengths)


def _ends(x: Variable, lengths: Variable, layer: LayerPlan) -> Variable:
    """Return from x (T, B, H), for the part of H that each direction has, the step that it reads last (B, H)."""
    batch, parts, start = pt.arange(lengths.shape[0]), [], 0
    for direction in layer.directions:
        row = batch if direction.reverse else (lengths - 1) * lengths.shape[0] + batch
        parts.append(embedding(x, row)[:, start : start + direction.units])
        start += direction.units
    return _joined(parts)


def _states(outputs: Sequence[LayerOutputs]) -> Variable:
    """Return the final states (B, S) of all layers."""
    return _joined([state for layer in outputs for states in layer.finals for state in states])


def _joined(parts: Sequence[Variable]) -> Variable:
    """Return arrays side by side along their last axis."""
    return parts[0] if len(parts) == 1 else pt.concatenate(parts, axis=-1)
