"""`lstm_cli.theano_lstm.theano` under the name that scripts import."""

import sys

from lstm_cli.theano_lstm import theano

sys.modules[__name__] = theano
