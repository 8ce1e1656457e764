"""The sections `optimizer` and `train.schedule`: one class for each name, with its own keys."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lstm_cli.config.fields import (
    AboveZero,
    Factor,
    Flag,
    Natural,
    NotNegative,
    Positive,
    Rate,
    Section,
    Share,
    either,
    expected,
)


def _epsilon(default: float) -> Any:
    return Field(default, description="Added to a divisor so that it is never zero.")


def _learning_rate(default: float) -> Any:
    return Field(default, description="Size of a step, before the schedule.")


def _name(name: str) -> Any:
    return Field(name, description="Which one it is; decides the other keys.")


def _momentum(default: float) -> Any:
    return Field(default, description="Share of the last update that is kept.")


class OptimizerBase(Section):
    """What every optimizer has."""

    shorthand: ClassVar[str | None] = "name"

    name: str
    learning_rate: AboveZero = _learning_rate(0.001)
    weight_decay: NotNegative = Field(0.0, description="Pull of the weights towards zero.")
    clip_norm: AboveZero | None = Field(5.0, description="Largest norm of all gradients together; null: any.")
    clip_norm_each: AboveZero | None = Field(
        None, description="Largest norm of the gradient of each parameter, as theano-lstm; null: any."
    )
    clip_value: AboveZero | None = Field(None, description="Largest absolute value in a gradient; null: any.")


class Sgd(OptimizerBase):
    """Stochastic gradient descent."""

    name: Literal["sgd"] = _name("sgd")
    learning_rate: AboveZero = _learning_rate(0.1)
    momentum: Rate = _momentum(0.0)
    nesterov: Flag = Field(False, description="Whether momentum looks ahead (Nesterov).")


class Adagrad(OptimizerBase):
    """Adagrad (Duchi et al. 2011)."""

    name: Literal["adagrad"] = _name("adagrad")
    learning_rate: AboveZero = _learning_rate(0.01)
    epsilon: AboveZero = _epsilon(1e-6)


class Adadelta(OptimizerBase):
    """Adadelta (Zeiler 2012)."""

    name: Literal["adadelta"] = _name("adadelta")
    learning_rate: AboveZero = _learning_rate(1.0)
    rho: Rate = Field(0.95, description="Decay of the averages of squares.")
    epsilon: AboveZero = _epsilon(1e-6)


class Rmsprop(OptimizerBase):
    """RMSprop (Tieleman and Hinton 2012)."""

    name: Literal["rmsprop"] = _name("rmsprop")
    rho: Rate = Field(0.9, description="Decay of the average of squares.")
    momentum: Rate = _momentum(0.0)
    epsilon: AboveZero = _epsilon(1e-8)


class Adam(OptimizerBase):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"] = _name("adam")
    beta1: Rate = Field(0.9, description="Decay of the average of gradients.")
    beta2: Rate = Field(0.999, description="Decay of the average of squares.")
    epsilon: AboveZero = _epsilon(1e-8)


class Adamw(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = _name("adamw")
    weight_decay: NotNegative = Field(0.01, description="Pull of the weights towards zero, apart from the gradient.")


class Nadam(Adam):
    """Adam with Nesterov momentum (Dozat 2016)."""

    name: Literal["nadam"] = _name("nadam")


def _named(default: str) -> Any:
    """Return a step that lets a bare name, or no name at all, stand for the mapping."""

    def lengthen(value: Any) -> Any:
        value = Sgd.long_form(value)
        return {"name": default, **value} if isinstance(value, dict) else value

    return lengthen


_ByName = Annotated[Adadelta | Adagrad | Adam | Adamw | Nadam | Rmsprop | Sgd, Field(discriminator="name")]
Optimizer = Annotated[_ByName, either(_named("adadelta"), accepts=str | _ByName)]


Warmup = Annotated[Literal["auto"] | Natural, expected("auto, or a whole number of 0 or more")]


def _warmup(default: int | Literal["auto"]) -> Any:
    return Field(
        default,
        description="Updates in which the learning rate rises from zero; auto: a twentieth of all, at most 200.",
    )


def _final(default: float) -> Any:
    return Field(default, description="Share of the learning rate that is left at the end.")


class ScheduleBase(Section):
    """What every schedule has."""

    shorthand: ClassVar[str | None] = "name"

    name: str
    warmup: Warmup = _warmup(0)


class Constant(ScheduleBase):
    """The learning rate stays."""

    name: Literal["constant"] = _name("constant")


class Cosine(ScheduleBase):
    """The learning rate falls along half a cosine until the last epoch."""

    name: Literal["cosine"] = _name("cosine")
    warmup: Warmup = _warmup("auto")
    final: Share = _final(0.0)


class Linear(ScheduleBase):
    """The learning rate falls along a line until the last epoch."""

    name: Literal["linear"] = _name("linear")
    warmup: Warmup = _warmup("auto")
    final: Share = _final(0.0)


class Exponential(ScheduleBase):
    """The learning rate is multiplied by `decay` over every `steps` steps, smoothly."""

    name: Literal["exponential"] = _name("exponential")
    decay: Factor = Field(0.9, description="Factor over `steps` steps.")
    steps: Positive = Field(1000, description="Steps over which the factor is `decay`.")


class Plateau(ScheduleBase):
    """The learning rate is multiplied by `factor` when `train.monitor` has stopped improving."""

    name: Literal["plateau"] = _name("plateau")
    factor: Factor = Field(0.5, description="Factor of each cut.")
    patience: Natural = Field(3, description="Evaluations without improvement before a cut.")
    final: Share = Field(0.01, description="Share of the learning rate below which no cut goes.")


_ByShape = Annotated[Constant | Cosine | Linear | Exponential | Plateau, Field(discriminator="name")]
Schedule = Annotated[_ByShape, either(_named("cosine"), accepts=str | _ByShape)]
