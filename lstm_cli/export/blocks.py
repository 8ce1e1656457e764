"""The weights of a recurrent pass as other programs order them: gates in their order, x and h in matrices of their own.

Legend: G gates, I input, H units.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lstm_cli.graph.plan import Direction


class Blocks(NamedTuple):
    """The weights of a pass whose gates' sums are ``W x + b_x + U h + b_h``; row blocks are the gates.

    Attributes
    ----------
    W : array (G * H, I)
    U : array (G * H, H)
    b_x, b_h : array (G * H,)
        Where a gate adds x and h before its one bias, that is part of `b_x`, and `b_h` is 0.
    """

    W: np.ndarray
    U: np.ndarray
    b_x: np.ndarray
    b_h: np.ndarray


def blocks(direction: Direction, weights: Mapping[str, np.ndarray], gates: Sequence[str]) -> Blocks:
    """Return the weights of a pass with its gates, named as by its cell, in another order."""
    cell, units = direction.cell, direction.units
    joint, bias = weights[f"{direction.name}.W"], weights[f"{direction.name}.b"].reshape(-1, units)
    order = [cell.gates.index(gate) for gate in gates]
    rows = joint.reshape(len(cell.gates), units, -1)[order].reshape(len(order) * units, -1)
    b_h = np.zeros((len(cell.gates), units), bias.dtype)
    b_h[len(cell.gates) - cell.apart :] = bias[len(cell.gates) :]
    return Blocks(
        W=np.ascontiguousarray(rows[:, : direction.inputs]),
        U=np.ascontiguousarray(rows[:, direction.inputs :]),
        b_x=bias[: len(cell.gates)][order].ravel(),
        b_h=b_h[order].ravel(),
    )


def initial(direction: Direction, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the states that a pass starts from (H,), by the cell's names for them: learned ones, or zeros."""
    learned = weights.get(f"{direction.name}.initial")
    values = np.zeros(sum(direction.states), weights[f"{direction.name}.W"].dtype) if learned is None else learned
    return dict(zip(direction.cell.states, np.split(values, len(direction.states)), strict=True))
