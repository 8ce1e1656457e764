"""Dropout masks as variables of the graph, as in theano-lstm; they can also be drawn inside a scan."""

from collections.abc import Sequence

import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.random_streams import RandomStreams, Size

srng = RandomStreams(1234)


def Dropout(shape: Size, prob: float | Variable) -> Variable:
    """Return a mask: each element is 0 with probability `prob`, else 1.

    The ones are not scaled up: without dropout, multiply by ``1 - prob``, as theano-lstm's scripts do.

    Parameters
    ----------
    shape : int or sequence of int or variable
    prob : float or variable
        A shared variable can be changed without compiling again.

    References
    ----------
    Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014.
    """
    return srng.binomial(size=shape, n=1, p=1 - prob, dtype=pytensor.config.floatX)


def MultiDropout(shapes: Sequence[Size], dropout: float | Variable = 0.0) -> list[Variable]:
    """Return a mask of each shape."""
    return [Dropout(shape, dropout) for shape in shapes]


def apply_dropout(x: Variable, mask: Variable | float | None) -> Variable:
    """Return x times the mask, x itself if the mask is None."""
    return x if mask is None else mask * x
