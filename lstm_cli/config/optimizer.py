"""The sections `optimizer` and `train.schedule`: one class for each name, with its own keys."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lstm_cli.config.fields import (
    AboveZero,
    Column,
    Factor,
    Flag,
    MayChange,
    Natural,
    NotNegative,
    Positive,
    Rate,
    ResumeRule,
    Section,
    Share,
    either,
    expected,
)


def _epsilon(default: float) -> Any:
    return Field(default=default, description="Added to the divisor so that it is never zero.")


def _learning_rate(default: float) -> Any:
    return Field(default=default, description="Learning rate, before the schedule is applied.")


def _clip_norm(default: float) -> Any:
    return Field(default=default, description="Maximum norm of all gradients together; null: no limit.")


def _name(name: str) -> Any:
    return Field(default=name, description="Its name, which determines the other keys.")


def _momentum(default: float) -> Any:
    return Field(default=default, description="Fraction of the previous update that is added to the next.")


def _has_same_state(old: float | None, new: float | None) -> bool:
    """Return whether both values, or neither, give the optimizer an array for momentum in its state."""
    return bool(old) == bool(new)


SgdMomentum = Annotated[Rate, ResumeRule("except to or from 0", _has_same_state)]


class OptimizerBase(Section):
    """The keys of every optimizer."""

    shorthand: ClassVar[str | None] = "name"

    name: str
    learning_rate: MayChange[AboveZero] = _learning_rate(0.001)
    weight_decay: MayChange[NotNegative] = Field(
        default=0.0, description="Weight decay, added to the gradient (L2 penalty)."
    )
    clip_norm: MayChange[AboveZero | None] = _clip_norm(5.0)
    clip_norm_each: MayChange[AboveZero | None] = Field(
        default=None, description="Maximum norm of the gradient of each parameter, as in theano-lstm; null: no limit."
    )
    clip_value: MayChange[AboveZero | None] = Field(
        default=None, description="Maximum absolute value of every element of a gradient; null: no limit."
    )
    rates: dict[Column, AboveZero] = Field(
        default={},
        description="Factors of the learning rate by group of weights, such as `{embedding: 0.1, layers.0: 0.01}`; the "
        "longest name that fits counts.",
    )


class Sgd(OptimizerBase):
    """Stochastic gradient descent."""

    name: Literal["sgd"] = _name("sgd")
    learning_rate: MayChange[AboveZero] = _learning_rate(0.1)
    momentum: SgdMomentum = _momentum(0.0)
    nesterov: MayChange[Flag] = Field(default=False, description="Whether to use Nesterov momentum.")


class Adagrad(OptimizerBase):
    """Adagrad (Duchi et al. 2011)."""

    name: Literal["adagrad"] = _name("adagrad")
    learning_rate: MayChange[AboveZero] = _learning_rate(0.01)
    epsilon: MayChange[AboveZero] = _epsilon(1e-6)


class Adadelta(OptimizerBase):
    """Adadelta (Zeiler 2012)."""

    name: Literal["adadelta"] = _name("adadelta")
    learning_rate: MayChange[AboveZero] = _learning_rate(1.0)
    rho: MayChange[Rate] = Field(default=0.95, description="Decay rate of the running averages of squares.")
    epsilon: MayChange[AboveZero] = _epsilon(1e-6)


class Rmsprop(OptimizerBase):
    """RMSprop (Tieleman and Hinton 2012)."""

    name: Literal["rmsprop"] = _name("rmsprop")
    rho: MayChange[Rate] = Field(default=0.9, description="Decay rate of the running average of squared gradients.")
    momentum: MayChange[Rate] = _momentum(0.0)
    epsilon: MayChange[AboveZero] = _epsilon(1e-8)


class AdamBase(OptimizerBase):
    """The keys of Adam and its variants."""

    learning_rate: MayChange[AboveZero] = _learning_rate(0.005)
    clip_norm: MayChange[AboveZero | None] = _clip_norm(1.0)
    beta1: MayChange[Rate] = Field(default=0.9, description="Decay rate of the running average of gradients.")
    beta2: MayChange[Rate] = Field(default=0.999, description="Decay rate of the running average of squared gradients.")
    epsilon: MayChange[AboveZero] = _epsilon(1e-8)


class Adam(AdamBase):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"] = _name("adam")


class Adamw(AdamBase):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = _name("adamw")
    weight_decay: MayChange[NotNegative] = Field(
        default=0.01, description="Weight decay, applied to the weights directly and not through the gradient."
    )


class Nadam(AdamBase):
    """Adam with Nesterov momentum (Dozat 2016)."""

    name: Literal["nadam"] = _name("nadam")


class Lamb(AdamBase):
    """LAMB for large batches (You et al. 2020)."""

    name: Literal["lamb"] = _name("lamb")
    learning_rate: MayChange[AboveZero] = _learning_rate(0.05)
    weight_decay: MayChange[NotNegative] = Field(
        default=0.01, description="Weight decay, applied to the weights directly and not through the gradient."
    )


class Lars(OptimizerBase):
    """LARS for large batches (You et al. 2017)."""

    name: Literal["lars"] = _name("lars")
    learning_rate: MayChange[AboveZero] = _learning_rate(20.0)
    momentum: MayChange[Rate] = _momentum(0.9)
    trust: MayChange[AboveZero] = Field(
        default=0.001, description="Size of a step as a share of the norm of a parameter, times the learning rate."
    )


def _with_name(default: str) -> Any:
    """Return a function that expands a bare name, or a mapping without one, to a mapping with a name."""

    def expand(value: Any) -> Any:
        value = Sgd.long_form(value)
        return {"name": default, **value} if isinstance(value, dict) else value

    return expand


_OptimizerByName = Annotated[
    Adadelta | Adagrad | Adam | Adamw | Lamb | Lars | Nadam | Rmsprop | Sgd, Field(discriminator="name")
]
Optimizer = Annotated[_OptimizerByName, either(_with_name("adam"), accepts=str | _OptimizerByName)]


Warmup = Annotated[Literal["auto"] | Natural, expected("auto, or a whole number of 0 or more")]


def _warmup(default: int | Literal["auto"]) -> Any:
    return Field(
        default=default,
        description="Updates over which the learning rate rises from zero; `auto`: 5 % of all updates, at most 200.",
    )


def _final(default: float) -> Any:
    return Field(default=default, description="Share of the learning rate that remains at the end.")


class ScheduleBase(Section):
    """The keys of every schedule."""

    shorthand: ClassVar[str | None] = "name"

    name: MayChange[str]
    warmup: MayChange[Warmup] = _warmup(0)


class Constant(ScheduleBase):
    """The learning rate stays constant."""

    name: MayChange[Literal["constant"]] = _name("constant")


class Cosine(ScheduleBase):
    """The learning rate falls along half a cosine until the last epoch."""

    name: MayChange[Literal["cosine"]] = _name("cosine")
    warmup: MayChange[Warmup] = _warmup("auto")
    final: MayChange[Share] = _final(0.0)


class Linear(ScheduleBase):
    """The learning rate falls along a line until the last epoch."""

    name: MayChange[Literal["linear"]] = _name("linear")
    warmup: MayChange[Warmup] = _warmup("auto")
    final: MayChange[Share] = _final(0.0)


class Exponential(ScheduleBase):
    """The learning rate decays smoothly, by the factor `decay` over every `steps` updates."""

    name: MayChange[Literal["exponential"]] = _name("exponential")
    decay: MayChange[Factor] = Field(default=0.9, description="Factor over `steps` updates.")
    steps: MayChange[Positive] = Field(default=1000, description="Updates over which the factor is `decay`.")


class Plateau(ScheduleBase):
    """The learning rate is multiplied by `factor` when `train.monitor` has stopped improving."""

    name: MayChange[Literal["plateau"]] = _name("plateau")
    factor: MayChange[Factor] = Field(default=0.5, description="Factor of each reduction.")
    patience: MayChange[Natural] = Field(default=3, description="Evaluations without improvement before a reduction.")
    final: MayChange[Share] = Field(
        default=0.01, description="Lower limit of the learning rate, as a share of its initial value."
    )


_ScheduleByName = Annotated[Constant | Cosine | Linear | Exponential | Plateau, Field(discriminator="name")]
Schedule = Annotated[_ScheduleByName, either(_with_name("cosine"), accepts=str | _ScheduleByName)]
