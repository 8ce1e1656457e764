"""The target, and the conversion of a network's outputs back to original units.

Legend: T steps, D numbers per step, H steps predicted at once, N outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.heads import VALUES, Head
from lstm_cli.data.schema.layout import Per, TargetKind
from lstm_cli.data.schema.preprocessing import Chain, Scaling, Trail

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """The target, as fitted to the training data.

    Attributes
    ----------
    kind, per
        A category, numbers or a set of labels, or several columns of any of these; per step or per sequence.
    size
        Number of values: K labels, or H times D numbers in the order (H, D).
    labels
        Names of the K labels, in the order of the outputs; None for numbers.
    is_next
        The target is the next step of the inputs.
    ahead
        How many steps after a step its target is: at least 1 for the next step.
    scaling
        Scaling of numbers, of one step (D,).
    chains
        The transforms of numbers: the number of consecutive columns of each chain, and the chain.
    output_columns
        For numbers, the column that each of the values is of; a column of vectors occurs several times.
    horizon
        H, for numbers.
    head
        What the network's outputs are of the values.
    class_weights
        For categories: by what the loss of each label is multiplied (K,); None: 1.
    targets, names
        Of several target columns: each, in the order of their values, and what it is called.
    """

    kind: TargetKind
    per: Per
    size: int
    labels: tuple[Any, ...] | None = None
    is_next: bool = False
    ahead: int = 0
    scaling: Scaling | None = None
    chains: tuple[tuple[int, Chain], ...] = ()
    output_columns: tuple[str, ...] = ()
    horizon: int = 1
    head: Head = VALUES
    class_weights: tuple[float, ...] | None = None
    targets: "tuple[Target, ...]" = ()
    names: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        """Number of outputs of the network."""
        if self.targets:
            return sum(target.outputs for target in self.targets)
        return self.head.outputs(self.size)

    @property
    def shown_kind(self) -> str:
        """The kind as messages name it, of several columns those of all."""
        return " and ".join(dict.fromkeys(target.kind for target in self.targets or (self,)))

    @classmethod
    def joined(cls, names: Sequence[str], targets: Sequence["Target"]) -> "Target":
        """Return several target columns as one target, whose outputs are theirs side by side."""
        size = sum(target.size for target in targets)
        per, ahead = targets[0].per, targets[0].ahead
        return cls("several", per, size, ahead=ahead, targets=tuple(targets), names=tuple(names))

    @property
    def parts_of_outputs(self) -> dict[str, slice]:
        """Which of the outputs are those of each of several target columns, by its name."""
        stops = np.cumsum([0, *(target.outputs for target in self.targets)]).tolist()
        return {name: slice(*ends) for name, ends in zip(self.names, pairwise(stops), strict=True)}

    @property
    def width(self) -> int:
        """D, the numbers of one step."""
        return self.size // self.horizon

    @property
    def reach(self) -> int:
        """How many steps after a step the last of its predicted values is."""
        return self.ahead + self.horizon - 1

    @property
    def needs_past(self) -> bool:
        """Whether outputs are differences from values of the past."""
        return any(chain.lag for _, chain in self.chains)

    def past(self, history: Numbers) -> list[list[Numbers]]:
        """Return the values that undoing the chains needs, from original values (T, D): a list per chain."""
        return [chain.past(history[:, part]) for part, chain in self.parts()]

    def restore(
        self, outputs: np.ndarray, past: list[list[Numbers]], steps: NDArray[np.int64], scaling: Scaling | None = None
    ) -> Numbers:
        """Return scaled outputs (N, H * D) in original units; the first step of output n is `steps[n]` of the past.

        `scaling` replaces the target's; its arrays are (D,) or (N, 1, D).
        """
        scaling = scaling or self.scaling
        values = self.by_step(outputs.astype(np.float64))
        values = values if scaling is None else scaling.undo(values)
        for (part, chain), known in zip(self.parts(), past, strict=True):
            values[..., part] = chain.undo(values[..., part], known, steps)
        return values.reshape(outputs.shape)

    def by_step(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (N, H * D) as (N, H, D)."""
        return outputs.reshape(len(outputs), outputs.shape[1] // self.width, self.width)

    def parts(self) -> list[tuple[slice, Chain]]:
        """Return each chain with its outputs."""
        parts, start = [], 0
        for width, chain in self.chains:
            parts.append((slice(start, start + width), chain))
            start += width
        return parts


class Restorer:
    """Converts a network's outputs for one sequence back to original units, also beyond its end.

    Parameters
    ----------
    target
        A target of numbers per step.
    history : array (T, D) or None
        Original values of the sequence; None if the target is not a difference, so that none are needed.
    offset
        The first step that the network sees, as differences remove some at the start.
    scaling
        That of the sequence; None: the target's.

    Examples
    --------
    The last output of a series is the forecast of the step after it; feeding forecasts back continues it::

        known = restorer.restore_all(outputs)  # in original units, one per step
        for output in forecasts:  # scaled, each the network's input at the next step
            value = restorer.append(output)
    """

    def __init__(
        self, target: Target, history: Numbers | None, offset: int = 0, scaling: Scaling | None = None
    ) -> None:
        self._target, self._offset, self._scaling = target, offset, scaling or target.scaling
        self._history = np.zeros((0, target.width)) if history is None else history
        self._trails: list[tuple[slice, Trail]] | None = None

    def restore_all(self, outputs: np.ndarray, first: int = 0) -> Numbers:
        """Return the predictions (N, H * D) at N steps of the sequence from step `first` on in original units."""
        values: Numbers = self.restore_curves(outputs, first)[self._target.head.middle]
        return values

    def restore_curves(self, outputs: np.ndarray, first: int = 0) -> Numbers:
        """Return all curves (C, N, H * D) of the outputs of N steps from step `first` on in original units."""
        steps = np.arange(len(outputs)) + first + self._offset + self._target.ahead
        past, curves = self._target.past(self._history), self._target.head.split(outputs)
        return np.stack([self._target.restore(curve, past, steps, self._scaling) for curve in curves])

    def append(self, output: np.ndarray) -> Numbers:
        """Return the output (D,) for the step after the last in original units, and append it to the known values."""
        if self._trails is None:
            self._trails = [(part, Trail(chain, self._history[:, part])) for part, chain in self._target.parts()]
        value = output.astype(np.float64) if self._scaling is None else self._scaling.undo(output)
        for part, trail in self._trails:
            value[part] = trail.append(value[part])
        return value
