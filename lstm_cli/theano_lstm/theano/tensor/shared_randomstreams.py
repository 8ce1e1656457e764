"""``theano.tensor.shared_randomstreams``."""

from lstm_cli.theano_lstm.random_streams import RandomStreams

__all__ = ["RandomStreams"]
