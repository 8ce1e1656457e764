"""Dropout masks as variables of the graph, as theano-lstm has them; they work inside a loop too."""

from collections.abc import Sequence

import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.ops.draws import RandomStreams, Size

srng = RandomStreams(1234)


def Dropout(shape: Size, prob: float | Variable) -> Variable:
    """Return a mask of ones, with zeros at a share `prob` of the places.

    The others are not scaled up: where nothing is dropped, multiply by ``1 - prob``, as theano-lstm's scripts do.

    Parameters
    ----------
    shape : int or sequence of int or variable
    prob : float or variable
        The probability that an element is dropped; a shared variable can be changed without compiling again.
    """
    return srng.binomial(size=shape, n=1, p=1 - prob, dtype=pytensor.config.floatX)


def MultiDropout(shapes: Sequence[Size], dropout: float | Variable = 0.0) -> list[Variable]:
    """Return a mask of each shape."""
    return [Dropout(shape, dropout) for shape in shapes]


def apply_dropout(x: Variable, mask: Variable | float | None) -> Variable:
    """Return x times the mask; x where that is None."""
    return x if mask is None else mask * x
