"""All that is changed of PyTensor itself, for the whole process, once Theano's names are imported.

================================  ====================================================================================
`op_protocol`                     Classes of Ops, existing and to come: gradients under Theano's names, and for those
                                  of scripts attributes that are compared, `infer_shape` without the graph, C code
                                  without `perform`. Views whose class computes something are not removed.
`default_updates`                 `default_update` of a shared variable: set without a warning.
`evaluation`                      `eval` of a variable: in the mode of ``theano.config``.
`increments`                      Rewrites of sums with gradients of parts: only where they are right, as in later
                                  versions.
`indexing`                        ``x[:, None]`` in scripts: what the index leaves out and has length 1 is dropped.
`known_lengths`                   Zeros of a shape that depends on a scan: known lengths are not inferred by rewriting.
`pickling`                        Batched Ops of a compiled function: pickled.
`truth`                           ``bool(x)`` of a variable: True; of a comparison an error, as before.
================================  ====================================================================================

Rewrites that are registered with PyTensor (`lstm_cli.theano_lstm.theano.compiling`) act only where a mode names them,
but for the logarithm of a softmax (`lstm_cli.theano_lstm.logarithm`), which belongs to ``fast_run``.
The trainer, which does not import Theano's names, has PyTensor as it is.
"""

from lstm_cli.theano_lstm.theano.patches.default_updates import take_theanos_default_updates
from lstm_cli.theano_lstm.theano.patches.evaluation import eval_at_once
from lstm_cli.theano_lstm.theano.patches.increments import increment_whole_sums
from lstm_cli.theano_lstm.theano.patches.indexing import add_axes_as_theano
from lstm_cli.theano_lstm.theano.patches.known_lengths import look_for_lengths_as_theano
from lstm_cli.theano_lstm.theano.patches.op_protocol import honour_theanos_protocol
from lstm_cli.theano_lstm.theano.patches.pickling import pickle_batched_ops
from lstm_cli.theano_lstm.theano.patches.truth import variables_are_true


def patch_pytensor() -> None:
    """Apply all; repeated calls change nothing."""
    honour_theanos_protocol()
    take_theanos_default_updates()
    eval_at_once()
    increment_whole_sums()
    add_axes_as_theano()
    look_for_lengths_as_theano()
    pickle_batched_ops()
    variables_are_true()
