"""``theano.tensor.shared_randomstreams``."""

from lstm_cli.ops.draws import RandomStreams

__all__ = ["RandomStreams"]
