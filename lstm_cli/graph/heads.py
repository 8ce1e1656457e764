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


@dataclass(frozen=True)
class SideBySide:
    """The outputs of several target columns.

    Attributes
    ----------
    parts
        The number of outputs of each, and its curves.
    """

    parts: tuple[tuple[int, Curves], ...]

    def of(self, x: Variable) -> Variable:
        """Return the outputs (N, K) of numbers (N, K), those of each column by itself."""
        found, start = [], 0
        for outputs, curves in self.parts:
            found.append(curves.of(x[:, start : start + outputs]))
            start += outputs
        return pt.concatenate(found, axis=1)

    def repeated(self, values: Variable) -> Variable:
        """Refuse values, which are those of the next step of one series."""
        raise ValueError("several target columns are not the next step of the inputs")


#: The values themselves, or a score of each label.
ONE = Curves()
