"""The inputs of compiled functions: symbolic, with a target, and as the arrays of a batch.

Legend: T time, B batch, D or K targets, N counted positions, S state values per sequence.
"""

from dataclasses import replace

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.data import Batch
from lstm_cli.engine.chains import whole_chains
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Model
from lstm_cli.graph.objectives import Objective
from lstm_cli.graph.rollout import ClosedLoop


def inputs_with_target(model: Model, objective: Objective) -> Inputs[Variable]:
    """Return fresh symbolic inputs of a function with a loss: with the target and the weights of its positions."""
    weight = pt.vector("weight", dtype=model.dtype)
    return replace(model.inputs(), target=objective.target(model.dtype), weight=weight)


def input_arrays(
    model: Model,
    batch: Batch,
    previous_state: np.ndarray | None = None,
    *,
    divisor: float | None = None,
    seeds: np.ndarray | None = None,
    forced: np.ndarray | None = None,
) -> Inputs[np.ndarray]:
    """Return the arrays of a batch as the inputs of a model's function.

    Parameters
    ----------
    model : Model
    batch : Batch
    previous_state : array (B', S), optional
        Final state of the previous batch, where this batch continues from it.
    divisor : float, optional
        For a function with a loss: the weights are divided by it. None: the function has no target.
    seeds : int64 array, optional
        One per dropout place; None: zeros.
    forced : bool array (T, B), optional
        In a closed loop: further steps at which the observed input is fed.
    """
    batch = whole_chains(batch) if model.spec.crf else batch
    state, fresh = _initial_state(model, batch, previous_state)
    feed = _observed_steps(batch, forced)
    return Inputs(
        numbers=None if batch.numbers is None else _cast(_without_gaps(batch.numbers, model, feed), model),
        tokens={name: batch.tokens[name] for name in model.sizes.tokens},
        lengths=batch.lengths,
        counted=batch.counted,
        seeds=np.zeros(model.dropout_count, np.int64) if seeds is None else seeds,
        state=state,
        fresh=fresh,
        feed=feed,
        observed=batch.observed,
        target=None if divisor is None else _target(batch, model),
        weight=None if divisor is None else _cast(batch.weight, model) / np.asarray(divisor, model.dtype),
    )


def _initial_state(model: Model, batch: Batch, previous_state: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return where each sequence starts (B, S), and 1 where that is the learned initial state (B,)."""
    state = np.zeros((len(batch.lengths), model.state_size), model.dtype)
    fresh = np.ones(len(batch.lengths), model.dtype)
    if batch.carry is not None and previous_state is not None:
        continued = batch.carry >= 0
        state[continued] = previous_state[batch.carry[continued]]
        fresh[continued] = 0
    return state, fresh


def _observed_steps(batch: Batch, forced: np.ndarray | None) -> np.ndarray | None:
    """Return 1 where the observed input is fed to a closed loop (T, B); None without a closed loop."""
    if batch.observed is None:
        return None
    given = np.arange(len(batch.mask))[:, np.newaxis] < batch.observed
    return (given if forced is None else given | forced).astype(np.int64)


def _without_gaps(numbers: np.ndarray, model: Model, feed: np.ndarray | None) -> np.ndarray:
    """Return numbers (T, B, I) whose indicators of filled gaps are 0 where a closed loop is fed its own prediction."""
    if feed is None or not isinstance(model, ClosedLoop) or model.closed_loop.system is not None:
        return numbers
    size = model.closed_loop.size
    if numbers.shape[2] == size:
        return numbers
    given = numbers[:, :, size:] * feed[:, :, np.newaxis].astype(numbers.dtype)
    return np.concatenate([numbers[:, :, :size], given], axis=2)


def _target(batch: Batch, model: Model) -> np.ndarray:
    if batch.target is None:
        raise ValueError("a batch without a target has no loss")
    return batch.target if np.issubdtype(batch.target.dtype, np.integer) else _cast(batch.target, model)


def _cast(array: np.ndarray, model: Model) -> np.ndarray:
    return array.astype(model.dtype, copy=False)
