"""The plain recurrent layer (Elman 1990).

h' = a(W [x, h] + b)
"""

from lstm_cli.kernels.cells.activations import Activation
from lstm_cli.kernels.cells.cell import Cell, Vectors
from lstm_cli.kernels.simd.vector import Vector


def forward(activation: Activation, sums: Vectors, before: Vectors) -> tuple[Vectors, Vectors]:
    """Take one step."""
    h = activation(sums[0])
    return (h,), (h,)


def backward(
    activation: Activation, kept: Vectors, before: Vectors, after: Vectors, gradients: Vectors
) -> tuple[Vectors, tuple[Vector | None, ...]]:
    """Take one step back."""
    return (gradients[0] * activation.slope(kept[0]),), (None,)


RNN = Cell(
    name="rnn",
    gates=("hidden",),
    biases=("hidden",),
    states=("h",),
    kept=("h",),
    forward=forward,
    backward=backward,
)
