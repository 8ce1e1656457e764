"""PyTensor under the names that Theano scripts use.

``from lstm_cli import theano; T = theano.tensor`` replaces a script's two Theano imports. Names that PyTensor has kept
are looked up there; those that it renamed or dropped are added back:

======================================  ================================================================
``T.nnet``                              `sigmoid`, `softmax`, `relu`, `categorical_crossentropy`, …
``T.shared_randomstreams``, ``MRG``     `RandomStreams`, whose draws inside a loop have a gradient
``theano.scan``, ``map``, ``reduce``    outputs and updates, as in Theano; ``theano.scan_module.until``
``theano.function``                     compiled within seconds (`lstm_cli.theano_lstm.theano.compiling`)
``theano.config``                       flags that PyTensor dropped can still be set
``theano.gof``, ``theano.compile``      `Op`, `Apply`, `SharedVariable`, `Mode`, …
======================================  ================================================================
"""

from pytensor.compile.io import In
from pytensor.graph.replace import clone_replace
from pytensor.printing import pp
from pytensor.tensor import dot

from lstm_cli.theano_lstm.theano.compiling import function
from lstm_cli.theano_lstm.theano.configuration import config
from lstm_cli.theano_lstm.theano.op_protocol import honour_theanos_protocol
from lstm_cli.theano_lstm.theano.scan_module import OrderedUpdates, foldl, foldr, map, reduce, scan

honour_theanos_protocol()

Param = In
clone = clone_replace

__all__ = [
    "In",
    "OrderedUpdates",
    "Param",
    "clone",
    "config",
    "dot",
    "foldl",
    "foldr",
    "function",
    "map",
    "pp",
    "reduce",
    "scan",
]
