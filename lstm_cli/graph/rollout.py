"""A model in a closed loop: with a system that it drives, or on its own predictions.

Legend: T time, B batch, D numbers of the state, N rows that count, H units.
"""

from dataclasses import dataclass, replace

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.config.model import ModelSpec
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Dropper, Model, Outputs
from lstm_cli.graph.plan import Sizes
from lstm_cli.ops.loop_arguments import LayerKind
from lstm_cli.ops.rollout import LayerInputs, System, rollout
from lstm_cli.ops.rows import gather


@dataclass(frozen=True)
class LoopPlan:
    """What a loop is made of.

    Attributes
    ----------
    size : int
        D: so many of the first numbers that the network sees are the state.
    elements : tuple of int
        Of the state, those that are compared with the target.
    system : System or None
        None: the network's output is the next state.
    """

    size: int
    elements: tuple[int, ...]
    system: System | None


class ClosedLoop(Model):
    """A model whose steps see what followed from the steps before; the open loop is that of `Model`.

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
        """Return fresh symbolic inputs, with what of them is observed."""
        return replace(super().inputs(), feed=pt.lmatrix("feed"), observed=pt.lvector("observed"))

    def graph(self, inputs: Inputs[Variable], *, training: bool) -> Outputs:
        """Lay the loop out over `inputs`; the output (N, D') is the compared part of the states that follow."""
        following, _ = self.trajectory(inputs, training=training)
        rows = gather(following, inputs.counted)
        every = self.loop.elements == tuple(range(self.loop.size))
        return Outputs(rows if every else rows[:, list(self.loop.elements)], inputs.state)

    def trajectory(self, inputs: Inputs[Variable], *, training: bool) -> tuple[pt.TensorVariable, pt.TensorVariable]:
        """Return the states after each step (T, B, D), and what the network put out (T, B, O)."""
        drop = Dropper(inputs.seeds if training else None)
        starts = self._initial_states(inputs)
        layers = []
        for layer in self.layers:
            (direction,) = layer.directions
            batch = inputs.lengths.shape[0]
            mask = drop.mask((batch, direction.units), direction.recurrent_dropout, self.dtype)
            shape = (inputs.feed.shape[0], batch, direction.units)
            dropped = drop.mask(shape, layer.dropout, self.dtype)
            kind = LayerKind(direction.cell.name, direction.activation, mask is not None, dropped is not None)
            weights = self._views(direction.name, "W", "b")
            layers.append(LayerInputs(kind, *weights, starts[direction.name], mask, dropped))
        output = (*self._views("output", "W", "b"), self._output_activation)
        return rollout(
            inputs.numbers, inputs.feed, inputs.lengths, inputs.observed, layers, output,
            size=self.loop.size, system=self.loop.system, residual=self.spec.residual,
        )  # fmt: skip

    @property
    def _output_activation(self) -> str:
        if self.spec.output is not None:
            return self.spec.output.activation
        return self.spec.output_activation or "linear"
