"""``theano.scan`` and its relatives, which return the outputs of a scan and the updates of its random streams."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytensor
from pytensor.graph.basic import Variable
from pytensor.scan.utils import until

from lstm_cli.theano_lstm.loops import Body, without_scan
from lstm_cli.theano_lstm.random_streams import update_by_itself
from lstm_cli.theano_lstm.theano.scan_states import open_states
from lstm_cli.theano_lstm.theano.updates import OrderedUpdates

__all__ = ["OrderedUpdates", "foldl", "foldr", "map", "reduce", "scan", "until"]


Result = tuple[Any, OrderedUpdates]


def scan(
    fn: Callable[..., Any], sequences: Any = None, outputs_info: Any = None, *arguments: Any, **options: Any
) -> Result:
    """Loop over time; the arguments are those of `pytensor.scan`.

    A loop over recurrent layers becomes one Op a layer (`lstm_cli.theano_lstm.loops`).

    Returns
    -------
    outputs : variable or list of them, each with a leading time axis
    updates : OrderedUpdates
        Of the random streams that the scan draws from. Functions apply them even if a script discards them.
    """
    body = Body(fn)
    step, infos, close = open_states(body, sequences, outputs_info)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Scan return signature will change", DeprecationWarning)
        warnings.filterwarnings("ignore", "Setting default_update", DeprecationWarning)
        warnings.filterwarnings("ignore", "The `mode` argument of `scan`", FutureWarning)
        outputs, updates = pytensor.scan(step, sequences, infos, *arguments, **options)
    closed = close(outputs)
    if not updates:
        closed = _without_scan(body, outputs, outputs_info, closed)
    for state, following in updates.items():
        update_by_itself(state, following)
    return closed, OrderedUpdates(updates)


def _without_scan(body: Body, outputs: Any, outputs_info: Any, closed: Any) -> Any:
    """Return the outputs, one or a list, computed without a scan where that is possible."""
    if not isinstance(outputs, list | Variable):
        return closed
    several = isinstance(outputs, list)
    scanned, expected = (outputs, closed) if several else ([outputs], [closed])
    fused = without_scan(body, scanned, outputs_info, [variable.type for variable in expected])
    if fused is None:
        return closed
    return fused if several else fused[0]


def map(fn: Callable[..., Any], sequences: Any, non_sequences: Any = None, **options: Any) -> Result:
    """Apply `fn` to every element of the sequences."""
    return scan(fn, sequences=sequences, outputs_info=[], non_sequences=non_sequences, **options)


def reduce(
    fn: Callable[..., Any], sequences: Any, outputs_info: Any, non_sequences: Any = None, **options: Any
) -> Result:
    """Loop over the sequences and return the last output only."""
    outputs, updates = scan(fn, sequences=sequences, outputs_info=outputs_info, non_sequences=non_sequences, **options)
    last = [output[-1] for output in outputs] if isinstance(outputs, Sequence) else outputs[-1]
    return last, updates


def foldl(*arguments: Any, **options: Any) -> Result:
    """`reduce` from the first element to the last."""
    return reduce(*arguments, **options)


def foldr(*arguments: Any, **options: Any) -> Result:
    """`reduce` from the last element to the first."""
    return reduce(*arguments, go_backwards=True, **options)
