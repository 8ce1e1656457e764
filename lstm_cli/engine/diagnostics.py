"""Looks into the recurrent layers of a model: how far back its gradient reaches, and the values of its gates.

Legend: T time, B batch, I input, H units, N counted positions, S real steps of a batch.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import grad
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import io_toposort

from lstm_cli.data import Batch
from lstm_cli.engine.inputs import input_arrays, inputs_with_target
from lstm_cli.engine.predictor import Driver
from lstm_cli.engine.system import check_system
from lstm_cli.graph.model import Model
from lstm_cli.graph.objectives import Objective
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.ops.mode import compiled, exclusive
from lstm_cli.ops.recurrent import Recurrent
from lstm_cli.ops.rollout_inputs import seen_gradient

#: By cell, the gates among what the cell keeps of each step: their names, and whether they are sigmoids. Those that are
#: not have the layer's activation.
GATES: dict[str, dict[str, tuple[str, bool]]] = {
    "lstm": {"i": ("input", True), "f": ("forget", True), "o": ("output", True), "z": ("candidate", False)},
    "gru": {"r": ("reset", True), "u": ("update", True), "n": ("candidate", False)},
    "rnn": {"h": ("state", False)},
}


class Gate(NamedTuple):
    """The values (S, H) of a gate, where it is, and the function that they are values of."""

    layer: str
    name: str
    activation: str
    values: NDArray[np.floating]


class Probe:
    """Looks into a model on batches, without dropout.

    Parameters
    ----------
    model : Model
    objective : Objective
    """

    def __init__(self, model: Model, objective: Objective) -> None:
        self.model, self.objective = model, objective

    @property
    def values_per_step(self) -> int:
        """About how many numbers are held for each step of a batch."""
        return sum(3 * part.units * (len(part.cell.kept) + 1) for part in self.model.directions)

    def gates(self, batch: Batch) -> Iterator[Gate]:
        """Yield every gate's values on the real steps of a batch, layer by layer; of a closed loop, those in it."""
        for direction, kept in zip(self.model.directions, self._kept(batch), strict=True):
            for place, name in enumerate(direction.cell.kept):
                known = GATES.get(direction.cell.name, {}).get(name)
                if known is not None:
                    activation = "sigmoid" if known[1] else direction.activation
                    yield Gate(direction.name, known[0], activation, kept[:, place])

    @exclusive
    def _kept(self, batch: Batch) -> list[NDArray[np.floating]]:
        if isinstance(self.model, ClosedLoop) and batch.observed is not None:
            batch = _closed(self.model, batch, batch.observed)
        arrays: list[NDArray[np.floating]] = self._gate_function(*input_arrays(self.model, batch).in_order())
        return arrays

    @cached_property
    def _gate_function(self) -> Any:
        """The function that returns what each pass keeps of its real steps (S, kept, H), in any order of the steps."""
        inputs = Model.inputs(self.model)
        outputs = Model.graph(self.model, inputs, training=False)
        weights = {self.model.parameters.views[f"{direction.name}.W"]: direction for direction in self.model.directions}
        found = {}
        for node in io_toposort([], [outputs.output, outputs.state]):
            if isinstance(node.op, Recurrent):
                W = node.op.split(node.inputs)[2]
                found[weights[W].name] = node.outputs[-2]
        gates = [found[direction.name] for direction in self.model.directions]
        return compiled(inputs.in_order(), gates, threads=self.model.threads)

    @exclusive
    def input_gradient_norms(self, batch: Batch) -> NDArray[np.floating]:
        """Return the norm of the gradient of a batch's loss with respect to each step's input (T, B).

        The input is that of the first recurrent layer: numbers and embeddings. The loss is summed with the batch's
        weights; sequences do not depend on each other. In a closed loop it is what the network sees, observed or fed
        back, and the gradient is the one through the loop: a step's input moves the states that follow, which enter
        the later steps.
        """
        norms: NDArray[np.floating] = self._norms(*input_arrays(self.model, batch, divisor=1.0).in_order())
        check_system(self.model, batch)
        return norms

    @cached_property
    def _norms(self) -> Any:
        inputs = inputs_with_target(self.model, self.objective)

        def loss(output: Variable) -> Variable:
            return self.objective(output, inputs)[0]

        if isinstance(self.model, ClosedLoop):
            following, _ = self.model.trajectory(inputs, training=False)
            own = grad(loss(self.model.compared(following, inputs)), following)
            gradient = seen_gradient(following, own)
        else:
            x = self.model.embedded(inputs)
            gradient = grad(loss(self.model.graph_over(x, inputs).output), x)
        return compiled(inputs.in_order(), pt.sqrt((gradient**2).sum(axis=2)), threads=self.model.threads)


def _closed(model: ClosedLoop, batch: Batch, observed: NDArray[np.int64]) -> Batch:
    """Return a batch whose inputs are those that the network sees in the closed loop."""
    following, _, _ = Driver(model)(batch)
    size, numbers = model.closed_loop.size, np.array(batch.numbers)
    given = (np.arange(len(batch.mask))[:, np.newaxis] < observed)[:, :, np.newaxis]
    fed = np.concatenate([numbers[:1, :, :size], following[:-1]])
    numbers[:, :, :size] = np.where(given, numbers[:, :, :size], fed)
    numbers[:, :, size:] *= given  # indicators of filled gaps
    return replace(batch, numbers=numbers, observed=None)
