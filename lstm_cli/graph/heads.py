"""From the numbers of the output layer to outputs of several curves, such as quantiles.

Legend: N positions, V values of a target, C curves, K = C * V outputs.
"""

from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.ops.spread import ordered

#: The least deviation of a Gaussian, in scaled units: that of a truth that is predicted exactly would be 0.
LEAST_DEVIATION = 1e-4


@dataclass(frozen=True)
class Curves:
    """The curves that a network outputs of each value.

    Attributes
    ----------
    count
        C.
    middle
        The number of the one that the others are counted from.
    least
        The least distance between neighbours.
    """

    count: int = 1
    middle: int = 0
    least: float = 0.0

    def of(self, x: Variable) -> Variable:
        """Return the outputs (N, K) of numbers (N, K): of several curves none crosses another."""
        if self.count == 1:
            return x
        return ordered(x, curves=self.count, middle=self.middle, floor=self.least)

    def repeated(self, values: Variable) -> Variable:
        """Return values (N, V) once for each curve (N, K)."""
        return values if self.count == 1 else pt.concatenate([values] * self.count, axis=1)


#: The values themselves, or a score of each label.
ONE = Curves()
