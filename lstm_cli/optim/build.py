"""The section `optimizer` of a config made into an optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.config.optimizer import OptimizerBase
from lstm_cli.optim import clipping
from lstm_cli.optim.recipes import rule_of
from lstm_cli.optim.updates import Updates, updates


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of a vector of parameters, as two functions, so that the norm can be checked between them.

    Attributes
    ----------
    gradient_norm : scalar
        Of the gradient before clipping; not finite where any number of the gradient is not.
    measurement : dict
        Updates of the function that computes `gradient_norm`: they store the factors that clip.
    updates : dict
        Updates of the function that takes the step, after the measurement.
    state : dict of str to shared variable
        What a checkpoint stores beside the parameters.
    """

    gradient_norm: Variable
    measurement: Updates
    updates: Updates
    state: dict[str, Any]


def build(
    spec: OptimizerBase, flat: Any, gradient: Variable, learning_rate: Variable, segments: Sequence[clipping.Segment]
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
    )
    state = {variable.name: variable for variable in step if variable is not flat}
    return Optimizer(norm, {scales: new_scales}, step, state)
