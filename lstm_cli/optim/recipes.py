"""The optimizers: each a rule with its formula, made into the updates of shared variables.

Symbols: p parameters, g the gradient after clipping, rate the learning rate, t the number of the step from 1. Weight
decay adds weight_decay * p to g, except in adamw. State starts at 0.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.kernels import optimizers as kernels
from lstm_cli.ops.optimizers import Bounds, FusedUpdate, Rule

Updates = dict[Any, Variable]


def updates(
    rule: Rule,
    flat: Any,
    gradient: Variable,
    learning_rate: Variable,
    *,
    scales: Variable | None = None,
    bounds: Bounds | None = None,
    clip_value: float | None = None,
) -> Updates:
    """Return what one step makes of the parameters and of the optimizer's state.

    Parameters
    ----------
    rule : Rule
        One of this module.
    flat : shared vector (P,)
        The parameters.
    gradient : (P,)
    learning_rate : scalar
    scales : (S,), optional
        Multiplies the gradient of each segment of the vector.
    bounds : tuple of int, optional
        Where the segments start, and P.
    clip_value : float, optional
        Clips every number of the gradient, before it is scaled.

    Returns
    -------
    updates : dict
        From each shared variable, `flat` first, to its next value; the state's variables are named as in `rule`.
    """
    held = flat.get_value(borrow=True)
    bounds = (0, held.size) if bounds is None else bounds
    scales = np.ones(len(bounds) - 1, held.dtype) if scales is None else scales
    state = [pytensor.shared(np.zeros_like(held), name=name) for name in rule.vectors]
    state += [pytensor.shared(np.asarray(0.0), name=name) for name in rule.scalars]
    new = FusedUpdate(rule, bounds, clip_value)(flat, gradient, scales, learning_rate, *state, return_list=True)
    return dict(zip((flat, *state), new, strict=True))


@dataclass(frozen=True)
class Sgd:
    """Gradient descent, as in PyTorch.

    v = momentum * v + g; p -= rate * v, with nesterov p -= rate * (g + momentum * v).
    """

    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    scalars: ClassVar[tuple[str, ...]] = ()

    @property
    def vectors(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("velocity",) if self.momentum else ()

    @property
    def kernel(self) -> Callable[..., None]:
        """The pass over memory."""
        return kernels.momentum if self.momentum else kernels.sgd

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step."""
        shares = (self.momentum, 1.0) if self.nesterov else (1.0, 0.0)
        return (self.weight_decay, learning_rate, self.momentum, *shares), ()


@dataclass(frozen=True)
class Adagrad:
    """Adagrad (Duchi et al. 2011) as in theano-lstm: the epsilon stands inside the root.

    s += g²; p -= rate * g / sqrt(s + epsilon).
    """

    epsilon: float = 1e-6
    weight_decay: float = 0.0
    vectors: ClassVar[tuple[str, ...]] = ("s",)
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.adagrad)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step."""
        return (self.weight_decay, learning_rate, self.epsilon), ()


@dataclass(frozen=True)
class Adadelta:
    """Adadelta (Zeiler 2012) as in theano-lstm and, with a learning rate, as in PyTorch.

    s = rho * s + (1 - rho) * g²; d = sqrt((r + epsilon) / (s + epsilon)) * g; r = rho * r + (1 - rho) * d²;
    p -= rate * d.
    """

    rho: float = 0.95
    epsilon: float = 1e-6
    weight_decay: float = 0.0
    vectors: ClassVar[tuple[str, ...]] = ("s", "r")
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.adadelta)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step."""
        return (self.weight_decay, learning_rate, self.epsilon, self.rho, 1 - self.rho), ()


@dataclass(frozen=True)
class Rmsprop:
    """RMSprop (Tieleman and Hinton 2012), as in PyTorch.

    s = rho * s + (1 - rho) * g²; v = momentum * v + g / (sqrt(s) + epsilon); p -= rate * v.
    """

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    vectors: ClassVar[tuple[str, ...]] = ("s", "velocity")
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.rmsprop)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step."""
        return (self.weight_decay, learning_rate, self.epsilon, self.rho, 1 - self.rho, self.momentum), ()


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015), as in PyTorch.

    m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g²;
    p -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    vectors: ClassVar[tuple[str, ...]] = ("m", "v")
    scalars: ClassVar[tuple[str, ...]] = ("step",)
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.adam)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step, and its number."""
        step = scalars[0] + 1
        return self._constants(step, of_m=learning_rate / (1 - self.beta1**step)), (step,)

    def _constants(
        self, step: float, *, of_m: float, of_gradient: float = 0.0, shrink: float = 1.0, decay: float | None = None
    ) -> Sequence[float]:
        decay = self.weight_decay if decay is None else decay
        rests = (self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2)
        return decay, self.epsilon, *rests, shrink, of_gradient, of_m, 1 / math.sqrt(1 - self.beta2**step)


@dataclass(frozen=True)
class Adamw(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in PyTorch.

    p *= 1 - rate * weight_decay, then Adam's step.
    """

    weight_decay: float = 0.01

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step, and its number."""
        step = scalars[0] + 1
        shrink = 1 - learning_rate * self.weight_decay
        return self._constants(step, of_m=learning_rate / (1 - self.beta1**step), shrink=shrink, decay=0.0), (step,)


@dataclass(frozen=True)
class Nadam(Adam):
    """Adam with Nesterov momentum (Dozat 2016), as in PyTorch.

    b_t = beta1 * (1 - 0.96^(0.004 t) / 2); product_t = b_1 * … * b_t; m, v and the step as in Adam, but for
    m / (1 - beta1^t) it takes g * (1 - b_t) / (1 - product_t) + m * b_t+1 / (1 - product_t+1).
    """

    scalars: ClassVar[tuple[str, ...]] = ("step", "product")

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Return the constants of the next step, its number, and the product of the momenta so far."""
        step = scalars[0] + 1
        now, ahead = self._momentum(step), self._momentum(step + 1)
        product = now * (scalars[1] if scalars[0] else 1.0)
        of_gradient = learning_rate * (1 - now) / (1 - product)
        of_m = learning_rate * ahead / (1 - product * ahead)
        return self._constants(step, of_m=of_m, of_gradient=of_gradient), (step, product)

    def _momentum(self, step: float) -> float:
        return self.beta1 * (1 - 0.5 * 0.96 ** (0.004 * step))


RECIPES: dict[str, type] = {
    "sgd": Sgd,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": Rmsprop,
    "adam": Adam,
    "adamw": Adamw,
    "nadam": Nadam,
}
