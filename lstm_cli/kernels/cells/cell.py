"""What a recurrent cell is: the names of its gates, biases and states, and its equations, forward and backward.

A cell's file declares one `Cell`; the plan of a model, its starting weights, the Ops, the kernels and the estimate of
memory derive from it. The equations are functions on `Vector`, one register of a few units: the kernels call them for
all units of one sequence at one step, between two matrix products.

Let G be the number of gates and S the number of biases. A step begins with S sums, one for each bias:

    s_j = W_j [x, m h] + b_j        for most gates j, with the mask m of recurrent dropout
    s_j = W_j x + b_j               for each of the last S - G gates, as the gru's candidate needs it:
    s_k = U_j m h + b_k             x and h add to separate sums, with a second bias k after those of the gates

In memory the separate sums of x come first, then the joint ones, then the separate sums of h, so that x and h each add
to G neighbouring blocks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from lstm_cli.kernels.cells.activations import Activation
from lstm_cli.kernels.simd.vector import Vector

Vectors = Sequence[Vector]
#: From activation, sums and the states before the step: what is kept for the gradient, and the states after the step.
#: A vector is loaded where the equations read it.
Forward = Callable[[Activation, Vectors, Vectors], tuple[Vectors, Vectors]]
#: From activation, what was kept, the states before and after the step, and the gradients of the states after it: the
#: gradients of the sums, and those of the states before. None: zero. The gradient through the sums is not part of it.
Backward = Callable[[Activation, Vectors, Vectors, Vectors, Vectors], tuple[Vectors, Sequence[Vector | None]]]


@dataclass(frozen=True, eq=False)
class Cell:
    """The one declaration of a cell with H units.

    Attributes
    ----------
    name : str
        As a config names it.
    gates : tuple of str
        Row blocks of W (gates * H, I + H), in their order.
    biases : tuple of str
        Blocks of b (biases * H,): one for each gate, then a second one for each of the last gates whose sums of x and
        h are separate.
    states : tuple of str
        What is handed from step to step, each (B, H); the first is h, the layer's output.
    kept : tuple of str
        What the gradient needs of each step and unit, beside h and the other states.
    forward, backward : callable
        The equations.
    reads_previous_h : bool
        Whether `backward` reads h before the step; otherwise that vector holds anything.
    initial_bias : mapping of str to float
        What biases start from, by their names; the others start from 0.
    normalized : bool
        Whether the sums are normalised before the equations see them; see `lstm_cli.kernels.cells.norm`.
    """

    name: str
    gates: tuple[str, ...]
    biases: tuple[str, ...]
    states: tuple[str, ...]
    kept: tuple[str, ...]
    forward: Forward
    backward: Backward
    reads_previous_h: bool = False
    initial_bias: Mapping[str, float] = field(default_factory=dict)
    normalized: bool = False

    @property
    def weight_blocks(self) -> int:
        """G: row blocks of the weights."""
        return len(self.gates)

    @property
    def sum_blocks(self) -> int:
        """S: blocks of the bias, and of a row of sums."""
        return len(self.biases)

    @property
    def kept_blocks(self) -> int:
        """Blocks of a row of what is kept, the first of which the gradients of the sums overwrite."""
        return max(len(self.kept), len(self.biases)) + (len(self.biases) if self.normalized else 0)

    @property
    def further_states(self) -> int:
        """States beside h."""
        return len(self.states) - 1

    @property
    def apart(self) -> int:
        """Gates whose sums of x and h are separate."""
        return len(self.biases) - len(self.gates)

    @property
    def first_gate(self) -> int:
        """The gate that the first block of the sums of x belongs to."""
        return (len(self.gates) - self.apart) % len(self.gates)

    @property
    def sum_order(self) -> tuple[int, ...]:
        """The bias of each block of the sums, in memory."""
        gates, apart = len(self.gates), self.apart
        return (*range(gates - apart, gates), *range(gates - apart), *range(gates, gates + apart))


@cache
def with_layer_norm(cell: Cell) -> Cell:
    """Return the cell with layer normalisation of its sums."""
    return replace(cell, normalized=True)
