"""The inputs of an ONNX model: raw columns in, what the network's first layer reads out.

Legend: B batch, T steps that are given, L those that transforms remove at the start, I numbers per step of the network.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lstm_cli.data import Schema
from lstm_cli.data.schema.layout import Column
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.export.onnx.graph import Graph
from lstm_cli.export.onnx.names import LENGTHS
from lstm_cli.export.onnx.numbers import Past, Scale, own_scale, scaled, transformed


@dataclass(frozen=True)
class Inputs:
    """What the network reads.

    Attributes
    ----------
    lengths
        Steps of each sequence that the network sees (B,) int64.
    real
        True at these steps (B, T - L, 1).
    numbers
        The numeric input (B, T - L, I), 0 on padding; None where there is none.
    tokens
        Indices (B, T - L) by the name of the input.
    scales, pasts
        By the name of a numeric column: its scale, and the past of its differences.
    """

    lengths: str
    real: str
    numbers: str | None
    tokens: dict[str, str]
    scales: dict[str, Scale]
    pasts: dict[str, list[Past]]


class _Given(NamedTuple):
    """The numbers of a column at every step (B, T, D), with those known of later steps, and where they are missing."""

    values: str
    gaps: str | None = None


@dataclass
class _Reader:
    """The graph of the inputs under construction."""

    graph: Graph
    schema: Schema
    lengths: str = ""
    scales: dict[str, Scale] = field(default_factory=dict)
    pasts: dict[str, list[Past]] = field(default_factory=dict)

    @property
    def lag(self) -> int:
        return self.schema.layout.lag

    def declare(self, column: Column) -> str:
        """Add the input of a column."""
        sizes: list[int | str] = ["batch"]
        if not column.static:
            sizes.append(f"steps_plus_{self.schema.layout.target.reach}" if self._is_known(column) else "steps")
        if column.kind == "tokens":
            return self.graph.input(column.name, np.int64, sizes)
        width = len(self.schema.sets[column.name]) if column.kind == "set" else column.width
        return self.graph.input(column.name, np.float32, [*sizes, width])

    def _is_known(self, column: Column) -> bool:
        return column in self.schema.layout.known

    def steps(self, names: dict[str, str]) -> str:
        """Return T, as a vector of one number."""
        column = self.schema.layout.first
        count = self.graph.slice(self.graph.op("Shape", names[column.name]), 0, 1, 2)
        more = self.schema.layout.target.reach * self._is_known(column)
        return self.graph.op("Sub", count, self.graph.constant([more], "more", np.int64)) if more else count

    def repeated(self, column: Column, value: str, steps: str) -> str:
        """Return the value that a column has for a sequence, (B,) or (B, D), at every step."""
        one = self.graph.constant([1], "one", np.int64)
        shape = [one, steps] if column.kind == "tokens" else [one, steps, one]
        return self.graph.op("Expand", self.graph.unsqueeze(value, 1), self.graph.join(shape, 0))

    def given(self, column: Column, value: str) -> _Given:
        """Return the numbers of a column in float64, with gaps filled."""
        values = self.graph.cast(value, np.float64)
        if column.fill == "stop":
            return _Given(values)
        gaps = self.graph.op("IsNaN", values)
        mean = self.schema.means[column.name] if column.fill == "mean" else 0.0
        return _Given(self.graph.op("Where", gaps, self.graph.constant(mean, "mean", np.float64), values), gaps)

    def scale(self, column: Column, value: str) -> Scale:
        """Return the scale of a column: that of the training data, or each sequence's own of its raw values."""
        graph, scaling = self.graph, self.schema.scaling[column.name]
        train = constant_scale(graph, scaling)
        if self.schema.layout.scale != "series" or not column.varies:
            return train
        values, _ = transformed(graph, column.chain, graph.cast(value, np.float64))
        return own_scale(graph, values, self.real(values, column.chain.lag), train)

    def real(self, values: str, lag: int) -> str:
        """Return where steps (B, T', 1) of values (B, T', …) are real, if the first `lag` ones were removed."""
        graph = self.graph
        places = graph.unsqueeze(graph.places(values, 1), 0, 2)
        return graph.op("Less", places, graph.unsqueeze(self.fewer(lag), 1, 2))

    def fewer(self, lag: int) -> str:
        """Return the lengths (B,) without `lag` steps."""
        return self.graph.op("Sub", self.lengths, self.graph.constant(lag, "lag", np.int64)) if lag else self.lengths

    def number(self, column: Column, values: str) -> str:
        """Return the transformed and scaled numbers of a column, from step L on."""
        values, self.pasts[column.name] = transformed(self.graph, column.chain, values)
        more = self.lag - column.chain.lag
        return scaled(self.graph, self.graph.slice(values, 1, more) if more else values, self.scales[column.name])

    def later(self, column: Column, values: str) -> list[str]:
        """Return the known numbers of each of the steps that a step predicts."""
        target = self.schema.layout.target
        stops = [target.ahead + step - target.reach or None for step in range(target.horizon)]
        return [self.graph.slice(values, 1, target.ahead + step, stop) for step, stop in enumerate(stops)]

    def present(self, column: Column, values: str) -> str:
        """Return values without the known ones of later steps."""
        return self.graph.slice(values, 1, 0, -self.schema.layout.target.reach) if self._is_known(column) else values


def read_inputs(graph: Graph, schema: Schema) -> Inputs:
    """Add an input for each column and `lengths`, and return what the network reads of them."""
    reader, layout = _Reader(graph, schema), schema.layout
    names = {column.name: reader.declare(column) for column in layout.inputs}
    reader.lengths = graph.input(LENGTHS, np.int64, ["batch"])
    steps = reader.steps(names)
    raw = {
        column.name: reader.repeated(column, names[column.name], steps) if column.static else names[column.name]
        for column in layout.inputs
    }
    tokens = {name: _from_step(graph, raw[name], reader.lag) for name in schema.tokens}
    parts = _numbers(reader, raw)
    example = parts[0] if parts else next(iter(tokens.values()))
    real, numbers = reader.real(example, reader.lag), None
    if parts:
        joined = graph.join(parts, 2)
        numbers = graph.cast(graph.op("Where", real, joined, graph.constant(0, "number", np.float64)), np.float32)
    return Inputs(reader.fewer(reader.lag), real, numbers, tokens, reader.scales, reader.pasts)


def _numbers(reader: _Reader, raw: dict[str, str]) -> list[str]:
    """Return the parts of the numeric input in the order of `lstm_cli.data.schema.encoding`."""
    graph, schema = reader.graph, reader.schema
    plain, ahead, gaps = [], [], []
    for column in schema.layout.inputs:
        if column.kind != "number":
            continue
        given = reader.given(column, raw[column.name])
        reader.scales[column.name] = reader.scale(column, reader.present(column, raw[column.name]))
        values = reader.number(column, given.values)
        plain.append(reader.present(column, values))
        ahead += [reader.later(column, values)] if reader._is_known(column) else []
        if column.indicator and given.gaps is not None:
            found = _from_step(graph, reader.present(column, given.gaps), reader.lag)
            gaps.append(graph.cast(found, np.float64))
    sets = [graph.cast(_from_step(graph, raw[name], reader.lag), np.float64) for name in schema.sets]
    known = [step for steps in zip(*ahead, strict=True) for step in steps]
    return [*plain, *sets, *gaps, *known]


def _from_step(graph: Graph, value: str, lag: int) -> str:
    return graph.slice(value, 1, lag) if lag else value


def constant_scale(graph: Graph, scaling: Scaling) -> Scale:
    """Return a scaling as constants (D,)."""
    center, spread = (graph.constant(value, "scale", np.float64) for value in (scaling.center, scaling.spread))
    return Scale(center, spread)
