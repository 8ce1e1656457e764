"""The updates of theano-lstm: AdaDelta, AdaGrad and plain descent, on variables of a graph."""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Literal

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

Updates = MutableMapping[Variable, Variable]
Caches = list[SharedVariable | None]

METHODS = ("adadelta", "adagrad", "sgd")


def create_optimization_updates(
    cost: Variable | None,
    params: Sequence[SharedVariable],
    updates: Mapping[Variable, Variable] | Iterable[tuple[Variable, Variable]] | None = None,
    max_norm: float | bool | None = 5.0,
    lr: float = 0.01,
    eps: float = 1e-6,
    rho: float = 0.95,
    method: Literal["adadelta", "adagrad", "sgd"] = "adadelta",
    gradients: Sequence[Variable] | None = None,
) -> tuple[Updates, Caches, Caches, SharedVariable, SharedVariable | float | bool | None]:
    """Return the updates of one step of descent.

    ::

        every      n = |g|, for each parameter; g is multiplied by min(max_norm, n) / (n + eps)
        sgd        p -= lr g
        adagrad    s += g²;                     p -= lr g / sqrt(s + eps)
        adadelta   s = rho s + (1 - rho) g²;    d = -sqrt((r + eps) / (s + eps)) g
                   r = rho r + (1 - rho) d²;    p += d

    Parameters
    ----------
    cost : scalar
        May be None where `gradients` are given.
    params : sequence of shared variables
    updates : optional
        Updates to add to, as `scan` returns them. A mutable mapping is extended in place and returned.
    max_norm : float, or None or False for no scaling
    lr, eps, rho : float
    method : {"adadelta", "adagrad", "sgd"}
        In upper case too.
    gradients : sequence of variables, optional
        Used in place of those of the cost.

    Returns
    -------
    updates : mutable mapping
    gsums : list of shared variables
        s of each parameter; None for sgd.
    xsums : list of shared variables
        r of each parameter; None but for adadelta.
    lr : shared variable
        The learning rate, for adadelta rho; it can be changed between calls.
    max_norm : shared variable, or None or False as given

    References
    ----------
    Duchi et al., Adaptive subgradient methods, 2011. Zeiler, ADADELTA, 2012.
    """
    name = method.lower()
    if name not in METHODS:
        raise ValueError(f"method: got {name!r}, expected one of {', '.join(METHODS)}")
    rate = _shared(rho if name == "adadelta" else lr)
    bound = max_norm if max_norm is None or max_norm is False else _shared(max_norm)
    gsums = [_cache(param) if name != "sgd" else None for param in params]
    xsums = [_cache(param) if name == "adadelta" else None for param in params]
    gradients = pytensor.grad(cost, list(params)) if gradients is None else gradients
    updates = updates if isinstance(updates, MutableMapping) else dict(updates or {})
    for param, gradient, gsum, xsum in zip(params, gradients, gsums, xsums, strict=True):
        g = gradient if bound is None or bound is False else _scaled(gradient, bound, eps)
        following = _update(param, g, gsum, xsum, rate, eps)
        updates.update({variable: new.astype(variable.type.dtype) for variable, new in following.items()})
    return updates, gsums, xsums, rate, bound


def _update(p: Variable, g: Variable, s: Variable | None, r: Variable | None, rate: Variable, eps: float) -> Updates:
    """Return the updates of a parameter and its caches: sgd has none, adagrad s, adadelta s and r."""
    if s is None:
        return {p: p - rate * g}
    if r is None:
        s_new = s + g**2
        return {s: s_new, p: p - rate * g / pt.sqrt(s_new + eps)}
    s_new = rate * s + (1 - rate) * g**2
    d = -pt.sqrt((r + eps) / (s_new + eps)) * g
    return {s: s_new, r: rate * r + (1 - rate) * d**2, p: p + d}


def _scaled(gradient: Variable, bound: Variable, eps: float) -> Variable:
    norm = gradient.norm(L=2)
    return pt.minimum(bound, norm) / (norm + eps) * gradient


def _shared(value: float) -> SharedVariable:
    return pytensor.shared(np.asarray(value, dtype=pytensor.config.floatX))


def _cache(param: SharedVariable) -> SharedVariable:
    return pytensor.shared(np.zeros_like(param.get_value(borrow=True)))
