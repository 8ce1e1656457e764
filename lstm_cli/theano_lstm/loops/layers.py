"""One layer of a recognised loop over all steps. Legend: T time, B batch, I input, H units, S size of a state."""

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.loops import gru_loop
from lstm_cli.theano_lstm.loops.cell_states import cell_states, shifted
from lstm_cli.theano_lstm.loops.loop import loop
from lstm_cli.theano_lstm.loops.recording import Step


def over_all_steps(step: Step, x: Variable, start: Variable) -> tuple[Variable, Variable, Variable]:
    """Run the layer that took a step over all steps.

    Parameters
    ----------
    step : Step
    x : (T, I) or (T, B, I)
    start : (S,) or (B, S)
        The state before the first step.

    Returns
    -------
    h : (T, H) or (T, B, H)
    states, before : (T, S) or (T, B, S)
        The state after and before each step.
    """
    x = x.astype(step.W.type.dtype)
    if step.state.type.ndim == 1:
        h, states = (sequence[:, 0] for sequence in _over_batch(step, x[:, None], start[None]))
    else:
        h, states = _over_batch(step, x, start)
    return h, states, shifted(states, start)


def _over_batch(step: Step, x: Variable, start: Variable) -> tuple[Variable, Variable]:
    """Return h (T, B, H) and the whole state (T, B, S), given x (T, B, I) and the first state (B, S)."""
    if step.cell == gru_loop.CELL:
        h = gru_loop.gru_loop(x, step.W, step.b, start, step.activation)
        return h, h
    if step.cell != "lstm":
        h = loop(x, step.W, step.b, [start], cell=step.cell, activation=step.activation)
        return h, h
    c, h = start[:, : step.units], start[:, step.units :]
    hs = loop(x, step.W, step.b, [h, c], cell=step.cell, activation=step.activation)
    cs = cell_states(x, shifted(hs, h), c, step.W, step.b, units=step.units, activation=step.activation)
    return hs, pt.concatenate([cs, hs], axis=2)
