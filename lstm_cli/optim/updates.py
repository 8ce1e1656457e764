"""The mechanism of every optimizer: turns a rule into updates of shared variables, which one Op computes."""

from typing import Any

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

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
    factors: tuple[float, ...] = (),
) -> Updates:
    """Return the updates of one step: of the parameters and of the optimizer's state.

    Parameters
    ----------
    rule : Rule
        One of `lstm_cli.optim.recipes`.
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
    factors : tuple of float, optional
        Of the learning rate, of each segment; 0: it stays as it is.

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
    op: type[FusedUpdate] = getattr(rule, "op", FusedUpdate)
    new = op(rule, bounds, clip_value, factors)(flat, gradient, scales, learning_rate, *state, return_list=True)
    return dict(zip((flat, *state), new, strict=True))
