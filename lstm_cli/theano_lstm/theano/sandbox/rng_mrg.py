"""``theano.sandbox.rng_mrg``."""

from lstm_cli.theano_lstm.random_streams import RandomStreams

MRG_RandomStreams = RandomStreams

__all__ = ["MRG_RandomStreams"]
