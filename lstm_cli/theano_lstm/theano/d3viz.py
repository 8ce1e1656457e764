"""``theano.d3viz``: the function of its module's name."""

from pytensor.d3viz import d3viz, d3write

__all__ = ["d3viz", "d3write"]
