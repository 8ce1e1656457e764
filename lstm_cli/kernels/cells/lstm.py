"""Long short-term memory (Hochreiter and Schmidhuber 1997), with a forget gate (Gers, Schmidhuber and Cummins 2000).

    i, f, o = sigmoid(W_i [x, h] + b_i), …        z = a(W_z [x, h] + b_z)
    c' = f c + i z                                h' = o tanh(c')

Without peepholes, as in theano-lstm. The forget gate's bias starts from `model.forget_bias`, 1 by default
(Jozefowicz, Zaremba and Sutskever 2015).
"""

from lstm_cli.kernels.cells.activations import Activation, sigmoid, tanh
from lstm_cli.kernels.cells.cell import Cell, Vectors
from lstm_cli.kernels.simd.vector import Vector


def forward(activation: Activation, sums: Vectors, before: Vectors) -> tuple[Vectors, Vectors]:
    """Take one step."""
    i, f, o, z = sigmoid(sums[0]), sigmoid(sums[1]), sigmoid(sums[2]), activation(sums[3])
    c = f * before[1] + i * z
    return (i, f, o, z), (o * tanh(c), c)


def backward(
    activation: Activation, kept: Vectors, before: Vectors, after: Vectors, gradients: Vectors
) -> tuple[Vectors, tuple[Vector | None, ...]]:
    """Take one step back."""
    (i, f, o, z), dh = kept, gradients[0]
    c = tanh(after[1])
    dc = gradients[1] + dh * o * (1.0 - c * c)
    sums = (
        dc * z * i * (1.0 - i),
        dc * before[1] * f * (1.0 - f),
        dh * c * o * (1.0 - o),
        dc * i * activation.slope(z),
    )
    return sums, (None, dc * f)


LSTM = Cell(
    name="lstm",
    gates=("in_gate", "forget_gate", "out_gate", "in_gate2"),
    biases=("in_gate", "forget_gate", "out_gate", "in_gate2"),
    states=("h", "c"),
    kept=("i", "f", "o", "z"),
    forward=forward,
    backward=backward,
)
