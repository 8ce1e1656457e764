"""The compiled functions of a run: backpropagate, update, evaluate, predict. No training policy here.

All are PyTensor functions over the same parameters; none depends on the sizes of a batch, so each is built once.
"""

from functools import cached_property
from typing import Any, Literal

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from lstm_cli.config.optimizer import Optimizer
from lstm_cli.config.rollout import TeacherForcing
from lstm_cli.config.train import LossSpec
from lstm_cli.data import Batch
from lstm_cli.errors import ConfigError
from lstm_cli.graph.model import Inputs, Model
from lstm_cli.graph.objectives import Kind, objective, target_variable
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.ops.mode import compiled, exclusive
from lstm_cli.ops.parameters import flatten_into
from lstm_cli.optim.build import build
from lstm_cli.training.forcing import forced_steps

# Where gradient and weights are below this, no optimizer's state, made of them and of squares, is near float32's end.
MODEST = 1e12


class Predictor:
    """A model's outputs, without dropout, for steps that are all given: a closed loop is open here.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @cached_property
    def _function(self) -> Any:
        inputs = Model.inputs(self.model)
        outputs = Model.graph(self.model, inputs, training=False)
        return compiled(_feed_order(inputs), [outputs.output, outputs.state], threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch, previous_state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the output (N, K) of the batch's rows and the final state (B, S).

        Parameters
        ----------
        batch : Batch
        previous_state : array (B', S), optional
            Final state of the batch before, where this batch carries on from it.
        """
        return self._function(*feed(self.model, batch, previous_state))


class Driver:
    """The trajectories of a model in a closed loop, without dropout.

    Parameters
    ----------
    model : ClosedLoop
    """

    def __init__(self, model: ClosedLoop) -> None:
        self.model = model

    @cached_property
    def _function(self) -> Any:
        inputs = self.model.inputs()
        outputs = list(self.model.trajectory(inputs, training=False))
        return compiled(_feed_order(inputs), outputs, threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, tuple[str, int] | None]:
        """Return the states after each step (T, B, D), as the network sees them, and its outputs (T, B, O).

        And where the system made a state that is not finite, in words, and in which row; None where it did not.
        """
        following, outputs = self._function(*feed(self.model, batch))
        check_system(self.model, batch)
        return following, outputs, divergence(self.model)


class Evaluator:
    """The loss of a batch, without dropout, and what the metrics are made from.

    Parameters
    ----------
    model : Model
    kind : {"category", "number", "set"}
        Of the target.
    loss : LossSpec
        Section of the config.
    consumes : {"outputs", "losses"}
        Whether the metrics want the outputs (N, K) or the loss of each row (N,).
    """

    def __init__(self, model: Model, kind: Kind, loss: LossSpec, *, consumes: Literal["outputs", "losses"]) -> None:
        self.model, self.kind, self.loss, self.consumes = model, kind, loss, consumes

    @cached_property
    def _function(self) -> Any:
        inputs = self.model.inputs()
        outputs = self.model.graph(inputs, training=False)
        target, weight = _truth(self.kind, self.model.dtype)
        loss, losses = objective(self.kind, outputs.output, target, weight, self.loss)
        values = losses if self.consumes == "losses" else outputs.output
        inputs = [*_feed_order(inputs), target, weight]
        return compiled(inputs, [loss, values, outputs.state], threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch, previous_state: np.ndarray | None) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the loss summed over the batch's rows, what the metrics consume, and the final state (B, S)."""
        arrays = feed(self.model, batch, previous_state)
        loss, values, state = self._function(*arrays, *_answers(batch, self.model))
        check_system(self.model, batch)
        return float(loss), values, state


class Trainer:
    """One update in three parts: `backpropagate` once or more, look at `gradient_norm`, `update`.

    Between the parts fit accumulation over several batches, the search for values that are not finite, and a sum over
    several workers.

    Parameters
    ----------
    model : Model
    kind : {"category", "number", "set"}
        Of the target.
    loss, optimizer : LossSpec, OptimizerSpec
        Sections of the config.
    forcing : TeacherForcing, optional
        How often a loop is fed what was observed.
    """

    @exclusive
    def __init__(
        self, model: Model, kind: Kind, loss: LossSpec, optimizer: Optimizer, forcing: TeacherForcing | None = None
    ) -> None:
        self.model, self.kind, self.loss, self.forcing = model, kind, loss, forcing
        flat = model.parameters.flat
        self.gradient = pytensor.shared(np.zeros(model.parameters.size, flat.dtype), name="gradient")
        learning_rate = pytensor.tensor.scalar("learning_rate", dtype=flat.dtype)
        self.optimizer = build(optimizer, flat, self.gradient, learning_rate, model.parameters.segments())
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
        inputs = self.model.inputs()
        outputs = self.model.graph(inputs, training=True)
        target, weight = _truth(self.kind, self.model.dtype)
        loss, _ = objective(self.kind, outputs.output, target, weight, self.loss)
        gradients = pytensor.grad(loss, list(self.model.parameters.views.values()))
        updates = {self.gradient: flatten_into(self.gradient, gradients, add=accumulate)}
        inputs = [*_feed_order(inputs), target, weight]
        return compiled(inputs, [loss, outputs.state], updates=updates, threads=self.model.threads)

    @exclusive
    def backpropagate(
        self, batch: Batch, previous_state: np.ndarray | None, *, divisor: float, seed: int, step: int, part: int = 0
    ) -> tuple[float, np.ndarray]:
        """Put the gradient of a batch's loss into the buffer; return the loss and the final state (B, S).

        Parameters
        ----------
        batch : Batch
        previous_state : array (B', S) or None
            Final state of the batch before, for batches that carry on from it.
        divisor : float
            What the weights sum to over all parts of this update.
        seed, step, part : int
            What the dropout masks are drawn from; the first part starts a new gradient, further parts add to it.
        """
        seeds = np.random.SeedSequence([seed, step, part]).generate_state(self.model.places_that_drop, np.uint64)
        function = self._add_gradient if part else self._set_gradient
        forced = None
        if self.forcing is not None:
            forced = forced_steps(self.forcing, batch.mask.shape, seed=seed, step=step, part=part)
        seeds = (seeds >> np.uint64(1)).astype(np.int64)
        arrays = feed(self.model, batch, previous_state, seeds=seeds, forced=forced)
        loss, state = function(*arrays, *_answers(batch, self.model, divisor))
        check_system(self.model, batch)
        return float(loss), state

    def divergence(self) -> tuple[str, int] | None:
        """Return where the system made a state that is not finite in the last batch, in words, and in which row."""
        return divergence(self.model)

    @exclusive
    def gradient_norm(self) -> float:
        """Return the norm of the whole gradient, not finite where any of it is not, and find what clips it."""
        self._last_norm = float(self._norm()[0])
        return self._last_norm

    @exclusive
    def update(self, learning_rate: float, *, undo: bool = False) -> bool:
        """Take one step of the optimizer along the gradient in the buffer; return whether all is finite after it.

        With `undo`, a step after which it is not is taken back; that costs a copy of the state before each step.
        """
        flat = self.model.parameters.flat
        held = [flat, *self.optimizer.state.values()]
        before = [shared.get_value() for shared in held] if undo else []
        with np.errstate(over="ignore"):
            self._update(np.asarray(learning_rate, self.model.dtype))
        modest = self._last_norm < MODEST and _norm(flat.get_value(borrow=True)) < MODEST  # NaN is not
        finite = modest or all(np.isfinite(shared.get_value(borrow=True)).all() for shared in held)
        if not finite:
            for shared, value in zip(held, before, strict=False):
                shared.set_value(value, borrow=True)
        return finite


def _norm(vector: np.ndarray) -> float:
    """Return the norm of a vector, NaN or infinity where it has such a number or comes close."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.dot(vector, vector)))


def feed(
    model: Model,
    batch: Batch,
    previous_state: np.ndarray | None = None,
    *,
    seeds: np.ndarray | None = None,
    forced: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Return the arrays of a batch in the order of the model's inputs."""
    state, fresh = _initial_state(model, batch, previous_state)
    numbers = [] if batch.numbers is None else [_cast(batch.numbers, model)]
    tokens = [batch.tokens[name] for name in model.sizes.tokens]
    seeds = np.zeros(model.places_that_drop, np.int64) if seeds is None else seeds
    arrays = [*numbers, *tokens, batch.lengths, batch.counted, seeds, state, fresh]
    if batch.observed is None:
        return arrays
    given = np.arange(len(batch.mask))[:, np.newaxis] < batch.observed
    return [*arrays, (given if forced is None else given | forced).astype(np.int64), batch.observed]


def divergence(model: Model) -> tuple[str, int] | None:
    """Return where a model's system made a state that is not finite in the last batch, in words, and in which row."""
    system = model.loop.system if isinstance(model, ClosedLoop) else None
    if system is None or system.diverged is None:
        return None
    turn, row = system.diverged
    return f"{system.label} made a state that is not finite at step {turn} of the loop", row


def check_system(model: Model, batch: Batch) -> None:
    """Raise a `ConfigError` if the system that a model drives raised something on its way."""
    system = model.loop.system if isinstance(model, ClosedLoop) else None
    if system is None or system.failure is None:
        return
    time, error = system.failure
    system.failure = None
    turn = time - int(batch.observed.min()) + 2
    raise ConfigError(f"{system.label}: raised {error}, at step {turn} of a loop with {len(batch.lengths)} sequences")


def _initial_state(model: Model, batch: Batch, previous_state: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    state = np.zeros((len(batch.lengths), model.state_size), model.dtype)
    fresh = np.ones(len(batch.lengths), model.dtype)
    if batch.carry is not None and previous_state is not None:
        continued = batch.carry >= 0
        state[continued] = previous_state[batch.carry[continued]]
        fresh[continued] = 0
    return state, fresh


def _answers(batch: Batch, model: Model, divisor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return target and weight of a batch's rows."""
    target = batch.target if np.issubdtype(batch.target.dtype, np.integer) else _cast(batch.target, model)
    return target, _cast(batch.weight, model) / np.asarray(divisor, model.dtype)


def _cast(array: np.ndarray, model: Model) -> np.ndarray:
    return array.astype(model.dtype, copy=False)


def _feed_order(inputs: Inputs) -> list[Variable]:
    numbers = [] if inputs.numbers is None else [inputs.numbers]
    loop = [] if inputs.feed is None else [inputs.feed, inputs.observed]
    common = [inputs.lengths, inputs.counted, inputs.seeds, inputs.state, inputs.fresh]
    return [*numbers, *inputs.tokens.values(), *common, *loop]


def _truth(kind: Kind, dtype: str) -> tuple[Variable, Variable]:
    return target_variable(kind, dtype), pytensor.tensor.vector("weight", dtype=dtype)
