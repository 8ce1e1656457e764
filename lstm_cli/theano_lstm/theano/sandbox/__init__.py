"""``theano.sandbox``: the random streams that scripts take from it."""

from lstm_cli.theano_lstm.theano.sandbox import rng_mrg

__all__ = ["rng_mrg"]
