"""The compiled function that scores: the loss of a batch, and what the metrics are made from.

Legend: B batch, K outputs, N counted positions, S numbers of state a sequence.
"""

from functools import cached_property
from typing import Any, Literal

import numpy as np

from lstm_cli.config.train import LossSpec
from lstm_cli.data import Batch
from lstm_cli.engine.inputs import input_arrays, inputs_with_target
from lstm_cli.engine.metrics import Task, accumulator
from lstm_cli.engine.system import check_system
from lstm_cli.graph.model import Model
from lstm_cli.graph.objectives import Kind, objective
from lstm_cli.ops.mode import compiled, exclusive


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
        Whether the metrics take the outputs (N, K) or the loss at each counted position (N,).
    """

    def __init__(self, model: Model, kind: Kind, loss: LossSpec, *, consumes: Literal["outputs", "losses"]) -> None:
        self.model, self.kind, self.loss, self.consumes = model, kind, loss, consumes

    @classmethod
    def of(cls, model: Model, target: Task, loss: LossSpec) -> "Evaluator":
        """Return what scores a model on a target with all the metrics of its kind."""
        return cls(model, target.kind, loss, consumes=accumulator(target).consumes)

    @cached_property
    def _function(self) -> Any:
        inputs, target, weight = inputs_with_target(self.model, self.kind)
        outputs = self.model.graph(inputs, training=False)
        loss, losses = objective(self.kind, outputs.output, target, weight, self.loss)
        values = losses if self.consumes == "losses" else outputs.output
        return compiled(inputs.in_order(), [loss, values, outputs.state], threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch, previous_state: np.ndarray | None) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the loss summed over the counted positions, what the metrics consume, and the final state (B, S)."""
        arrays = input_arrays(self.model, batch, previous_state, divisor=1.0)
        loss, values, state = self._function(*arrays.in_order())
        check_system(self.model, batch)
        return float(loss), values, state
