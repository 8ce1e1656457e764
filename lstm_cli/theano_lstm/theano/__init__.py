"""PyTensor under the names that Theano scripts use.

A script imports ``lstm_cli.theano`` in place of ``theano``, its modules likewise (`lstm_cli.theano_lstm.importing`).
Names that PyTensor has kept are looked up there; those that it renamed or dropped are added back:

======================================  =====================================================================
``T.nnet``                              `sigmoid`, `softmax`, `categorical_crossentropy`, `conv2d`, …
``T.signal``                            `pool_2d` and other functions of images
``T.shared_randomstreams``, ``MRG``     `RandomStreams`, whose draws inside a loop have a gradient
``theano.scan``, ``map``, ``reduce``    outputs and updates, as in Theano; ``theano.scan_module.until``
``theano.function``                     compiled within seconds; default inputs, outputs by name (`CompiledFunction`)
``theano.config``                       flags that PyTensor dropped can still be set
``theano.gof``, ``theano.compile``      `Op`, `Apply`, `SharedVariable`, `Mode`, …
======================================  =====================================================================

A file with the name of one of Theano's modules holds what PyTensor lacks of it. The other files serve these:

* flags: `configuration`, `known_flags`, `flag_sources`;
* functions: `functions` (arguments), `compiling` (updates, loops), `modes`, `quick_rewrites`, and the modes that check
  or watch, `guards` and `debugging`;
* graphs: `builders`, `cloning`, `graphs`; loops: `scan_states`;
* what is changed of PyTensor itself: `patches`.
"""

from typing import Any

import numpy as np
from pytensor.gradient import grad, subgraph_grad
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.printing import pp, pprint
from pytensor.tensor import dot, get_scalar_constant_value

from lstm_cli.theano_lstm.theano.builders import OpFromGraph
from lstm_cli.theano_lstm.theano.cloning import clone
from lstm_cli.theano_lstm.theano.compile import In, Param, as_op, function, shared
from lstm_cli.theano_lstm.theano.configuration import change_flags, config
from lstm_cli.theano_lstm.theano.flag_sources import set_flags_from_outside
from lstm_cli.theano_lstm.theano.gradient import Lop, Rop
from lstm_cli.theano_lstm.theano.modes import Mode
from lstm_cli.theano_lstm.theano.patches import patch_pytensor
from lstm_cli.theano_lstm.theano.scan_module import foldl, foldr, map, reduce, scan
from lstm_cli.theano_lstm.theano.updates import OrderedUpdates
from lstm_cli.theano_lstm.theano.version import version as __version__

set_flags_from_outside()
patch_pytensor()

__all__ = [
    "Apply",
    "Constant",
    "In",
    "Lop",
    "Mode",
    "Op",
    "OpFromGraph",
    "OrderedUpdates",
    "Param",
    "Rop",
    "Variable",
    "__version__",
    "_asarray",
    "as_op",
    "change_flags",
    "clone",
    "config",
    "dot",
    "foldl",
    "foldr",
    "function",
    "get_scalar_constant_value",
    "grad",
    "map",
    "pp",
    "pprint",
    "reduce",
    "scan",
    "shared",
    "subgraph_grad",
]


def _asarray(a: Any, dtype: Any, order: Any = None) -> np.ndarray:
    """Return an array of exactly this dtype, which may be ``"floatX"``."""
    return np.asarray(a, dtype=config.floatX if str(dtype) == "floatX" else dtype, order=order)
