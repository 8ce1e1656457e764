"""``theano.tensor.extra_ops``."""

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable


def to_one_hot(y: Variable, nb_class: int | Variable, dtype: str | None = None) -> Variable:
    """Return rows (N, K) of zeros with a one at each y (N,)."""
    return pt.eq(y[:, None], pt.arange(nb_class)).astype(dtype or pytensor.config.floatX)
