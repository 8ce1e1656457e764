"""Updates whose size follows from the norm of each parameter, for large batches.

Legend: P numbers, S segments, each one matrix or bias.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_cli.kernels import optimizers as kernels
from lstm_cli.ops.optimizers import FusedUpdate, norms


class LambUpdate(FusedUpdate):
    """The update of LAMB: that of Adam, u, with each segment scaled to the norm of its parameters.

    ``p -= rate * |p| / |u| * u``. The rule's kernel computes -u without its weight decay, on zeros in place of p.
    """

    def step(
        self,
        changed: Sequence[np.ndarray],
        gradient: np.ndarray,
        scales: np.ndarray,
        pieces: np.ndarray,
        learning_rate: float,
        before: Sequence[float],
    ) -> Sequence[float]:
        """Change parameters and vectors of state in place, in some pieces; return the scalars after it."""
        rule: Any = self.rule
        flat, *moments = changed
        constants, scalars = self.rule.advance(1.0, before)
        back, size = np.zeros_like(flat), len(scales)
        self.run(rule.kernel, [back, *moments], gradient, scales, pieces, constants, limit=self.value)
        back -= flat.dtype.type(rule.weight_decay) * flat
        ratios = trust(norms(flat, pieces, size), norms(back, pieces, size)).astype(flat.dtype)
        self.run(kernels.sgd, [flat], back, ratios, pieces, (0.0, -learning_rate), limit=None)
        return scalars


class LarsUpdate(FusedUpdate):
    """The update of LARS: momentum, with the learning rate of each segment in proportion to its norm.

    ``rate_l = rate * trust * |p| / (|g| + weight_decay * |p|)``.
    """

    def step(
        self,
        changed: Sequence[np.ndarray],
        gradient: np.ndarray,
        scales: np.ndarray,
        pieces: np.ndarray,
        learning_rate: float,
        before: Sequence[float],
    ) -> Sequence[float]:
        """Change parameters and vectors of state in place, in some pieces; return the scalars after it."""
        rule: Any = self.rule
        size = len(scales)
        weights, slope = norms(changed[0], pieces, size), norms(gradient, pieces, size, self.value) * scales
        rates = learning_rate * trust(rule.trust * weights, slope + rule.weight_decay * weights)
        own = scales * rates.astype(scales.dtype)
        for segment in np.unique(pieces[:, 2]):
            constants, _ = rule.advance(float(rates[int(segment)]), before)
            mine = np.ascontiguousarray(pieces[pieces[:, 2] == segment])
            self.run(rule.kernel, changed, gradient, own, mine, constants, limit=self.value)
        return ()


def trust(weights: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the trust ratios of norms (S,): 1 where one of the two is zero, as that of a bias is at first."""
    found = np.ones_like(weights)
    np.divide(weights, steps, out=found, where=(weights > 0) & (steps > 0))
    return found
