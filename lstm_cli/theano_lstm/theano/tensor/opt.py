"""``theano.tensor.opt``: the check of a graph at run time, under its older name too."""

from pytensor.raise_op import Assert, assert_op

__all__ = ["Assert", "assert_", "assert_op"]

assert_ = assert_op
