"""The compiled functions that predict: outputs for observed steps, and trajectories of a closed loop.

Legend: T time, B batch, D numbers of the state, O outputs of the network, K outputs, N counted positions,
H units of the last layer, S state values per sequence.
"""

from functools import cached_property
from typing import Any

import numpy as np

from lstm_cli.data import Batch
from lstm_cli.engine.chains import chain_places
from lstm_cli.engine.inputs import input_arrays
from lstm_cli.engine.system import Divergence, check_system, divergence
from lstm_cli.graph.crf import decoded
from lstm_cli.graph.model import Model
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.ops.mode import compiled, exclusive


class Predictor:
    """A model's outputs, without dropout, for observed steps only: a closed loop is not closed here.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @cached_property
    def _function(self) -> Any:
        inputs = Model.inputs(self.model)
        outputs = self.model.observed(inputs)
        output = decoded(self.model, outputs.output, inputs)
        return compiled(inputs.in_order(), [output, outputs.state], threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch, previous_state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the output (N, K) at the batch's counted positions and the final state (B, S).

        Parameters
        ----------
        batch : Batch
        previous_state : array (B', S), optional
            Final state of the previous batch, where this batch continues from it.
        """
        output, state = self._function(*input_arrays(self.model, batch, previous_state).in_order())
        return output[chain_places(batch)] if self.model.spec.crf else output, state


class HiddenLayers:
    """What the last recurrent layer of a model gives, without dropout, for observed steps only.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @cached_property
    def _function(self) -> Any:
        inputs = Model.inputs(self.model)
        return compiled(inputs.in_order(), list(self.model.hidden(inputs)), threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch, previous_state: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        """Return h at each step (T, B, H), a vector of each sequence (B, H), and the final state (B, S).

        Parameters
        ----------
        batch, previous_state
            As for `Predictor`.
        """
        h, vectors, state = self._function(*input_arrays(self.model, batch, previous_state).in_order())
        return h, vectors, state


class Driver:
    """The trajectories of a model in a closed loop, without dropout.

    Parameters
    ----------
    model : ClosedLoop
    """

    def __init__(self, model: ClosedLoop) -> None:
        self.model = model

    @cached_property
    def _function(self) -> Any:
        inputs = self.model.inputs()
        outputs = list(self.model.trajectory(inputs, training=False))
        return compiled(inputs.in_order(), outputs, threads=self.model.threads)

    @exclusive
    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, Divergence | None]:
        """Return the states after each step (T, B, D), as the network sees them, and its outputs (T, B, O).

        The third value is where the system produced a state that is not finite; None if it did not.
        """
        following, outputs = self._function(*input_arrays(self.model, batch).in_order())
        check_system(self.model, batch)
        return following, outputs, divergence(self.model)
