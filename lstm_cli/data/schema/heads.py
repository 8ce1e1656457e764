"""What the network's outputs are of the values of a target.

Legend: N positions, V values of a target, C curves, K = C * V outputs.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Head:
    """How outputs (N, K) are arranged: C curves of the V values, those of the first curve before those of the second.

    Each curve is in the units of the target, so that what undoes scaling and transforms of the values serves for all.
    """

    @property
    def curves(self) -> int:
        """C."""
        return 1

    def outputs(self, values: int) -> int:
        """Return K, the number of outputs for V values."""
        return self.curves * values

    def split(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (N, K) as curves (C, N, V)."""
        return outputs.reshape(len(outputs), self.curves, -1).swapaxes(0, 1)

    def point(self, outputs: np.ndarray) -> np.ndarray:
        """Return the predicted values (N, V) of outputs (N, K)."""
        return outputs


#: The values themselves, or a score of each label.
VALUES = Head()
