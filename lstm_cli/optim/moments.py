"""What Adam and its variants share: ``p -= rate * m / (sqrt(v) + epsilon)``.

m and v are running means of g and of g², each corrected for its start at 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from lstm_cli.kernels import optimizers as kernels


class Constants(NamedTuple):
    """The constants of one step, in the order of `lstm_cli.kernels.optimizers.adam`.

    ::

        g += decay * p
        m  = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g²
        p  = shrink * p - (of_gradient * g + of_m * m) / (of_root * sqrt(v) + epsilon)
    """

    decay: float
    epsilon: float
    beta1: float
    one_minus_beta1: float
    beta2: float
    one_minus_beta2: float
    shrink: float
    of_gradient: float
    of_m: float
    of_root: float


@dataclass(frozen=True, kw_only=True)
class Moments:
    """The state, kernel and constants that the recipes of Adam's kind share.

    Parameters
    ----------
    beta1, beta2 : float
        Decay of the running means of g and of g².
    epsilon : float
    weight_decay : float
    """

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    vectors: ClassVar[tuple[str, ...]] = ("m", "v")
    scalars: ClassVar[tuple[str, ...]] = ("step",)
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.adam)

    def constants(
        self, step: float, *, decay: float, of_m: float, of_gradient: float = 0.0, shrink: float = 1.0
    ) -> Constants:
        """Return the constants of step number `step`, from 1; the factors are those of `Constants`."""
        return Constants(
            decay=decay,
            epsilon=self.epsilon,
            beta1=self.beta1,
            one_minus_beta1=1 - self.beta1,
            beta2=self.beta2,
            one_minus_beta2=1 - self.beta2,
            shrink=shrink,
            of_gradient=of_gradient,
            of_m=of_m,
            of_root=1 / math.sqrt(1 - self.beta2**step),
        )
