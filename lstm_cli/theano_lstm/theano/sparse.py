"""``theano.sparse``: what PyTensor has renamed of it."""

from pytensor.sparse.type import SparseTensorType
from pytensor.sparse.variable import SparseConstant, SparseVariable

SparseType = SparseTensorType

__all__ = ["SparseConstant", "SparseType", "SparseVariable"]
