"""Several target columns as one array: their values side by side, each with where it is known.

Legend: n positions, P target columns, W numbers of all columns at a position, K labels, D numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.target import Target


@dataclass(frozen=True)
class Block:
    """Where one of several target columns is among the W numbers of all.

    Attributes
    ----------
    known
        Where the number is that is 1 where this target counts, else 0.
    unseen
        Of sets: that of how many true labels training never saw; None for other kinds.
    values
        The index of a category (-1 where training never saw it), numbers (D) or indicators of labels (K).
    """

    known: int
    unseen: int | None
    values: slice


class Column(NamedTuple):
    """One of several target columns, encoded as if it were the only one: the arrays of `Encoded`, all (n, …)."""

    target: np.ndarray
    known: NDArray[np.bool_] | None
    unseen: NDArray[np.int32] | None


def blocks_of(target: Target) -> tuple[Block, ...]:
    """Return where each of several target columns is."""
    blocks, start = [], 0
    for one in target.targets:
        first = start + 1 + (one.kind == "set")
        stop = first + (1 if one.kind == "category" else one.size)
        blocks.append(Block(start, start + 1 if one.kind == "set" else None, slice(first, stop)))
        start = stop
    return tuple(blocks)


def side_by_side(columns: Iterable[Column], precision: str) -> NDArray[np.floating]:
    """Return the target columns of a sequence as one array (n, W)."""
    parts: list[np.ndarray] = []
    for column in columns:
        count = len(column.target)
        parts.append(np.ones(count) if column.known is None else column.known)
        if column.unseen is not None:
            parts.append(column.unseen)
        parts.append(column.target)
    return np.column_stack(parts).astype(precision)


def column_of(block: Block, target: Target, values: NDArray[np.floating]) -> np.ndarray:
    """Return the values of one target column from those of all (n, W), as if it were the only one."""
    own = values[:, block.values]
    return own[:, 0].astype(np.int64) if target.kind == "category" else np.ascontiguousarray(own)
