"""One sequence as the network sees it.

Legend: T steps, I numbers per step, D or K targets per step.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One encoded sequence.

    Attributes
    ----------
    id, where
        Its name and its place in the file.
    steps
        T.
    numbers : float array (T, I) or None
        Scaled numbers, then an indicator for every label of sets.
    tokens : dict of int32 arrays (T,)
        Indices of tokens by the name of their column.
    target : int32 array (T,), float array (T, D) or (T, K), or None
        Per sequence there is one, T is 1.
    weight : float array (T,) or (1,), or None
        How much every target counts; None: all the same.
    unseen : int32 array (T,) or (1,), or None
        True labels of a set that have no column in the target, as training never saw them; None: there are none.
    history : float64 array (T', D) or None
        Original values of what is predicted, where outputs are differences from them.
    offset
        The step of the history that the first step is.
    observed
        In a closed loop around a system: the steps whose state is given; None otherwise.
    """

    id: str | int
    where: str
    steps: int
    numbers: NDArray[np.floating] | None
    tokens: dict[str, NDArray[np.int32]]
    target: np.ndarray | None = None
    weight: NDArray[np.floating] | None = None
    unseen: NDArray[np.int32] | None = None
    history: NDArray[np.float64] | None = None
    offset: int = 0
    observed: int | None = None

    def part(self, start: int, stop: int) -> "Encoded":
        """Return the steps from start to stop; a target of the whole sequence stays."""

        def cut(values: np.ndarray | None) -> np.ndarray | None:
            return values if values is None or len(values) != self.steps else values[start:stop]

        return replace(
            self,
            steps=stop - start,
            numbers=cut(self.numbers),
            tokens={name: ids[start:stop] for name, ids in self.tokens.items()},
            target=cut(self.target),
            weight=cut(self.weight),
            unseen=cut(self.unseen),
            offset=self.offset + start,
        )
