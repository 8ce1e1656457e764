"""The loss of each kind of target: ``sum_n weight_n * loss(output_n, target_n)`` over the N counted positions.

The weights are normalised: they sum to 1 over all batches of one update, so that the loss accumulated over several
batches is that of one large batch. Legend: N counted positions, K outputs, D numbers.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.train import LossSpec
from lstm_cli.graph.inputs import Inputs
from lstm_cli.ops.losses import regression_loss, sigmoid_cross_entropy, softmax_cross_entropy
from lstm_cli.ops.spread import gaussian_loss, pinball_loss

Kind = Literal["category", "number", "set"]


class Objective(Protocol):
    """What training minimises."""

    def target(self, dtype: str) -> Variable:
        """Return the symbolic target that the loss compares outputs with."""

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and the loss of every position (N,), neither weighted nor smoothed.

        Parameters
        ----------
        output : matrix (N, K)
        inputs : Inputs
            Those of the graph, with `target`, the variable that the method of this name returned, and `weight` (N,).
        """


def objective(kind: Kind, loss: LossSpec) -> Objective:
    """Return the objective of a kind of target with the section `loss` of the config."""
    match kind:
        case "category":
            return Categories(loss.label_smoothing)
        case "set":
            return Sets()
        case "number":
            return _of_numbers(loss)


def _of_numbers(loss: LossSpec) -> Objective:
    if loss.distribution == "gaussian":
        return Gaussian()
    return Distances(loss.distance, loss.huber_delta) if loss.quantiles is None else Quantiles(loss.quantiles)


@dataclass(frozen=True)
class Categories:
    """Cross-entropy of class indices (N,)."""

    label_smoothing: float = 0.0

    def target(self, dtype: str) -> Variable:
        """Return the class indices (N,)."""
        return pt.lvector("target")

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and that of every position (N,)."""
        return softmax_cross_entropy(output, inputs.target, inputs.weight, label_smoothing=self.label_smoothing)


@dataclass(frozen=True)
class Sets:
    """Cross-entropy of label indicators (N, K)."""

    def target(self, dtype: str) -> Variable:
        """Return the label indicators (N, K)."""
        return pt.matrix("target", dtype=dtype)

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and that of every position (N,)."""
        return sigmoid_cross_entropy(output, inputs.target, inputs.weight)


@dataclass(frozen=True)
class _Numbers:
    """What is compared with numbers (N, D)."""

    def target(self, dtype: str) -> Variable:
        """Return the numbers (N, D)."""
        return pt.matrix("target", dtype=dtype)


@dataclass(frozen=True)
class Distances(_Numbers):
    """Distance of numbers (N, D)."""

    distance: str = "squared"
    delta: float = 1.0

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and that of every position (N,)."""
        return regression_loss(output, inputs.target, inputs.weight, distance=self.distance, delta=self.delta)


@dataclass(frozen=True)
class Quantiles(_Numbers):
    """Pinball loss of quantiles (N, C * D)."""

    levels: tuple[float, ...]

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and that of every position (N,)."""
        return pinball_loss(output, inputs.target, inputs.weight, levels=self.levels)


@dataclass(frozen=True)
class Gaussian(_Numbers):
    """Negative log-likelihood of Gaussians, of means and of these plus their deviations (N, 2 * D)."""

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and that of every position (N,)."""
        return gaussian_loss(output, inputs.target, inputs.weight)
