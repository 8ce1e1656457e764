"""The optimizers: one rule each, with its formula. A rule has no defaults: they are in the config's section.

Symbols: p parameters, g the gradient after clipping, rate the learning rate, t the number of the update, from 1. Weight
decay adds weight_decay * p to g, except in adamw and lamb. State starts at 0.

To add one: a section in `lstm_cli.config.optimizer`, a rule here whose fields are the section's own keys, its entry in
`RECIPES`, and a kernel where none of `lstm_cli.kernels.optimizers` computes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from lstm_cli.config.optimizer import OptimizerBase
from lstm_cli.kernels import optimizers as kernels
from lstm_cli.ops.layerwise import LambUpdate, LarsUpdate
from lstm_cli.ops.optimizers import FusedUpdate, Rule
from lstm_cli.optim.moments import Moments

#: The vectors of all rules that hold means or sums of squares, which are never below 0.
SQUARES = frozenset({"s", "r", "v"})

Advanced = tuple[Sequence[float], Sequence[float]]  # the constants of a step, the scalar state after it


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """Gradient descent, as in PyTorch.

    v = momentum * v + g; p -= rate * v, with nesterov p -= rate * (g + momentum * v).
    """

    momentum: float
    nesterov: bool
    weight_decay: float
    scalars: ClassVar[tuple[str, ...]] = ()

    @property
    def vectors(self) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return ("velocity",) if self.momentum else ()

    @property
    def kernel(self) -> Callable[..., None]:
        """The pass over memory."""
        kernel: Callable[..., None] = kernels.momentum if self.momentum else kernels.sgd
        return kernel

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step."""
        of_velocity, of_gradient = (self.momentum, 1.0) if self.nesterov else (1.0, 0.0)
        return (self.weight_decay, learning_rate, self.momentum, of_velocity, of_gradient), ()


@dataclass(frozen=True, kw_only=True)
class Adagrad:
    """Adagrad (Duchi et al. 2011) as in theano-lstm, with the epsilon inside the root.

    s += g²; p -= rate * g / sqrt(s + epsilon).
    """

    epsilon: float
    weight_decay: float
    vectors: ClassVar[tuple[str, ...]] = ("s",)
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.adagrad)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step."""
        return (self.weight_decay, learning_rate, self.epsilon), ()


@dataclass(frozen=True, kw_only=True)
class Adadelta:
    """Adadelta (Zeiler 2012) as in theano-lstm and, with a learning rate, as in PyTorch.

    s = rho * s + (1 - rho) * g²; d = sqrt((r + epsilon) / (s + epsilon)) * g; r = rho * r + (1 - rho) * d²;
    p -= rate * d.
    """

    rho: float
    epsilon: float
    weight_decay: float
    vectors: ClassVar[tuple[str, ...]] = ("s", "r")
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.adadelta)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step."""
        return (self.weight_decay, learning_rate, self.epsilon, self.rho, 1 - self.rho), ()


@dataclass(frozen=True, kw_only=True)
class Rmsprop:
    """RMSprop (Tieleman and Hinton 2012), as in PyTorch.

    s = rho * s + (1 - rho) * g²; v = momentum * v + g / (sqrt(s) + epsilon); p -= rate * v.
    """

    rho: float
    momentum: float
    epsilon: float
    weight_decay: float
    vectors: ClassVar[tuple[str, ...]] = ("s", "velocity")
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.rmsprop)

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step."""
        return (self.weight_decay, learning_rate, self.epsilon, self.rho, 1 - self.rho, self.momentum), ()


@dataclass(frozen=True, kw_only=True)
class Adam(Moments):
    """Adam (Kingma and Ba 2015), as in PyTorch.

    m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g²;
    p -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
    """

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step, and its number."""
        step = scalars[0] + 1
        return self.constants(step, decay=self.weight_decay, of_m=learning_rate / (1 - self.beta1**step)), (step,)


@dataclass(frozen=True, kw_only=True)
class Adamw(Moments):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in PyTorch.

    p *= 1 - rate * weight_decay, then Adam's step.
    """

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step, and its number."""
        step = scalars[0] + 1
        shrink = 1 - learning_rate * self.weight_decay
        return self.constants(step, decay=0.0, of_m=learning_rate / (1 - self.beta1**step), shrink=shrink), (step,)


@dataclass(frozen=True, kw_only=True)
class Nadam(Moments):
    """Adam with Nesterov momentum (Dozat 2016), as in PyTorch.

    b_t = beta1 * (1 - 0.96^(0.004 t) / 2); product_t = b_1 * … * b_t; m, v and the step as in Adam, except that
    m / (1 - beta1^t) is replaced by g * (1 - b_t) / (1 - product_t) + m * b_t+1 / (1 - product_t+1).
    """

    scalars: ClassVar[tuple[str, ...]] = ("step", "product")

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step, its number, and the product of the momenta up to it."""
        step = scalars[0] + 1
        now, ahead = self._momentum(step), self._momentum(step + 1)
        product = now * (scalars[1] if scalars[0] else 1.0)
        of_gradient = learning_rate * (1 - now) / (1 - product)
        of_m = learning_rate * ahead / (1 - product * ahead)
        constants = self.constants(step, decay=self.weight_decay, of_m=of_m, of_gradient=of_gradient)
        return constants, (step, product)

    def _momentum(self, step: float) -> float:
        return self.beta1 * (1 - 0.5 * float(0.96 ** (0.004 * step)))


@dataclass(frozen=True, kw_only=True)
class Lamb(Moments):
    """LAMB (You et al. 2020, arXiv:1904.00962, algorithm 2), with the identity as its function of norms.

    m and v as in Adam; u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay * p;
    p -= rate * |p| / |u| * u, with the norms of each matrix and bias, gate by gate; the ratio is 1 where either is 0.
    """

    op: ClassVar[type[FusedUpdate]] = LambUpdate

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step, and its number."""
        step = scalars[0] + 1
        return self.constants(step, decay=0.0, of_m=learning_rate / (1 - self.beta1**step)), (step,)


@dataclass(frozen=True, kw_only=True)
class Lars:
    """LARS (You, Gitman and Ginsburg 2017, arXiv:1708.03888, algorithm 1).

    v = momentum * v + rate * trust * |p| / (|g| + weight_decay * |p|) * (g + weight_decay * p); p -= v, with the norms
    of each matrix and bias, gate by gate; the ratio is 1 where either norm is 0.
    """

    momentum: float
    trust: float
    weight_decay: float
    vectors: ClassVar[tuple[str, ...]] = ("velocity",)
    scalars: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[Callable[..., None]] = staticmethod(kernels.momentum)
    op: ClassVar[type[FusedUpdate]] = LarsUpdate

    def advance(self, learning_rate: float, scalars: Sequence[float]) -> Advanced:
        """Return the constants of the next step of a segment with a learning rate of its own, that of its gradient."""
        return (learning_rate * self.weight_decay, 1.0, self.momentum, 1.0, 0.0), ()


RECIPES: dict[str, type[Any]] = {
    "sgd": Sgd,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": Rmsprop,
    "adam": Adam,
    "adamw": Adamw,
    "nadam": Nadam,
    "lamb": Lamb,
    "lars": Lars,
}


def rule_of(spec: OptimizerBase) -> Rule:
    """Return the rule of the section `optimizer` of a config, with the section's values."""
    recipe = RECIPES[spec.name]
    rule: Rule = recipe(**{field.name: getattr(spec, field.name) for field in fields(recipe)})
    return rule
