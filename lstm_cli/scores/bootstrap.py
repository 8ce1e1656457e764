"""How certain metrics are: 95 % confidence intervals by bootstrap, from sums over sequences instead of new scores.

Every metric is a function of sums over positions. A resample draws as many sequences as there are, with replacement;
its sums are those of its sequences, so that all resamples together are one matrix product. Few sequences are cut into
overlapping blocks of consecutive positions, which are drawn instead (moving-block bootstrap): errors at neighbouring
steps are alike, and to draw single steps would make the intervals too narrow.

References
----------
B. Efron, R. Tibshirani (1993). An Introduction to the Bootstrap, chapters 8 and 13.
H. Künsch (1989). The jackknife and the bootstrap for general stationary observations. Annals of Statistics 17.
P. Hall, J. Horowitz, B. Jing (1995). On blocking rules for the bootstrap with dependent data. Biometrika 82.

Legend: N positions, S sequences or blocks, R resamples, C sums.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.scores.positions import Positions
from lstm_cli.scores.sums import Sums, sums_of

Array = NDArray[Any]

LEVEL, RESAMPLES, SEED = 0.95, 1000, 1
#: More sequences than these are first joined into as many groups, at random, which hardly changes the widths.
MOST_UNITS = 2000
#: Fewer sequences are drawn in blocks, if they have several positions: resamples of two are hardly different.
FEW = 5
_HELD = 1 << 22  # numbers of a matrix held at a time
_FEWEST = 100  # groups, where there are very many sums


def intervals(
    positions: Positions, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, tuple[float, float]]:
    """Return the confidence interval of each metric of `metrics_of`; none for fewer than two sequences or blocks.

    The bounds are quantiles of the metric over the resamples (percentile bootstrap), the same in every call.
    """
    sums = sums_of(positions)
    if sums is None or not len(positions):
        return {}
    units, drawn = drawable(positions, sums, seed)
    if drawn < 2:
        return {}
    tails = ((1 - level) / 2, (1 + level) / 2)
    found: dict[str, tuple[float, float]] = {}
    for name, values in _resampled(sums, units, drawn, resamples, seed).items():
        usable = values[np.isfinite(values)]
        if len(usable):
            low, high = np.quantile(usable, tails).tolist()
            found[name] = (low, high)
    return found


def drawable(positions: Positions, sums: Sums, seed: int = SEED) -> tuple[Array, int]:
    """Return the sums (S, C) of each sequence or block that may be drawn, and how many are drawn for a resample."""
    numbers, units = np.unique(positions.sequences, return_inverse=True)
    if len(numbers) < FEW and len(positions) > len(numbers):
        return _blocks(units, block_length(positions), sums)
    most = min(MOST_UNITS, max(_FEWEST, _HELD // sums.count))
    if len(numbers) > most:
        units = np.random.default_rng(seed).permutation(np.arange(len(numbers)) % most)[units]
    count = min(len(numbers), most)
    return sums.totals(units, count), count


def block_length(positions: Positions) -> int:
    """Return how many consecutive positions a block has.

    The cube root of all of them, but no fewer than the steps that are predicted at once: such forecasts overlap.
    """
    at_once: int = positions.dataset.schema.target.horizon if positions.turns is None else int(positions.turns.max())
    return max(math.ceil(round(math.cbrt(len(positions)), 9)), at_once)


def _blocks(owners: NDArray[np.int64], length: int, sums: Sums) -> tuple[Array, int]:
    """Return the sums (S, C) of all blocks that lie within a sequence, and how many of them are as long as all.

    Blocks begin at every position; of very long sequences, at every cell of several positions, so that there are not
    many more than `MOST_UNITS`.

    Parameters
    ----------
    owners
        The sequence of each position (N,), ascending from 0.
    length
        Positions of a block.
    sums
    """
    size = math.ceil(len(owners) / MOST_UNITS)
    starts = np.searchsorted(owners, np.arange(owners[-1] + 1))
    counts = -(-np.diff(starts, append=len(owners)) // size)
    first = np.cumsum(counts) - counts
    places = first[owners] + (np.arange(len(owners)) - starts[owners]) // size
    cells = sums.totals(places, int(counts.sum()))
    length = math.ceil(length / size)
    if len(cells) < 2 * length:
        return cells[:0], 0
    running = np.zeros((len(cells) + 1, cells.shape[1]))
    np.cumsum(cells, axis=0, out=running[1:])
    own = np.repeat(np.arange(len(counts)), counts)
    within = own[length - 1 :] == own[: len(own) - length + 1]
    return (running[length:] - running[:-length])[within], math.ceil(len(cells) / length) if within.any() else 0


def _resampled(sums: Sums, units: Array, drawn: int, resamples: int, seed: int) -> dict[str, Array]:
    """Return the metrics (R,) of all resamples, a few at a time."""
    random = np.random.default_rng(seed)
    share = np.full(len(units), 1 / len(units))
    at_once = max(1, _HELD // max(units.shape))
    pieces = []
    for start in range(0, resamples, at_once):
        times = random.multinomial(drawn, share, size=min(at_once, resamples - start))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            pieces.append(sums.metrics(times.astype(np.float64) @ units))
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
