"""``theano.sandbox``: the random streams that scripts take from it."""

from lstm_cli.theano.sandbox import rng_mrg

__all__ = ["rng_mrg"]
