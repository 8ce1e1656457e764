"""Which steps of a closed loop count, and how much.

Legend: B batch, N counted positions.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.data.batch import Batch


@dataclass(frozen=True)
class CountedSteps:
    """The steps of a closed loop that count.

    Attributes
    ----------
    warmup
        Observed steps of every sequence, unless the sequences themselves say how many.
    at
        ``every``, ``last``, or the weight of each step of the closed loop.
    """

    warmup: int
    at: Literal["every", "last"] | tuple[float, ...]

    def apply(self, batch: Batch, *, normalize: Literal["step", "sequence"]) -> Batch:
        """Return a batch whose counted positions are the steps that count, with its observed steps (B,)."""
        observed = np.full(len(batch.lengths), self.warmup) if batch.observed is None else batch.observed
        time, columns = batch.counted_times, batch.counted_sequences
        turn = time - (observed[columns] - 1)  # the step of the closed loop, from 0
        weight = batch.weight * self._weights(turn, last=time == batch.lengths[columns] - 1)
        kept = weight > 0
        counted, weight = batch.counted[kept], weight[kept]
        divisor = weight.sum(dtype=np.float64) if normalize == "step" else len(np.unique(columns[kept]))
        return replace(
            batch,
            counted=counted,
            weight=weight,
            target=None if batch.target is None else batch.target[kept],
            loss_divisor=float(divisor),
            observed=observed.astype(np.int64),
        )

    def _weights(self, turn: NDArray[np.int64], *, last: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the weight of the steps `turn` (N,) of the closed loop, which are below 0 before it closes."""
        if self.at == "every":
            return (turn >= 0).astype(np.float64)
        if self.at == "last":
            return ((turn >= 0) & last).astype(np.float64)
        weights = np.array([*self.at, 0], np.float64)
        return np.where(turn >= 0, weights[np.clip(turn, 0, len(self.at))], 0.0)


def counted_steps(config: Config) -> CountedSteps | None:
    """Return which steps of a closed loop count; None where there is none."""
    rollout = config.rollout
    return None if rollout is None else CountedSteps(rollout.warmup or 1, rollout.loss_at)
