"""Several trained models as one, whose prediction is the mean of theirs (Hansen and Salamon 1990).

With the outputs y_m of the M members:

    category   y = log(sum_m softmax(y_m) / M)         so that softmax(y) is the mean of the probabilities
    set        y = logit(sum_m sigmoid(y_m) / M)       likewise, of each label
    number     y = sum_m y_m / M                       quantiles too
    gaussian   mu = sum_m mu_m / M,  s^2 = sum_m (s_m^2 + mu_m^2) / M - mu^2
               the moments of the mixture (Lakshminarayanan et al. 2017), with the outputs mu and mu + s

With conditional random fields the scores of labels and transitions are averaged, so that the probability of a
labelling is proportional to the geometric mean of its probabilities.

Legend: M members, N counted positions, K outputs, B batch, S state values per sequence.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Model, Outputs
from lstm_cli.graph.objectives import Kind
from lstm_cli.graph.plan import Direction, LayerPlan

Combined = Literal[Kind, "gaussian"]


class Ensemble(Model):
    """Models with the same inputs and outputs, run side by side; it predicts, and is not trained.

    Its state (B, S) is that of the first member, then that of the second, ….

    Parameters
    ----------
    members : sequence of Model
    parts : sequence of pairs of slice and {"category", "number", "set", "gaussian"}
        The outputs of each target column, and its kind; ``gaussian`` for numbers with a mean and a deviation.
    """

    def __init__(self, members: Sequence[Model], parts: Sequence[tuple[slice, Combined]]) -> None:
        first = members[0]
        self.members, self._parts = tuple(members), parts
        self.sizes, self.dtype, self.threads = first.sizes, first.dtype, first.threads
        pools = (member.spec.pool for member in members)
        everything = {
            "layers": tuple(layer for member in members for layer in member.spec.layers),
            "pool": next((pool for pool in pools if pool != "last"), "last"),
        }
        self.spec = first.spec.model_copy(update=everything)  # what they need together: memory, whole sequences
        self.embeddings, self.dropout_rates = first.embeddings, {}
        self.layers: tuple[LayerPlan, ...] = tuple(layer for member in members for layer in member.layers)

    @property
    def directions(self) -> list[Direction]:
        """All recurrent passes of all members, in the order of their states in the state matrix (B, S)."""
        return [direction for member in self.members for direction in member.directions]

    def chain(self) -> list[Variable]:
        """Return the mean of the members' transitions (K, K), starts (K,) and ends (K,)."""
        return [mean("number", each) for each in zip(*(member.chain() for member in self.members), strict=True)]

    def weights(self) -> dict[str, np.ndarray]:
        """Return the value of every parameter, its name behind the number of the member."""
        named = ((number, member.weights()) for number, member in enumerate(self.members))
        return {f"{number}.{name}": array for number, arrays in named for name, array in arrays.items()}

    def graph(self, inputs: Inputs[Variable], *, training: bool) -> Outputs:
        """Build the members over `inputs`, and what they output together."""
        if training:
            raise ValueError("an ensemble is not trained: train its members")
        return self.observed(inputs)

    def observed(self, inputs: Inputs[Variable]) -> Outputs:
        """Build the members over `inputs`, and what they output together."""
        found, start = [], 0
        for member in self.members:
            stop = start + member.state_size
            own = replace(inputs, state=inputs.state[:, start:stop])
            found.append(member.observed(own))
            start = stop
        return Outputs(
            self._mean([each.output for each in found]), pt.concatenate([each.state for each in found], axis=1)
        )

    def _mean(self, outputs: Sequence[Variable]) -> Variable:
        """Return the output (N, K) of the ensemble from those of its members."""
        if self.spec.crf:
            return mean("number", outputs)
        if len(self._parts) == 1:
            return mean(self._parts[0][1], outputs)
        means = [mean(kind, [output[:, part] for output in outputs]) for part, kind in self._parts]
        return pt.concatenate(means, axis=1)


def mean(kind: Combined, outputs: Sequence[Variable]) -> Variable:
    """Return the output (N, K) whose prediction is the mean of those of the members' outputs, each (N, K)."""
    match kind:
        case "number":
            return sum(outputs[1:], outputs[0]) / len(outputs)
        case "gaussian":
            return _mixture(outputs)
        case "category":
            return _log_mean([y - _log_sum(y) for y in outputs])
        case "set":
            return _log_mean([-pt.softplus(-y) for y in outputs]) - _log_mean([-pt.softplus(y) for y in outputs])


def _mixture(outputs: Sequence[Variable]) -> Variable:
    """Return the mean, and that plus the deviation, of a mixture of Gaussians given so, each (N, 2 * D)."""
    values = outputs[0].shape[1] // 2
    means = [y[:, :values] for y in outputs]
    middle = mean("number", means)
    apart = [pt.square(y[:, values:] - own) + pt.square(own - middle) for y, own in zip(outputs, means, strict=True)]
    return pt.concatenate([middle, middle + pt.sqrt(mean("number", apart))], axis=1)


def _log_mean(logarithms: Sequence[Variable]) -> Variable:
    """Return the logarithm of the mean of numbers from theirs, each (N, K)."""
    largest = logarithms[0]
    for each in logarithms[1:]:
        largest = pt.maximum(largest, each)
    total = sum((pt.exp(each - largest) for each in logarithms[1:]), pt.exp(logarithms[0] - largest))
    return largest + pt.log(total) - np.asarray(math.log(len(logarithms)), largest.dtype)


def _log_sum(y: Variable) -> Variable:
    """Return the logarithm of the sum of the exponentials in each row of y (N, K), (N, 1)."""
    largest = pt.max(y, axis=1, keepdims=True)
    return largest + pt.log(pt.sum(pt.exp(y - largest), axis=1, keepdims=True))
