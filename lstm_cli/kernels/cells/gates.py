"""What a recurrent cell does with one row of H units between two matrix products, forward and backward.

The blocks of such a row in memory, H numbers each:

    rnn    h
    lstm   i f o z
    gru    n r u m        m = U_n h + b_m

First they are the sums that enter the gates, then the gates' values, in the backward pass the gradients of the sums.
A gru's blocks stand in this order so that what x adds to, (n r u), and what h adds to, (r u m), are both contiguous.
"""

from lstm_cli.kernels.simd.vector import Code, Row, Vector, lanewise

# The codes by which kernels know cells and activations.
CELLS = {"rnn": 0, "lstm": 1, "gru": 2}
ACTIVATIONS = {"tanh": 0, "linear": 1, "relu": 2, "sigmoid": 3, "softsign": 4}

# tanh(x) = x P(x²) / Q(x²) for |x| < 8.5, fitted for the smallest largest relative error, 1.2e-8; beyond, float32 is 1.
TANH_LIMIT = 8.5
TANH_P = (1.4269345705031355e-08, 2.1251133148325607e-05, 0.003534032264724374, 0.134132519364357, 1.0)
TANH_Q = (8.145172500917397e-07, 0.0003348873578943312, 0.0260227732360363, 0.46746575832366943, 1.0)
# The same for |x| < 0.5 by the seventh convergent of Lambert's continued fraction, exact to 2e-16.
LAMBERT_P = (1.0, 378.0, 17325.0, 135135.0)
LAMBERT_Q = (28.0, 3150.0, 62370.0, 135135.0)


def polynomial(x: Vector, coefficients: tuple[float, ...]) -> Vector:
    """Horner's scheme, highest power first."""
    total = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * x + coefficient
    return total


def tanh(x: Vector) -> Vector:
    """Return tanh, in either precision to a few units in the last place."""
    if not x.double:
        x = x.clamp(TANH_LIMIT)
        return x * polynomial(x * x, TANH_P) / polynomial(x * x, TANH_Q)
    size = x.call("fabs")
    near = size * polynomial(x * x, LAMBERT_P) / polynomial(x * x, LAMBERT_Q)
    decay = (size * -2.0).call("exp")
    return size.where(">", 0.5, (1.0 - decay) / (1.0 + decay), near).call("copysign", x)


def sigmoid(x: Vector) -> Vector:
    """Return 1 / (1 + exp(-x))."""
    return 0.5 * tanh(0.5 * x) + 0.5


def activate(code: Code, x: Vector) -> Vector:
    """Apply the activation with this code."""
    return code.choose(
        {
            ACTIVATIONS["tanh"]: lambda: tanh(x),
            ACTIVATIONS["linear"]: lambda: x,
            ACTIVATIONS["relu"]: lambda: x.where("<=", 0.0, 0.0, x),
            ACTIVATIONS["sigmoid"]: lambda: sigmoid(x),
            ACTIVATIONS["softsign"]: lambda: x / (1.0 + x.call("fabs")),
        }
    )


def slope(code: Code, y: Vector) -> Vector:
    """Return the derivative of the activation where its value is y."""

    def softsign() -> Vector:
        rest = 1.0 - y.call("fabs")
        return rest * rest

    return code.choose(
        {
            ACTIVATIONS["tanh"]: lambda: 1.0 - y * y,
            ACTIVATIONS["linear"]: lambda: y.filled(1.0),
            ACTIVATIONS["relu"]: lambda: y.where(">", 0.0, 1.0, 0.0),
            ACTIVATIONS["sigmoid"]: lambda: y * (1.0 - y),
            ACTIVATIONS["softsign"]: softsign,
        }
    )


@lanewise
def rnn_forward(activation: Code, z: Row, gates: Row, state: Row, mask: Row, hidden: Row, h: Row) -> None:
    """``h = a(z)``; `hidden` is h as it enters the next product."""
    value = activate(activation, z[0])
    gates[0] = state[0] = h[0] = value
    hidden[0] = value * mask[0]


@lanewise
def lstm_forward(
    activation: Code, z: Row, gates: Row, state: Row, mask: Row, hidden: Row, h: Row, cell: Row, cells: Row
) -> None:
    """``c = f c + i z;  h = o tanh(c)``; `cell` is the running c, `cells` keeps it for the gradient."""
    i, f, o, z_value = sigmoid(z[0]), sigmoid(z[1]), sigmoid(z[2]), activate(activation, z[3])
    c = f * cell[0] + i * z_value
    gates[0], gates[1], gates[2], gates[3] = i, f, o, z_value
    cell[0] = cells[0] = c
    value = o * tanh(c)
    state[0] = h[0] = value
    hidden[0] = value * mask[0]


@lanewise
def gru_forward(activation: Code, z: Row, gates: Row, state: Row, mask: Row, hidden: Row, h: Row) -> None:
    """``n = a(n + r m);  h = (1 - u) n + u h``."""
    r, u, m = sigmoid(z[1]), sigmoid(z[2]), z[3]
    n = activate(activation, z[0] + r * m)
    gates[0], gates[1], gates[2], gates[3] = n, r, u, m
    value = n + u * (state[0] - n)
    state[0] = h[0] = value
    hidden[0] = value * mask[0]


# Backward, the gradient of h comes three ways: from the output (dh), through the products of the following step
# (product, still to be masked), and straight from the following step's h or from the final state (carried).


@lanewise
def rnn_backward(activation: Code, gates: Row, dh: Row, product: Row, mask: Row, carried: Row) -> None:
    """Turn the value into the gradient of its sum."""
    q = dh[0] + product[0] * mask[0] + carried[0]
    gates[0] = q * slope(activation, gates[0])
    carried[0] = q.filled(0.0)


@lanewise
def lstm_backward(
    activation: Code, gates: Row, dh: Row, product: Row, mask: Row, carried: Row, cells: Row, before: Row, dcell: Row
) -> None:
    """Turn the gates into the gradients of their sums; `before` is the previous c, `dcell` its running gradient."""
    i, f, o, z = gates[0], gates[1], gates[2], gates[3]
    q = dh[0] + product[0] * mask[0] + carried[0]
    c = tanh(cells[0])
    dc = dcell[0] + q * o * (1.0 - c * c)
    gates[0] = dc * z * i * (1.0 - i)
    gates[1] = dc * before[0] * f * (1.0 - f)
    gates[2] = q * c * o * (1.0 - o)
    gates[3] = dc * i * slope(activation, z)
    dcell[0] = dc * f
    carried[0] = q.filled(0.0)


@lanewise
def gru_backward(activation: Code, gates: Row, dh: Row, product: Row, mask: Row, carried: Row, before: Row) -> None:
    """Turn the gates into the gradients of their sums; `before` is the previous h."""
    n, r, u, m = gates[0], gates[1], gates[2], gates[3]
    q = dh[0] + product[0] * mask[0] + carried[0]
    dn = q * (1.0 - u) * slope(activation, n)
    gates[0], gates[3] = dn, dn * r
    gates[1] = dn * m * r * (1.0 - r)
    gates[2] = q * (before[0] - n) * u * (1.0 - u)
    carried[0] = q * u


@lanewise
def finish(product: Row, mask: Row, carried: Row) -> None:
    """Gather in `carried` the gradient of the state before the first step."""
    carried[0] = carried[0] + product[0] * mask[0]
