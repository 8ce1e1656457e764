"""The compiled functions of an update: backpropagate, the norm of the gradient, the optimizer's step. No policy.

Legend: B batch, S state values per sequence.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import shared
from pytensor.gradient import grad

from lstm_cli.config.optimizer import Optimizer
from lstm_cli.config.rollout import TeacherForcing
from lstm_cli.data import Batch
from lstm_cli.engine.forcing import forced_steps
from lstm_cli.engine.inputs import input_arrays, inputs_with_target
from lstm_cli.engine.system import Divergence, check_system, divergence
from lstm_cli.graph.groups import rate_factors
from lstm_cli.graph.model import Model
from lstm_cli.graph.objectives import Objective
from lstm_cli.ops.mode import compiled, exclusive
from lstm_cli.ops.parameters import flatten_into
from lstm_cli.optim.build import AVERAGE, AVERAGED, build

#: The trained weights in a checkpoint whose model is their average.
TRAINED = "trained"
#: Norm of gradient and weights below which no optimizer's state, made of them and their squares, overflows a float32.
SAFE_NORM = 1e12


class Trainer:
    """One update in three parts: `backpropagate` once or more, look at `gradient_norm`, `update`.

    Separate parts allow accumulation over several batches, checks for values that are not finite, and a sum over
    several workers. None of the functions depends on the size of a batch, so each is built once.

    Parameters
    ----------
    model : Model
    objective : Objective
    optimizer : Optimizer
        The section `optimizer`.
    forcing : TeacherForcing, optional
        How often a closed loop is fed the observed value.
    freeze : sequence of str
        Groups of parameters that stay as they are (`lstm_cli.graph.groups`).
    average : float, optional
        Decay of a running average of the weights.
    """

    @exclusive
    def __init__(
        self,
        model: Model,
        objective: Objective,
        optimizer: Optimizer,
        forcing: TeacherForcing | None = None,
        *,
        freeze: Sequence[str] = (),
        average: float | None = None,
    ) -> None:
        self.model, self.objective, self.forcing = model, objective, forcing
        flat, parameters = model.parameters.flat, model.parameters
        factors = rate_factors(parameters.parameters, freeze, optimizer.rates)
        self._trained = [name for name, factor in factors.items() if factor]
        self.gradient = shared(np.zeros(model.parameters.size, flat.dtype), name="gradient")
        learning_rate = pt.scalar("learning_rate", dtype=flat.dtype)
        self.optimizer = build(
            optimizer,
            flat,
            self.gradient,
            learning_rate,
            parameters.segments(),
            factors=parameters.of_segments(factors) if {*factors.values()} != {1.0} else (),
            average=average,
        )
        self._update = compiled([learning_rate], [], updates=self.optimizer.updates, threads=model.threads)
        self._last_norm = np.inf
        norm, measurement = self.optimizer.gradient_norm, self.optimizer.measurement
        self._norm = compiled([], [norm], updates=measurement, threads=model.threads)

    @cached_property
    def _set_gradient(self) -> Any:
        return self._backpropagation(accumulate=False)

    @cached_property
    def _add_gradient(self) -> Any:
        return self._backpropagation(accumulate=True)

    def _backpropagation(self, *, accumulate: bool) -> Any:
        inputs = inputs_with_target(self.model, self.objective)
        outputs = self.model.graph(inputs, training=True)
        loss, _ = self.objective(outputs.output, inputs)
        parameters = self.model.parameters
        gradients = grad(loss, [parameters.views[name] for name in self._trained])
        # The gradient of frozen weights is not computed: in its place zeros stay in the buffer.
        starts = None if len(self._trained) == len(parameters.views) else parameters.starts(self._trained)
        updates = {self.gradient: flatten_into(self.gradient, gradients, add=accumulate, starts=starts)}
        return compiled(inputs.in_order(), [loss, outputs.state], updates=updates, threads=self.model.threads)

    @exclusive
    def backpropagate(
        self, batch: Batch, previous_state: np.ndarray | None, *, divisor: float, seed: int, step: int, part: int = 0
    ) -> tuple[float, np.ndarray]:
        """Put the gradient of a batch's loss into the buffer; return the loss and the final state (B, S).

        Parameters
        ----------
        batch : Batch
        previous_state : array (B', S) or None
            Final state of the previous batch, for batches that continue from it.
        divisor : float
            Sum of the weights over all parts of this update.
        seed, step, part : int
            Determine the dropout masks; the first part starts a new gradient, further parts add to it.
        """
        # Each rank draws masks of its own; those of rank 0 are the ones of a process alone.
        rank = [batch.share.rank] if batch.share is not None and batch.share.rank else []
        seeds = np.random.SeedSequence([seed, step, part, *rank]).generate_state(self.model.dropout_count, np.uint64)
        seeds = (seeds >> np.uint64(1)).astype(np.int64)
        forced = None
        if self.forcing is not None:
            forced = _forced(self.forcing, batch, seed=seed, step=step, part=part)
        arrays = input_arrays(self.model, batch, previous_state, divisor=divisor, seeds=seeds, forced=forced)
        function = self._add_gradient if part else self._set_gradient
        loss, state = function(*arrays.in_order())
        check_system(self.model, batch)
        return float(loss), state

    def arrays(self) -> list[np.ndarray]:
        """Return the weights and the optimizer's state themselves, in an order that is the same on every rank."""
        held = [self.model.parameters.flat, *self.optimizer.state.values()]
        return [variable.get_value(borrow=True) for variable in held]

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights in the place of the trained ones within the block, if there are any."""
        state, flat = self.optimizer.state, self.model.parameters.flat
        if AVERAGE not in state or not state[AVERAGED].get_value():
            yield
            return
        trained = flat.get_value(borrow=True)
        flat.set_value(state[AVERAGE].get_value(borrow=True), borrow=True)
        try:
            yield
        finally:
            flat.set_value(trained, borrow=True)

    def saved(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the weights that predictions use, and the optimizer's state; with an average also the trained weights.

        Copies of both, by name.
        """
        with self.averaged():
            weights = self.model.parameters.values()
        state = {name: shared.get_value() for name, shared in self.optimizer.state.items() if name != AVERAGE}
        if AVERAGE in self.optimizer.state:
            state[TRAINED] = self.model.parameters.flat.get_value()
        return weights, state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore the state that `saved` returned, after its weights."""
        shareds, flat = self.optimizer.state, self.model.parameters.flat
        if AVERAGE in shareds:
            shareds[AVERAGE].set_value(flat.get_value(), borrow=True)
            flat.set_value(state[TRAINED].copy(), borrow=True)
        for name in shareds.keys() - {AVERAGE}:
            shareds[name].set_value(state[name], borrow=True)

    def divergence(self) -> Divergence | None:
        """Return where the system produced a state that is not finite in the last batch; None if it did not."""
        return divergence(self.model)

    @exclusive
    def gradient_norm(self) -> float:
        """Return the norm of the whole gradient, not finite if any element is not, and compute the clipping factors."""
        self._last_norm = float(self._norm()[0])
        return self._last_norm

    @exclusive
    def update(self, learning_rate: float, *, undo: bool = False) -> bool:
        """Take one step of the optimizer along the gradient in the buffer; return whether all is finite after it.

        With `undo`, a step whose result is not finite is undone, at the cost of a copy of the state before each step.
        """
        flat = self.model.parameters.flat
        held = [flat, *self.optimizer.state.values()]
        before = [variable.get_value() for variable in held] if undo else []
        with np.errstate(over="ignore"):
            self._update(np.asarray(learning_rate, self.model.dtype))
        safe = self._last_norm < SAFE_NORM and _norm(flat.get_value(borrow=True)) < SAFE_NORM  # NaN is not
        finite = safe or all(np.isfinite(variable.get_value(borrow=True)).all() for variable in held)
        if not finite:
            for variable, value in zip(held, before, strict=False):
                variable.set_value(value, borrow=True)
        return finite


def _forced(forcing: TeacherForcing, batch: Batch, *, seed: int, step: int, part: int) -> np.ndarray:
    """Return the steps (T, B) of a batch at which the observation is fed; in a share those of the whole batch."""
    share = batch.share
    if share is None:
        return forced_steps(forcing, batch.mask.shape, seed=seed, step=step, part=part)
    shape = (share.steps, len(share.sequences))
    return forced_steps(forcing, shape, seed=seed, step=step, part=part)[: len(batch.mask), share.columns]


def _norm(vector: np.ndarray) -> float:
    """Return the norm of a vector; NaN or infinity if an element is, or if its square overflows."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.dot(vector, vector)))
