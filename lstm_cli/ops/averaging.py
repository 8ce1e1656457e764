"""A running average of the weights as an Op. Legend: P parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable

from lstm_cli.ops.contract import Storage, infers_shape
from lstm_cli.ops.inplace import InplaceOp

_PIECE = 1 << 14  # numbers at a time, which stay in the cache


class RunningAverage(InplaceOp):
    """``(average (P,), count, values (P,)) -> (average, count + 1)``: the debiased exponential moving average.

    After t values x_1 … x_t the average is the sum of (1 - d) d^(t - k) x_k, divided by 1 - d^t, as in optax's ``ema``
    with ``debias`` (of the weights: Polyak and Juditsky 1992). Computed as

        a_t = a_(t-1) + (1 - d) / (1 - d^t) (x_t - a_(t-1)),

    which leaves what does not change bit for bit as it is.

    Parameters
    ----------
    decay : float
        d, between 0 and 1.
    """

    __props__ = ("decay", "inplace")

    def __init__(self, decay: float) -> None:
        self.decay = decay

    def make_node(self, average: Variable, count: Variable, values: Variable) -> Apply:
        inputs = [pt.as_tensor_variable(variable) for variable in (average, count, values)]
        if inputs[0].type != inputs[2].type:
            raise TypeError(f"RunningAverage: expected two vectors of a kind, got {[str(v.type) for v in inputs]}")
        return Apply(self, inputs, [inputs[0].type(), inputs[1].type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0], shapes[1]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        given, count, values = inputs
        number = float(count) + 1
        average = self.writable(given)
        if number == 1:
            average[:] = values
        else:
            share = average.dtype.type((1 - self.decay) / (1 - self.decay**number))
            for start in range(0, average.size, _PIECE):
                piece = average[start : start + _PIECE]
                piece += share * (values[start : start + _PIECE] - piece)
        outputs[0][0], outputs[1][0] = average, np.asarray(number)
