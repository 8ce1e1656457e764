"""A recurrent layer over sequences of one length, as a loop runs it. Legend: T time, B batch, I input, H units."""

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Constant, Variable

from lstm_cli.ops.contract import Storage, is_disconnected
from lstm_cli.ops.recurrent import Recurrent, RecurrentGradient
from lstm_cli.theano_lstm.loops.by_scan import second_gradients


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
    """The gradient of `Loop`, which has one itself."""

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels, if there is a step to run."""
        source, _, W, b, initial, *_ = self.forward.split(inputs[: self.inputs])
        x, finals = source[0], inputs[-self.forward.states :]
        if x.shape[0] and x.shape[1]:
            super().perform(node, inputs, outputs)
            return
        flowing = [final if final.size else np.zeros_like(state) for final, state in zip(finals, initial, strict=True)]
        results = [np.zeros_like(x), np.zeros_like(W), np.zeros_like(b), *(final.copy() for final in flowing)]
        for output, result in zip(outputs, results, strict=True):
            output[0] = result

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """All but the lengths counts; what the forward pass kept follows from the other inputs."""
        flows = [True, False, *[True] * (2 + self.forward.states), *[False] * 4, *[True] * (1 + self.forward.states)]
        return [[flow] * len(node.outputs) for flow in flows]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the second gradients, computed by scans."""
        forward, kept = inputs[: self.inputs], [disconnected_type() for _ in range(4)]
        flowing = [None if _is_empty(v) else v for v in inputs[self.inputs + 4 :]]
        sources, op = [forward[0], *forward[2:]], self.forward
        given = [None if is_disconnected(v) else v for v in cotangents]
        gradients = second_gradients(op.cell, op.activation, sources, flowing, given)
        first, rest = gradients[: len(sources)], iter(gradients[len(sources) :])
        of_flowing = [pt.zeros_like(v) if _is_empty(v) else next(rest) for v in inputs[self.inputs + 4 :]]
        return [first[0], disconnected_type(), *first[1:], *kept, *of_flowing]


def _is_empty(cotangent: Variable) -> bool:
    """Whether a cotangent is a constant without elements, which stands for zeros."""
    return isinstance(cotangent, Constant) and cotangent.data.size == 0
