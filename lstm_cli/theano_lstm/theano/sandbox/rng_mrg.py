"""``theano.sandbox.rng_mrg``."""

from lstm_cli.ops.draws import RandomStreams

MRG_RandomStreams = RandomStreams

__all__ = ["MRG_RandomStreams"]
