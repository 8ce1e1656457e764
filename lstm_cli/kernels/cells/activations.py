"""The nonlinear functions of cells on vectors: tanh, sigmoid, and the activations that a config names."""

from lstm_cli.kernels.simd.vector import Code, Vector

# The codes by which kernels know the activations.
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


class Activation:
    """The activation of a layer, as the equations of its cell apply it."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def __call__(self, x: Vector) -> Vector:
        """Return a(x)."""
        return activate(self._code, x)

    def slope(self, y: Vector) -> Vector:
        """Return a'(x), given y = a(x)."""
        return slope(self._code, y)
