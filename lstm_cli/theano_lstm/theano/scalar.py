"""``theano.scalar``: what PyTensor has renamed of it."""

from pytensor.scalar.basic import ScalarType, reciprocal, sign
from pytensor.scalar.basic import abs as abs_

Scalar = ScalarType
inv, sgn = reciprocal, sign

__all__ = ["Scalar", "abs_", "inv", "sgn"]
