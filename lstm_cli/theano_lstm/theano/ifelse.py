"""``theano.ifelse``."""

from pytensor import ifelse

__all__ = ["ifelse"]
