"""The section `optimizer` of a config made into an optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.config.optimizer import Optimizer as OptimizerSpec
from lstm_cli.optim import clipping
from lstm_cli.optim.recipes import RECIPES, Updates, updates


@dataclass(frozen=True)
class Optimizer:
    """An optimizer over a vector of parameters, in two functions, so that a look at the norm fits in between.

    Attributes
    ----------
    gradient_norm : scalar
        Of the gradient before clipping; not finite where any of it is not.
    measurement : dict
        Updates of the function that computes `gradient_norm`: it also finds the factors that clip.
    updates : dict
        Updates of the function that takes the step, once the measurement is made.
    state : dict of str to shared variable
        What a checkpoint keeps beside the parameters.
    """

    gradient_norm: Variable
    measurement: Updates
    updates: Updates
    state: dict[str, Any]


def build(
    spec: OptimizerSpec, flat: Any, gradient: Variable, learning_rate: Variable, segments: Sequence[clipping.Segment]
) -> Optimizer:
    """Return the optimizer of a config.

    Parameters
    ----------
    spec : OptimizerSpec
        `name`, the keys of that recipe, `clip_norm`, `clip_norm_each`, `clip_value`.
    flat : shared vector (P,)
        The parameters.
    gradient : (P,)
    learning_rate : scalar
    segments : sequence of (name, start, stop)
        Every matrix and bias in the vector, in order.
    """
    recipe = RECIPES[spec.name]
    rule = recipe(**{field.name: getattr(spec, field.name) for field in fields(recipe)})
    clips = {"clip_norm": spec.clip_norm, "clip_norm_each": spec.clip_norm_each, "clip_value": spec.clip_value}
    norm, new_scales = clipping.measure(gradient, segments, **clips)
    scales = pytensor.shared(np.ones(len(segments), flat.dtype), name="scales")
    step = updates(
        rule,
        flat,
        gradient,
        learning_rate,
        scales=scales,
        bounds=clipping.bounds(segments),
        clip_value=spec.clip_value,
    )
    state = {variable.name: variable for variable in step if variable is not flat}
    return Optimizer(norm, {scales: new_scales}, step, state)
