"""Transforms and scaling of numeric columns as ONNX operators, in float64 as in `lstm_cli.data.schema.preprocessing`.

Legend: B batch, T steps, D numbers per step, H steps predicted at once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.export.onnx.graph import Graph

#: As in `Scaling`: a spread below this share of the values' magnitude is rounding error.
_ROUNDING = 1e-12


class Past(NamedTuple):
    """The values x_{j-1} (B, T', D) that a difference was taken of; the first of them is step `first`."""

    values: str
    first: int


class Scale(NamedTuple):
    """Center and spread, of arrays (D,), or (B, 1, D) where each sequence has its own."""

    center: str
    spread: str


def transformed(graph: Graph, chain: Chain, values: str) -> tuple[str, list[Past]]:
    """Return x_m (B, T - lag, D) of values x_0 (B, T, D), and the past of every difference."""
    past, first = [], 0
    for transform in chain.transforms:
        if transform.lag:
            past.append(Past(values, first))
            first += transform.lag
            earlier = graph.slice(values, 1, 0, -transform.lag)
            values = graph.op("Sub", graph.slice(values, 1, transform.lag), earlier)
        else:
            values = graph.op("Log", values)
    return values, past


def undone(
    graph: Graph, chain: Chain, values: str, past: Sequence[Past], *, first: int, ahead: int, horizon: int
) -> str:
    """Return x_0 (B, T', H, D) of outputs x_m, the first of which are of step `first`, for `ahead` steps later on."""
    pending = list(past)
    for transform in reversed(chain.transforms):
        if transform.lag:
            values = _summed(graph, values, pending.pop(), transform.lag, first + ahead, ahead, horizon)
        else:
            values = graph.op("Exp", values)
    return values


def _summed(graph: Graph, differences: str, past: Past, lag: int, start: int, ahead: int, horizon: int) -> str:
    """Return the values of differences: added to the past, or from step `lag` on to the values themselves."""
    found: list[str] = []
    for step in range(horizon):
        change = graph.slice(differences, 2, step, step + 1) if horizon > 1 else differences
        if step < lag:
            stop = ahead + step - lag  # counted from the last step of the sequence; 0: that one is the last
            known = graph.slice(past.values, 1, start + step - lag - past.first, stop or None)
            before = graph.unsqueeze(known, 2)
        else:
            before = found[step - lag]
        found.append(graph.op("Add", change, before))
    return graph.join(found, 2)


def own_scale(graph: Graph, values: str, real: str, train: Scale) -> Scale:
    """Return the mean and deviation of each sequence over its real values (B, T, D) that are no NaN.

    A sequence with a column without any has the scale of the training data.
    """
    used = graph.op("And", real, graph.op("Not", graph.op("IsNaN", values)))
    zero, one = (graph.constant(value, "number", np.float64) for value in (0, 1))
    count = graph.reduce_sum(graph.cast(used, np.float64), 1, keep=True)
    share = graph.op("Max", count, one)
    mean = graph.op("Div", graph.reduce_sum(graph.op("Where", used, values, zero), 1, keep=True), share)
    change = graph.op("Where", used, graph.op("Sub", values, mean), zero)
    squares = graph.reduce_sum(graph.op("Mul", change, change), 1, keep=True)
    spread = graph.op("Sqrt", graph.op("Div", squares, share))
    low, high = (
        graph.op(kind, graph.op("Where", used, values, graph.constant(beyond, "number", np.float64)), axes=[1])
        for kind, beyond in (("ReduceMin", np.inf), ("ReduceMax", -np.inf))
    )
    size = graph.op("Max", graph.op("Abs", low), graph.op("Abs", high))
    rounding = graph.op("Mul", size, graph.constant(_ROUNDING, "number", np.float64))
    constant = graph.op("Or", graph.op("Equal", low, high), graph.op("LessOrEqual", spread, rounding))
    every = graph.op("Greater", graph.op("ReduceMin", count, axes=[2]), zero)
    center, spread = graph.op("Where", constant, low, mean), graph.op("Where", constant, one, spread)
    return Scale(graph.op("Where", every, center, train.center), graph.op("Where", every, spread, train.spread))


def scaled(graph: Graph, values: str, scale: Scale) -> str:
    """Return values (B, T, D) scaled."""
    return graph.op("Div", graph.op("Sub", values, scale.center), scale.spread)
