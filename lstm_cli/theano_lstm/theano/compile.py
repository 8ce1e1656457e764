"""``theano.compile``."""

import pytensor.compile
from pytensor.compile.debug import nanguardmode as nanguardmode
from pytensor.compile.sharedvalue import SharedVariable as SharedVariable

from lstm_cli.theano_lstm.theano.compiling import function as function
from lstm_cli.theano_lstm.theano.names import passing_on

__getattr__ = passing_on("theano.compile", pytensor.compile)
