"""The compiled function that scores: the loss of a batch, and the values for the metrics.

Legend: B batch, K outputs, N counted positions, S state values per sequence.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from lstm_cli.config.train import LossSpec
from lstm_cli.data import Batch
from lstm_cli.data.schema.target import Target
from lstm_cli.engine.chains import chain_places
from lstm_cli.engine.inputs import input_arrays, inputs_with_target
from lstm_cli.engine.metrics import accumulator
from lstm_cli.engine.objective import objective_of
from lstm_cli.engine.system import check_system
from lstm_cli.graph.crf import Labelings, decoded
from lstm_cli.graph.model import Model
from lstm_cli.graph.objectives import Objective
from lstm_cli.ops.mode import compiled, exclusive


@dataclass(frozen=True, eq=False)
class Scored:
    """A batch as a model scores it.

    Attributes
    ----------
    loss
        Summed over the counted positions.
    outputs : array (N, K)
        Of the network, at the counted positions; (N, K + 1) of a conditional random field.
    losses : array (N,), or (N, P) of P target columns
        The loss of each, neither weighted nor smoothed: nats of categories and sets; 0 for an unknown category. Of a
        conditional random field the mean over the known steps of the sequence.
    state : array (B, S)
        The final one of each sequence.
    """

    loss: float
    outputs: np.ndarray
    losses: np.ndarray
    state: np.ndarray


class Evaluator:
    """The loss of a batch, without dropout, and the values for the metrics.

    Parameters
    ----------
    model : Model
    objective : Objective
    consumes : {"outputs", "losses"}
        Whether the metrics consume the outputs (N, K) or the loss at each counted position (N,).
    """

    def __init__(self, model: Model, objective: Objective, *, consumes: Literal["outputs", "losses"]) -> None:
        self.model, self.objective, self.consumes = model, objective, consumes

    @classmethod
    def of(cls, model: Model, target: Target, loss: LossSpec) -> "Evaluator":
        """Return the evaluator of a model on a target, for all metrics of the target's kind."""
        own = Labelings(model) if model.spec.crf else objective_of(target, loss)
        several = target.kind == "several"  # whose metrics are made of the outputs
        return cls(model, own, consumes="outputs" if several else accumulator(target).consumes)

    @cached_property
    def _function(self) -> Any:
        inputs = inputs_with_target(self.model, self.objective)
        outputs = self.model.graph(inputs, training=False)
        loss, losses = self.objective(outputs.output, inputs)
        output = decoded(self.model, outputs.output, inputs)
        return compiled(inputs.in_order(), [loss, output, losses, outputs.state], threads=self.model.threads)

    @exclusive
    def scored(self, batch: Batch, previous_state: np.ndarray | None) -> Scored:
        """Return the loss, the outputs and the losses at the counted positions, and the final state."""
        arrays = input_arrays(self.model, batch, previous_state, divisor=1.0)
        loss, outputs, losses, state = self._function(*arrays.in_order())
        check_system(self.model, batch)
        if self.model.spec.crf:
            places = chain_places(batch)
            outputs, losses = outputs[places], losses[places]
        return Scored(float(loss), outputs, losses, state)

    def values(self, scored: Scored) -> np.ndarray:
        """Return what the metrics consume."""
        return scored.losses if self.consumes == "losses" else scored.outputs

    def __call__(self, batch: Batch, previous_state: np.ndarray | None) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the loss summed over the counted positions, what the metrics consume, and the final state (B, S)."""
        scored = self.scored(batch, previous_state)
        return scored.loss, self.values(scored), scored.state
