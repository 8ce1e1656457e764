"""Builds an optimizer from the section `optimizer` of a config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.config.optimizer import OptimizerBase
from lstm_cli.ops.averaging import RunningAverage
from lstm_cli.optim import clipping
from lstm_cli.optim.recipes import SQUARES, rule_of
from lstm_cli.optim.updates import Updates, updates
from lstm_cli.typed_json import WrongValue

#: Names in the state: the average of the weights, and of how many updates it is.
AVERAGE, AVERAGED = "average", "averaged"


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of a vector of parameters, as two functions, so that the norm can be checked between them.

    Attributes
    ----------
    gradient_norm : scalar
        Of the gradient before clipping; not finite if any element of the gradient is not.
    measurement : dict
        Updates of the function that computes `gradient_norm`: they store the clipping factors.
    updates : dict
        Updates of the function that takes the step, after the measurement.
    state : dict of str to shared variable
        Stored in a checkpoint besides the parameters.
    """

    gradient_norm: Variable
    measurement: Updates
    updates: Updates
    state: dict[str, Any]


def build(
    spec: OptimizerBase,
    flat: Any,
    gradient: Variable,
    learning_rate: Variable,
    segments: Sequence[clipping.Segment],
    *,
    factors: tuple[float, ...] = (),
    average: float | None = None,
) -> Optimizer:
    """Return the optimizer of a config.

    Parameters
    ----------
    spec : OptimizerBase
        The section `optimizer` of the config.
    flat : shared vector (P,)
        The parameters.
    gradient : (P,)
    learning_rate : scalar
    segments : sequence of (name, start, stop)
        Every matrix and bias in the vector, in order.
    factors : tuple of float, optional
        Of the learning rate, of each segment.
    average : float, optional
        Decay of a running average of the parameters, which is then part of the state: `AVERAGE` and `AVERAGED`.
    """
    norm, new_scales = clipping.measure(
        gradient,
        segments,
        clip_norm=spec.clip_norm,
        clip_norm_each=spec.clip_norm_each,
        clip_value=spec.clip_value,
    )
    scales = pytensor.shared(np.ones(len(segments), flat.dtype), name="scales")
    step = updates(
        rule_of(spec),
        flat,
        gradient,
        learning_rate,
        scales=scales,
        bounds=clipping.bounds(segments),
        clip_value=spec.clip_value,
        factors=factors,
    )
    if average is not None:
        mean, count = pytensor.shared(flat.get_value(), name=AVERAGE), pytensor.shared(np.asarray(0.0), name=AVERAGED)
        step |= zip((mean, count), RunningAverage(average)(mean, count, step[flat], return_list=True), strict=True)
    state = {variable.name: variable for variable in step if variable is not flat}
    return Optimizer(norm, {scales: new_scales}, step, state)


def check_optimizer(arrays: Mapping[str, np.ndarray], step: int) -> None:
    """Raise a `WrongValue` if the state of an optimizer, all finite, is not one that it can have after `step` updates.

    `arrays` have the names and shapes of the optimizer's state.
    """
    for name, array in arrays.items():
        key = f"optimizer.{name}"
        if name in SQUARES and (array < 0).any():
            raise WrongValue("a mean of squares below 0", key)
        if name in ("step", AVERAGED) and not (0 <= array <= step and float(array).is_integer()):
            raise WrongValue(f"expected 0 to {step}, got {float(array):g}", key)
        if name == "product" and not 0 <= array <= 1:
            raise WrongValue(f"expected 0 to 1, got {float(array):g}", key)
