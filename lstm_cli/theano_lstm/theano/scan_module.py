"""``theano.scan`` and its relatives, which return the outputs of a scan and the updates of its random streams."""

import warnings
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import pytensor
from pytensor.graph.basic import Variable
from pytensor.scan.basic import get_updates_and_outputs
from pytensor.scan.utils import until
from pytensor.tensor.random.type import RandomType

from lstm_cli.theano_lstm.loops.recognition import Body, without_scan
from lstm_cli.theano_lstm.random_streams import update_by_itself
from lstm_cli.theano_lstm.theano.scan_states import as_result, open_states
from lstm_cli.theano_lstm.theano.updates import OrderedUpdates

__all__ = ["OrderedUpdates", "foldl", "foldr", "map", "reduce", "scan", "until"]


Result = tuple[Any, OrderedUpdates]

# Updates of the random numbers that scans inside the step have drawn, of the step that is being built.
_of_inner_loops: ContextVar[dict[Variable, Variable] | None] = ContextVar("_of_inner_loops", default=None)


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
    step, infos, close = open_states(_with_draws_of_inner_loops(body), sequences, outputs_info)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Scan return signature will change", DeprecationWarning)
        warnings.filterwarnings("ignore", "The `mode` argument of `scan`", FutureWarning)
        outputs, updates = pytensor.scan(step, sequences, infos, *arguments, **options)
    closed = close(outputs)
    if not updates:
        closed = _without_scan(body, outputs, outputs_info, closed)
    draws = {state: following for state, following in updates.items() if _is_random(state)}
    for state, following in draws.items():
        update_by_itself(state, following)
    enclosing = _of_inner_loops.get()
    if enclosing is not None:
        enclosing.update(draws)
    return closed, OrderedUpdates(updates)


def _with_draws_of_inner_loops(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step that also returns the updates of the random numbers of scans inside it, if it dropped them."""

    def with_draws(*arguments: Variable) -> Any:
        draws: dict[Variable, Variable] = {}
        token = _of_inner_loops.set(draws)
        try:
            result = step(*arguments)
        finally:
            _of_inner_loops.reset(token)
        return as_result(*_completed(result, draws)) if draws else result

    return with_draws


def _completed(result: Any, draws: dict[Variable, Variable]) -> tuple[Any, Any, Any]:
    condition, outputs, updates = get_updates_and_outputs(result)
    return condition, outputs, {**draws, **updates}


def _is_random(state: Variable) -> bool:
    return getattr(state.tag, "is_rng", False) or isinstance(state.type, RandomType)


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
