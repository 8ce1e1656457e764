"""The section `rollout`: a closed loop, in which the outputs of the network determine its next inputs."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from lstm_cli.config.fields import (
    LARGEST,
    Natural,
    NotNegative,
    Positive,
    ResumeRule,
    Section,
    Share,
    either,
    expected,
    refuse,
    several,
)


class TeacherForcing(Section):
    """Scheduled sampling (Bengio et al. 2015): how often the observed value is fed back instead of the prediction.

    The probability at update k, where K is `steps`: constant: start; linear: from start to end over K updates, then
    end; exponential: end + (start - end) exp(-k / K).
    """

    shorthand: ClassVar[str | None] = "start"

    name: Literal["linear", "exponential", "constant"] = Field(
        default="linear", description="How the probability changes over the updates."
    )
    start: Share = Field(default=1.0, description="Probability at the first update.")
    end: Share = Field(default=0.0, description="Probability at the end.")
    steps: Positive = Field(default=1000, description="Updates K over which the probability changes.")


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise refuse("an element is listed twice")
    return values


def _not_all_zero(values: tuple[float, ...]) -> tuple[float, ...]:
    if not any(values):
        raise refuse("all weights are 0, so nothing would be learned")
    return values


_DISTINCT = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True}
_OneOrMore = Natural | Annotated[list[Natural], WithJsonSchema(_DISTINCT)]
Elements = Annotated[tuple[Natural, ...], several(accepts=_OneOrMore), AfterValidator(_distinct)]
Weights = Annotated[tuple[NotNegative, ...], Field(min_length=1), AfterValidator(_not_all_zero)]
LossAt = Annotated[
    Literal["every", "last"] | Weights,
    expected("every, last, or a list of weights, one for each step of the closed loop and not all 0"),
]
Forcing = Annotated[TeacherForcing | None, either(lambda value: value, accepts=Share | TeacherForcing | None)]


def _same_function(old: Any, new: Any) -> bool:
    """Return whether two values FILE.py:FUNCTION name the same function; the file may be moved."""
    both = isinstance(old, str) and isinstance(new, str)
    return both and old.rpartition(":")[2] == new.rpartition(":")[2]


Dynamics = Annotated[
    Annotated[str, Field(strict=True, pattern=r"^[^\x00]+\.py:[A-Za-z_][A-Za-z0-9_]*$")] | None,
    expected("FILE.py:FUNCTION"),
    ResumeRule("to a file with the same content", _same_function),
]


class RolloutSpec(Section):
    """A closed loop: around a system with `dynamics`, otherwise on the network's own predictions (target `next`)."""

    dynamics: Dynamics = Field(
        default=None,
        description="The system: a function (state (B, D), output (B, O)) -> next state, given as FILE.py:FUNCTION; "
        "null: the network reads its own predictions.",
    )
    steps: Positive | None = Field(
        default=None,
        description="Number of steps of the closed loop; null, without `dynamics` only: to the end of a sequence.",
    )
    loss_on: Elements | None = Field(
        default=None,
        description="With `dynamics`: the elements of the state that are compared with the target; null: all.",
    )
    loss_at: LossAt = Field(
        default="every",
        description="Which steps of the closed loop count: `every`, `last`, or a list of one weight per step.",
    )
    warmup: Positive | None = Field(
        default=None,
        description="Observed steps before the loop closes; null: with `dynamics` all that the data has, otherwise 1.",
    )
    teacher_forcing: Forcing = Field(
        default=None,
        description="Without `dynamics`: how often training feeds the observed value instead; null: never.",
    )

    @property
    def window(self) -> int | None:
        """Length in steps of a training window without `dynamics`: its last output is the last prediction."""
        if self.dynamics or self.steps is None:
            return None
        return _window(self.warmup or 1, self.steps)


def with_defaults(config: dict[str, Any]) -> dict[str, Any]:
    """Return a raw config with the defaults of a closed loop: `data.scale` none, and `data.window` from its steps.

    Around a system the data does not contain the future states, so no scaling can be fitted to them.
    """
    rollout, data = config.get("rollout"), config.get("data")
    if not isinstance(rollout, dict) or not isinstance(data, dict):
        return config
    if rollout.get("dynamics") is not None:
        return {**config, "data": {"scale": "none", **data}}
    steps, warmup = rollout.get("steps"), rollout.get("warmup") or 1
    if type(steps) is int and type(warmup) is int and steps > 0 and data.get("window") is None:
        return {**config, "data": {**data, "window": _window(warmup, steps)}}
    return config


def _window(warmup: int, steps: int) -> int:
    """Return the length of a window. Beyond the limit each key has its own message, or no sequence is that long."""
    return min(warmup + steps - 1, LARGEST)
