"""``theano.gradient``."""

import pytensor.gradient
from pytensor.gradient import disconnected_grad as consider_constant
from pytensor.gradient import pullback as Lop
from pytensor.gradient import pushforward as Rop

from lstm_cli.theano_lstm.theano.names import passing_on

__all__ = ["Lop", "Rop", "consider_constant"]

__getattr__ = passing_on("theano.gradient", pytensor.gradient)
