"""The gated recurrent unit (Cho et al. 2014), in the form of cuDNN and PyTorch: the reset gate multiplies the product.

r, u = sigmoid(W_r [x, h] + b_r), …           n = a(W_n x + b_n + r (U_n h + b_m))
h' = (1 - u) n + u h
"""

from lstm_cli.kernels.cells.activations import Activation, sigmoid
from lstm_cli.kernels.cells.cell import Cell, Vectors
from lstm_cli.kernels.simd.vector import Vector


def forward(activation: Activation, sums: Vectors, before: Vectors) -> tuple[Vectors, Vectors]:
    """Take one step; m is U_n h + b_m."""
    r, u, m = sigmoid(sums[0]), sigmoid(sums[1]), sums[3]
    n = activation(sums[2] + r * m)
    return (r, u, n, m), (n + u * (before[0] - n),)


def backward(
    activation: Activation, kept: Vectors, before: Vectors, after: Vectors, gradients: Vectors
) -> tuple[Vectors, tuple[Vector | None, ...]]:
    """Take one step back."""
    (r, u, n, m), (dh,) = kept, gradients
    dn = dh * (1.0 - u) * activation.slope(n)
    return (dn * m * r * (1.0 - r), dh * (before[0] - n) * u * (1.0 - u), dn, dn * r), (dh * u,)


GRU = Cell(
    name="gru",
    gates=("reset_gate", "update_gate", "candidate"),
    biases=("reset_gate", "update_gate", "candidate", "candidate_hidden"),
    states=("h",),
    kept=("r", "u", "n", "m"),
    forward=forward,
    backward=backward,
    reads_previous_h=True,
)
