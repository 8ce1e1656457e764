"""Initial values of parameters: functions ``(generator, shape) -> array`` in float64.

A matrix has the shape (out, in). The distributions, of deviation s where they are normal, else uniform in [-a, a]:

    glorot     s² = 2 / (in + out)      a² = 6 / (in + out)      (Glorot and Bengio 2010)
    he         s² = 2 / in              a² = 6 / in              (He et al. 2015)
    lecun      s² = 1 / in              a² = 3 / in              (LeCun et al. 1998)
    normal     s = 1
    uniform    a = 1
    orthogonal rows or columns of length 1, each at a right angle to the others (Saxe et al. 2014)
"""

from collections.abc import Callable, Sequence

import numpy as np

from lstm_cli.config.initializer import Initial
from lstm_cli.graph.parameters import Initializer


def zeros(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros: biases and learned initial states."""
    return np.zeros(shape)


def _normal(variance: Callable[[int, int], float]) -> Initializer:
    """Return the initializer that draws from N(0, s²), given s² for (out, in)."""

    def initialize(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        values: np.ndarray = np.sqrt(variance(*shape)) * generator.standard_normal(shape)
        return values

    return initialize


def _uniform(square: Callable[[int, int], float]) -> Initializer:
    """Return the initializer that draws from U(-a, a), given a² for (out, in)."""

    def initialize(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        bound = np.sqrt(square(*shape))
        return generator.uniform(-bound, bound, shape)

    return initialize


def orthogonal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer, from the uniform distribution."""
    q, r = np.linalg.qr(generator.standard_normal((max(shape), min(shape))))
    matrix: np.ndarray = q * np.sign(np.diagonal(r))
    return matrix if shape[0] >= shape[1] else matrix.T


DISTRIBUTIONS: dict[str, Initializer] = {
    "glorot_uniform": _uniform(lambda out, inputs: 6 / (out + inputs)),
    "glorot_normal": _normal(lambda out, inputs: 2 / (out + inputs)),
    "he_uniform": _uniform(lambda out, inputs: 6 / inputs),
    "he_normal": _normal(lambda out, inputs: 2 / inputs),
    "lecun_uniform": _uniform(lambda out, inputs: 3 / inputs),
    "lecun_normal": _normal(lambda out, inputs: 1 / inputs),
    "orthogonal": orthogonal,
    "normal": _normal(lambda out, inputs: 1.0),
    "uniform": _uniform(lambda out, inputs: 1.0),
}


def matrix(spec: Initial) -> Initializer:
    """Return the initializer of a matrix (out, in)."""
    draw = DISTRIBUTIONS[spec.distribution]
    return lambda generator, shape: spec.scale * draw(generator, shape)


def recurrent(gates: int, of_input: Initial, of_past: Initial) -> Initializer:
    """Return the initializer of a recurrent W (gates * H, I + H): gate by gate its columns for x, then those for h."""

    def initialize(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        units = shape[0] // gates
        inputs = shape[1] - units
        blocks = [
            np.hstack([matrix(of_input)(generator, (units, inputs)), matrix(of_past)(generator, (units, units))])
            for _ in range(gates)
        ]
        return np.vstack(blocks)

    return initialize


def constant_blocks(values: Sequence[float]) -> Initializer:
    """Return the initializer of a bias (blocks * H,): one number per block, such as 1 for an LSTM's forget gate."""

    def initialize(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.repeat(np.asarray(values, np.float64), shape[0] // len(values))

    return initialize
