"""A model in a closed loop: with a system that it drives, or on its own predictions.

Legend: T time, B batch, D numbers of the state, N rows that count, H units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.model import ModelSpec
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Dropper, Model, Outputs
from lstm_cli.graph.plan import LayerPlan, Sizes
from lstm_cli.ops.loop_arguments import LayerKind
from lstm_cli.ops.rollout import LayerInputs, System, rollout
from lstm_cli.ops.rows import gather


@dataclass(frozen=True)
class LoopPlan:
    """What a closed loop is made of.

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
    """A model whose input at each step depends on the steps before; `Model` is its open loop.

    Parameters
    ----------
    spec, sizes, seed, dtype
        As for `Model`.
    loop : LoopPlan
    """

    def __init__(self, spec: ModelSpec, sizes: Sizes, loop: LoopPlan, *, seed: int = 0, dtype: str = "float32") -> None:
        super().__init__(spec, sizes, seed=seed, dtype=dtype)
        self.loop = loop

    def inputs(self) -> Inputs[Variable]:
        """Return fresh symbolic inputs, with those that say which states are observed."""
        return replace(super().inputs(), feed=pt.lmatrix("feed"), observed=pt.lvector("observed"))

    def graph(self, inputs: Inputs[Variable], *, training: bool) -> Outputs:
        """Build the loop over `inputs`; the output (N, D') is the compared part of the next states."""
        following, _ = self.trajectory(inputs, training=training)
        rows = gather(following, inputs.counted)
        every = self.loop.elements == tuple(range(self.loop.size))
        return Outputs(rows if every else rows[:, list(self.loop.elements)], inputs.state)

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
            size=self.loop.size,
            system=self.loop.system,
            residual=self.spec.residual,
        )

    def _layer_inputs(
        self, layer: LayerPlan, inputs: Inputs[Variable], start: Sequence[Variable], drop: Dropper
    ) -> LayerInputs:
        """Return one layer as the loop takes it, with its masks: on the state (B, H), on the output (T, B, H)."""
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
