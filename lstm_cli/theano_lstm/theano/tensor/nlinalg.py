"""``theano.tensor.nlinalg``: what PyTensor has renamed or moved of it."""

from functools import reduce

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.basic import ExtractDiag, alloc_diag, diag, trace
from pytensor.tensor.basic import diagonal as extract_diag

__all__ = ["ExtractDiag", "alloc_diag", "diag", "extract_diag", "matrix_dot", "trace"]


def matrix_dot(*matrices: Variable) -> Variable:
    """Return the product of several matrices."""
    return reduce(pt.dot, matrices)
