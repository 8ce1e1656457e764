"""``theano.gof``: the parts of a graph."""

from types import SimpleNamespace

from pytensor.graph import basic, fg, op
from pytensor.graph import basic as graph
from pytensor.graph.type import Type

from lstm_cli.theano_lstm.theano.names import passing_on

# PyTensor's compile lock need not be switched off before processes start.
compilelock = SimpleNamespace(set_lock_status=lambda status: None)

__all__ = ["Type", "compilelock", "graph"]

__getattr__ = passing_on("theano.gof", basic, op, fg)
