"""Cells as kernels take them: constants of the compiled code, and their equations as functions on rows of memory.

A kernel is compiled for the cell of a layer (or the cells of a network), so that only what is used is compiled, and no
step asks which cell it is. Backward, the gradient of h comes three ways: from the output (`dh`), through the products
of the following step (`product`, not masked yet), and directly from the following step or the final state
(`gradients`).
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from lstm_cli.kernels.cells import norm
from lstm_cli.kernels.cells.activations import Activation
from lstm_cli.kernels.cells.cell import Cell
from lstm_cli.kernels.runtime.tasks import Constants
from lstm_cli.kernels.simd.lanewise import lanewise, lanewise_choice
from lstm_cli.kernels.simd.vector import Code, Row, Rows, Vector


class Loads(Sequence[Vector]):
    """Vectors that are loaded where the equations read them; `first` holds those before the ones in memory."""

    def __init__(self, row: Row, blocks: Sequence[int], *, first: Sequence[Vector] = ()) -> None:
        self._row, self._blocks, self._first = row, blocks, first

    def __len__(self) -> int:
        return len(self._first) + len(self._blocks)

    def __getitem__(self, number: Any) -> Any:
        ahead = len(self._first)
        return self._first[number] if number < ahead else self._row[self._blocks[number - ahead]]


def forward_rows(cell: Cell) -> Callable[..., None]:
    """Return the function of one step of one sequence, forward."""

    def forward(
        activation: Code, sums: Row, kept: Row, states: Rows, mask: Row, hidden: Row, h: Row, further: Row
    ) -> None:
        """Take one step; `hidden` is h as it enters the next product, `further` keeps the other states."""
        blocks = [cell.sum_order.index(bias) for bias in range(cell.sum_blocks)]
        before = range(len(cell.states))
        values, after = cell.forward(Activation(activation), Loads(sums, blocks), Loads(states, before))
        for block, value in enumerate(values):
            kept[block] = value
        for state, value in enumerate(after):
            states[state] = value
        for state, value in enumerate(after[1:]):
            further[state] = value
        h[0] = after[0]
        hidden[0] = after[0] * mask[0]

    return forward


def backward_rows(cell: Cell) -> Callable[..., None]:
    """Return the function of one step of one sequence, backward."""

    def backward(
        activation: Code, kept: Row, dh: Row, product: Row, mask: Row, gradients: Rows, h: Row, previous_h: Row,
        further: Row, previous: Row,
    ) -> None:  # fmt: skip
        """Turn what was kept into the gradients of the sums, and the gradients of the states into those before."""
        values = [kept[block] for block in range(len(cell.kept))]
        through_h = dh[0] + product[0] * mask[0] + gradients[0]
        states = range(cell.further_states)
        sums, before = cell.backward(
            Activation(activation),
            values,
            Loads(previous, states, first=Loads(previous_h, [0])),
            Loads(further, states, first=Loads(h, [0])),
            Loads(gradients, range(1, len(cell.states)), first=[through_h]),
        )
        for bias, value in enumerate(sums):
            kept[cell.sum_order.index(bias)] = value
        for state, gradient in enumerate(before):
            gradients[state] = through_h.filled(0.0) if gradient is None else gradient

    return backward


@lanewise
def finish(product: Row, mask: Row, carried: Row) -> None:
    """Gather in `carried` the gradient of the state before the first step."""
    carried[0] = carried[0] + product[0] * mask[0]


@cache
def constants_of(cell: Cell) -> Constants:
    """Return what kernels of one layer know of its cell."""
    return Constants(
        f"{cell.name}_normalized" if cell.normalized else cell.name,
        {
            "weight_blocks": cell.weight_blocks,
            "sum_blocks": cell.sum_blocks,
            "kept_blocks": cell.kept_blocks,
            "further_states": cell.further_states,
            "apart": cell.apart,
            "first_gate": cell.first_gate,
            "reads_previous_h": cell.reads_previous_h,
            "forward": lanewise(forward_rows(cell)),
            "backward": lanewise(backward_rows(cell)),
            "normalize": norm.normalize if cell.normalized else norm.leave,
            "normalize_backward": norm.normalize_backward if cell.normalized else norm.leave_backward,
        },
        cached=_is_ours(cell),
    )


def numbered(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return each cell once, in an order that does not depend on that of the layers."""
    return tuple(sorted(set(cells), key=lambda cell: cell.name))


@cache
def constants_of_several(cells: tuple[Cell, ...]) -> Constants:
    """Return what kernels of a network know of its cells, whose equations take the number of the cell first."""
    members: dict[str, Any] = {
        "forward": lanewise_choice([forward_rows(cell) for cell in cells]),
        "backward": lanewise_choice([backward_rows(cell) for cell in cells]),
    }
    return Constants("_".join(cell.name for cell in cells), members, cached=all(map(_is_ours, cells)))


def _is_ours(cell: Cell) -> bool:
    """Whether the cell's source is a kernel source, so that its machine code on disk is that of this source."""
    return all(function.__module__.startswith("lstm_cli.kernels.") for function in (cell.forward, cell.backward))
