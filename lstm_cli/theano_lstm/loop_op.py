"""A recurrent layer over sequences of one length, as a loop runs it. Legend: T time, B batch, I input, H units."""

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable

from lstm_cli.ops.contract import Storage
from lstm_cli.ops.recurrent import Recurrent, RecurrentGradient


def loop(
    x: Variable, W: Variable, b: Variable, initial: Sequence[Variable], *, cell: str, activation: str
) -> Variable:  # fmt: skip
    """Return h (T, B, H) of a layer over x (T, B, I); the other arguments are those of `recurrent`.

    Unlike there, T and B may be 0, and the gradient has a gradient.
    """
    lengths = pt.alloc(x.shape[0], x.shape[1])
    h: Variable = Loop(cell, activation, False, False)(x, lengths, W, b, *initial, return_list=True)[0]
    return h


class Loop(Recurrent):
    """`Recurrent` without a mask, forward in time, with T in all lengths."""

    def gradient_op(self) -> "LoopGradient":
        """Return the Op of the gradient."""
        return LoopGradient(self)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels, if there is a step to run."""
        x, initial = inputs[0], self.split(inputs)[4]
        if x.shape[0] and x.shape[1]:
            super().perform(node, inputs, outputs)
            return
        empty = np.empty((0, 0), x.dtype)
        results = [np.empty((*x.shape[:2], initial[0].shape[1]), x.dtype), *(state.copy() for state in initial)]
        for output, result in zip(outputs, [*results, np.array(1), empty[None][:0], empty], strict=True):
            output[0] = result


class LoopGradient(RecurrentGradient):
    """The gradient of `Loop`."""

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels, if there is a step to run."""
        source, _, W, b, initial, _ = self.forward.split(inputs[: self.inputs])
        x, finals = source[0], inputs[-self.forward.states :]
        if x.shape[0] and x.shape[1]:
            super().perform(node, inputs, outputs)
            return
        flowing = [final if final.size else np.zeros_like(state) for final, state in zip(finals, initial, strict=True)]
        results = [np.zeros_like(x), np.zeros_like(W), np.zeros_like(b), *(final.copy() for final in flowing)]
        for output, result in zip(outputs, results, strict=True):
            output[0] = result
