"""The states of a scan whose axes have length 1.

PyTensor refuses a state as soon as it knows that one of its axes has length 1, and Theano where it knew that of the
initial state but not of what a step returns, or the other way around. Here such axes are unknown to PyTensor's scan; a
step, and what follows the loop, still finds them broadcastable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import Assert
from pytensor.scan.basic import get_updates_and_outputs
from pytensor.scan.utils import until

from lstm_cli.theano_lstm.theano.tensor.broadcasting import addbroadcast, known_to_be_one, unbroadcast

_one = Assert("scan: a step returns a state with an axis of length 1 that is longer in the initial state")


@dataclass
class _State:
    """One entry of `outputs_info`, with the axes of its state (without time) that are known to have length 1."""

    info: Any
    taps: int = 0
    axes: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()


def open_states(fn: Callable[..., Any], sequences: Any, outputs_info: Any) -> tuple[Any, Any, Callable[[Any], Any]]:
    """Return what PyTensor's scan accepts in place of a step and its states.

    Returns
    -------
    fn, outputs_info : as given, without the lengths of axes that are 1
    close : callable
        Of the outputs of the scan: restores what is known of them.
    """
    states = [_opened(info) for info in _listed(outputs_info)]
    first = sum(len(_taps(sequence, 0)) for sequence in _listed(sequences))

    def step(*arguments: Variable) -> Any:
        marked, previous = _marked(list(arguments), states, first)
        result = fn(*marked)
        condition, outputs, updates = get_updates_and_outputs(result)
        if not any(known_to_be_one(output) and state.taps for output, state in zip(outputs, states, strict=False)):
            return result
        for k, (state, output) in enumerate(zip(states, outputs, strict=False)):
            outputs[k] = _returned(state, output, previous[k]) if state.taps else output
        return as_result(condition, outputs, updates)

    return step, [state.info for state in states] if states else outputs_info, lambda outputs: _closed(outputs, states)


def as_result(condition: Variable | None, outputs: list[Variable], updates: dict[Variable, Variable]) -> Any:
    """Return what a step returns."""
    return (outputs, updates) if condition is None else (outputs, updates, until(condition))


def _opened(info: Any) -> _State:
    """Return a state whose initial value is of unknown lengths."""
    given = info if isinstance(info, dict) else {"initial": info}
    if given.get("initial") is None:
        return _State(info)
    initial = (
        pt.as_tensor_variable(given["initial"]) if not isinstance(given["initial"], Variable) else given["initial"]
    )
    taps = _taps(given, -1)
    time = 0 if taps == [-1] else 1
    axes = tuple(axis - time for axis in known_to_be_one(initial) if axis >= time)
    if not axes:
        return _State(info, len(taps))
    opened = unbroadcast(initial, *(axis + time for axis in axes))
    opened.name = initial.name
    return _State({**given, "initial": opened}, len(taps), axes)


def _marked(
    arguments: list[Variable], states: Sequence[_State], first: int
) -> tuple[list[Variable], list[Variable | None]]:
    """Return a step's arguments, states broadcastable as at the start, and a previous value of each state."""
    previous: list[Variable | None] = []
    place = first
    for state in states:
        for tap in range(place, place + state.taps):
            arguments[tap] = addbroadcast(arguments[tap], *state.axes)
        previous.append(arguments[place] if state.taps else None)
        place += state.taps
    return arguments, previous


def _returned(state: _State, output: Variable, previous: Variable | None) -> Variable:
    """Return a step's new state of unknown lengths, where only it knows of a length 1 with a check of the old one."""
    assert previous is not None
    known = known_to_be_one(output)
    state.returned = tuple(axis for axis in known if axis in state.axes)
    unchecked = [axis for axis in known if axis not in state.axes and axis < previous.type.ndim]
    opened = unbroadcast(output, *known)
    return _one(opened, *(pt.eq(previous.shape[axis], 1) for axis in unchecked)) if unchecked else opened


def _closed(outputs: Any, states: Sequence[_State]) -> Any:
    """Return the scan's outputs, broadcastable where the initial state and what a step returns are."""
    if not any(state.returned for state in states):
        return outputs
    listed = [
        addbroadcast(output, *(axis + 1 for axis in state.returned)) if state.returned else output
        for output, state in zip(_listed(outputs), states, strict=False)
    ]
    listed += _listed(outputs)[len(listed) :]
    return listed if isinstance(outputs, list | tuple) else listed[0]


def _listed(given: Any) -> list[Any]:
    """Return what scan takes as one or as several, as a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


def _taps(given: Any, default: int) -> list[int]:
    """Return which elements of a sequence, or of a state's past, a step gets."""
    taps = given.get("taps") if isinstance(given, dict) else None
    return [default] if taps is None else [int(tap) for tap in np.atleast_1d(taps)]
