"""The loss of each kind of target: ``sum_n weight_n * loss(output_n, target_n)`` over the N counted positions.

The weights are normalised: they sum to 1 over all batches of one update, so that the loss accumulated over several
batches is that of one large batch.
"""

from typing import Literal

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.train import LossSpec
from lstm_cli.ops.losses import regression_loss, sigmoid_cross_entropy, softmax_cross_entropy

Kind = Literal["category", "number", "set"]


def target_variable(kind: Kind, dtype: str) -> Variable:
    """Return the symbolic target: class indices (N,), numbers (N, D) or label indicators (N, K)."""
    return pt.lvector("target") if kind == "category" else pt.matrix("target", dtype=dtype)


def objective(
    kind: Kind, output: Variable, target: Variable, weight: Variable, spec: LossSpec
) -> tuple[Variable, Variable]:
    """Return the loss, and the loss of every position (N,) without label smoothing.

    Parameters
    ----------
    kind : {"category", "number", "set"}
    output : matrix (N, K)
    target : vector (N,) of classes, or matrix (N, K)
    weight : vector (N,)
    spec : LossSpec
        The section `loss` of the config.
    """
    match kind:
        case "category":
            return softmax_cross_entropy(output, target, weight, label_smoothing=spec.label_smoothing)
        case "set":
            return sigmoid_cross_entropy(output, target, weight)
        case "number":
            return regression_loss(output, target, weight, distance=spec.distance, delta=spec.huber_delta)
