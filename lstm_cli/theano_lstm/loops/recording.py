"""The steps that recurrent layers take while a loop is built, noted so that the loop can be run as one Op a layer.

Only `theano.scan` listens, and only while it calls the function that builds its step: a step taken elsewhere leaves no
trace, and a copy of one is not mistaken for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from pytensor.graph.basic import Variable

from lstm_cli.ops.activations import Activation


class Step(NamedTuple):
    """What one call of `activate` computed: ``state' = layer(x, state)``, with the weights that it had then.

    Attributes
    ----------
    x : (I,) or (B, I)
    state : (S,) or (B, S)
        The previous state: h, or for an LSTM [c, h].
    cell, activation : str
        As in `lstm_cli.ops.recurrent.recurrent`.
    W, b : variables
        As there.
    units : int
        H.
    """

    x: Variable
    state: Variable
    cell: str
    activation: str
    W: Variable
    b: Variable
    units: int


class Notes(NamedTuple):
    """What is noted of a loop while it is built.

    Attributes
    ----------
    steps : dict
        Each step that a layer took, by the new state.
    activations : dict
        What each activation was last given and returned, by the `id` of the function.
    """

    steps: dict[Variable, Step]
    activations: dict[int, tuple[Variable, Variable]]


_notes: ContextVar[Notes | None] = ContextVar("notes", default=None)


@contextmanager
def taking_notes() -> Iterator[Notes]:
    """Return the notes of what is built inside the ``with``; a loop inside has notes of its own."""
    notes = Notes({}, {})
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def current_notes() -> Notes | None:
    """Return the notes of the loop that is being built, None outside loops."""
    return _notes.get()


def activated(activation: Activation, sums: Variable) -> Variable:
    """Return what an activation makes of sums; in a loop this is noted."""
    values = activation(sums)
    notes = current_notes()
    if notes is not None:
        notes.activations[id(activation)] = sums, values
    return values
