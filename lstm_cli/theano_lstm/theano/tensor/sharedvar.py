"""``theano.tensor.sharedvar``: numbers in shared variables are tensors without axes."""

from pytensor.tensor.sharedvar import TensorSharedVariable

ScalarSharedVariable = TensorSharedVariable

__all__ = ["ScalarSharedVariable", "TensorSharedVariable"]
