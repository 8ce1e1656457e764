"""`lstm_cli.theano_lstm.theano` and its submodules under the name that scripts import."""

import sys

from lstm_cli.theano_lstm import theano

sys.modules |= {
    name.replace("lstm_cli.theano_lstm.", "lstm_cli."): module
    for name, module in list(sys.modules.items())
    if f"{name}.".startswith(f"{theano.__name__}.")
}
