"""``theano.tensor.extra_ops``."""

import pytensor.tensor as pt
import pytensor.tensor.extra_ops
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.theano.names import passing_on


def to_one_hot(y: Variable, nb_class: int | Variable, dtype: str | None = None) -> Variable:
    """Return rows (N, K) of zeros with a one at each y (N,)."""
    return pt.eq(y[:, None], pt.arange(nb_class)).astype(dtype or pytensor.config.floatX)


__getattr__ = passing_on("theano.tensor.extra_ops", pytensor.tensor.extra_ops)
