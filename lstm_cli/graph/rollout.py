"""A model in a closed loop: with a system that it drives, or on its own predictions.

Legend: T time, B batch, D numbers of the state, N counted positions, H units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.model import ModelSpec
from lstm_cli.graph.dropper import Dropper
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Model, Outputs
from lstm_cli.graph.plan import LayerPlan, Sizes
from lstm_cli.ops.loop_arguments import LayerKind
from lstm_cli.ops.rollout import LayerInputs, System, rollout
from lstm_cli.ops.rows import gather


@dataclass(frozen=True)
class ClosedLoopPlan:
    """The plan of a closed loop.

    Attributes
    ----------
    size : int
        D: the state is in the first D numbers of the network's input.
    elements : tuple of int
        The elements of the state that are compared with the target.
    system : System or None
        None: the network's output is the next state.
    """

    size: int
    elements: tuple[int, ...]
    system: System | None


class ClosedLoop(Model):
    """A model whose input at each step depends on the steps before; `Model` is the network without the feedback.

    Parameters
    ----------
    spec, sizes, seed, dtype
        As for `Model`.
    closed_loop : ClosedLoopPlan
    """

    def __init__(
        self, spec: ModelSpec, sizes: Sizes, closed_loop: ClosedLoopPlan, *, seed: int = 0, dtype: str = "float32"
    ) -> None:
        super().__init__(spec, sizes, seed=seed, dtype=dtype)
        self.closed_loop = closed_loop

    def inputs(self) -> Inputs[Variable]:
        """Return fresh symbolic inputs, with those for the observed states."""
        return replace(super().inputs(), feed=pt.lmatrix("feed"), observed=pt.lvector("observed"))

    def graph(self, inputs: Inputs[Variable], *, training: bool) -> Outputs:
        """Build the closed loop over `inputs`; the output (N, D') is the compared part of the next states."""
        following, _ = self.trajectory(inputs, training=training)
        return Outputs(self.compared(following, inputs), inputs.state)

    def compared(self, following: Variable, inputs: Inputs[Variable]) -> Variable:
        """Return what is compared with the target (N, D') of the states after each step (T, B, D)."""
        states = gather(following, inputs.counted)
        every = self.closed_loop.elements == tuple(range(self.closed_loop.size))
        return states if every else states[:, list(self.closed_loop.elements)]

    def trajectory(self, inputs: Inputs[Variable], *, training: bool) -> tuple[Variable, Variable]:
        """Return the states after each step (T, B, D), and the network's outputs (T, B, O)."""
        drop, starts = self._dropper(inputs, training), self._initial_states(inputs)
        layers = [self._layer_inputs(layer, inputs, starts[layer.name], drop) for layer in self.layers]
        W, b = self._views("output", "W", "b")
        return rollout(
            inputs.numbers,
            inputs.feed,
            inputs.lengths,
            inputs.observed,
            layers,
            (W, b, self._output_activation),
            size=self.closed_loop.size,
            system=self.closed_loop.system,
            residual=self.spec.residual,
        )

    def _layer_inputs(
        self, layer: LayerPlan, inputs: Inputs[Variable], start: Sequence[Variable], drop: Dropper
    ) -> LayerInputs:
        """Return one layer's inputs of the closed loop, with masks for its state (B, H) and its output (T, B, H)."""
        assert inputs.feed is not None
        (direction,) = layer.directions
        steps, batch = inputs.feed.shape[0], inputs.lengths.shape[0]
        mask = drop.mask(direction.name, (batch, direction.units), self.dtype)
        dropped = drop.mask(f"{layer.name}.output", (steps, batch, direction.units), self.dtype)
        kind = LayerKind(direction.cell.name, direction.activation, mask is not None, dropped is not None)
        W, b = self._views(direction.name, "W", "b")
        return LayerInputs(kind, W, b, start, mask, dropped)

    @property
    def _output_activation(self) -> str:
        if self.spec.output is not None:
            return self.spec.output.activation
        return self.spec.output_activation or "linear"
