"""Initial values of parameters: functions ``(generator, shape) -> array`` in float64."""

from collections.abc import Sequence

import numpy as np

from lstm_cli.graph.parameters import Initializer


def zeros(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros: biases and learned initial states."""
    return np.zeros(shape)


def unit_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw from N(0, 1): embeddings, on the scale of standardised numbers."""
    return generator.standard_normal(shape)


def glorot_uniform(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw from U(-a, a), a = sqrt(6 / (in + out)), for a matrix (out, in) (Glorot and Bengio 2010)."""
    bound = np.sqrt(6 / sum(shape))
    return generator.uniform(-bound, bound, shape)


def orthogonal(generator: np.random.Generator, units: int) -> np.ndarray:
    """Draw an orthogonal matrix (units, units) from the uniform distribution (Saxe et al. 2014)."""
    q, r = np.linalg.qr(generator.standard_normal((units, units)))
    matrix: np.ndarray = q * np.sign(np.diagonal(r))
    return matrix


def recurrent(gates: int) -> Initializer:
    """Return the initializer of a recurrent W (gates * H, I + H): for each gate Glorot on x, orthogonal on h."""

    def initialize(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        units = shape[0] // gates
        inputs = shape[1] - units
        blocks = [
            np.hstack([glorot_uniform(generator, (units, inputs)), orthogonal(generator, units)]) for _ in range(gates)
        ]
        return np.vstack(blocks)

    return initialize


def constant_blocks(values: Sequence[float]) -> Initializer:
    """Return the initializer of a bias (blocks * H,): one number a block, such as 1 for an LSTM's forget gate."""

    def initialize(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.repeat(np.asarray(values, np.float64), shape[0] // len(values))

    return initialize
