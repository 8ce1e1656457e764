"""The gradient of what the network of a closed loop sees at each step: training does not need it, diagnostics do.

Legend: T time, B batch, I input, H units, G gate blocks, D numbers of the state, N real steps of all sequences.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.kernels.recurrent.layer import copied
from lstm_cli.kernels.rollout import loop as kernels
from lstm_cli.kernels.rollout.memory import view
from lstm_cli.ops.contract import Storage, infers_shape
from lstm_cli.ops.loop_arguments import Arguments, arguments
from lstm_cli.ops.rollout import Rollout


def seen_gradient(following: Variable, dfollowing: Variable) -> Variable:
    """Return the gradient of what the network sees at each step (T, B, I).

    It holds all that a step's input does through the network: at that step, in the states of the layers, and through
    the closed loop at the steps after. Where the state enters the system itself, or is what an output is added to, it
    is not moved.

    Parameters
    ----------
    following : (T, B, D)
        The first result of `lstm_cli.ops.rollout.rollout`.
    dfollowing : (T, B, D)
        Its gradient.
    """
    node = following.owner
    return RolloutInputGradient(node.op)(*node.inputs, node.outputs[2], dfollowing)


class RolloutInputGradient(Op):
    """``(*inputs, work, dfollowing) -> dnumbers`` (T, B, I), of `Rollout`'s inputs and its memory `work`."""

    __props__ = ("forward",)

    def __init__(self, forward: Rollout) -> None:
        self.forward = forward

    def make_node(self, *inputs: Variable) -> Apply:
        """Make an output of the type of the numbers."""
        return Apply(self, list(inputs), [inputs[0].type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shape of the numbers."""
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Go back through the closed loop; the gradients of the first layer's sums are then in its memory."""
        *arrays, work, dfollowing = inputs
        given, system = arguments(self.forward, arrays), self.forward.system
        flowing, work = np.ascontiguousarray(given.order.of_stack(dfollowing)), copied(work)
        kernels.run_backward(given.loop, work, flowing, None if system is None else system.step_gradient)
        outputs[0][0] = given.restore_stack(_inputs_gradient(given, work))


def _inputs_gradient(given: Arguments, work: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return ``sum_g ds_g W_g`` (T, B, I) over the first layer's sums s (N, G H) of x; zeros at padding."""
    layer, memory, schedule = given.loop.layers[0], given.loop.memory, given.loop.schedule
    cell, blocks = layer.cell, layer.cell.weight_blocks
    kept = view(work, memory.layers[0]["gates"], schedule.total, cell.kept_blocks, layer.units)
    weights = layer.W.reshape(blocks, layer.units, -1)[list(cell.sum_order[:blocks]), :, : layer.inputs]
    steps, batch = memory.shape
    found = np.zeros((steps, batch, layer.inputs), work.dtype)
    found[np.arange(batch) < schedule.running.counts[:, np.newaxis]] = np.tensordot(kept[:, :blocks], weights, axes=2)
    return found
