"""What a batch is made of: windows of sequences, and how long sequences are cut into them.

Legend: n sequences, M windows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of sequences.

    Attributes
    ----------
    sequences, starts, lengths : int64 arrays (M,)
        Which sequence, from which step, how many steps.
    warm_up : bool array (M,)
        The window only brings the state up to date: nothing in it counts.
    """

    sequences: Indices
    starts: Indices
    lengths: Indices
    warm_up: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sequences)

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Windows":
        """Return some of the windows."""
        return Windows(self.sequences[which], self.starts[which], self.lengths[which], self.warm_up[which])


@dataclass(frozen=True, eq=False)
class Streams:
    """Windows in the order of parallel streams, whose state flows from window to window.

    Attributes
    ----------
    windows
        Those of a batch are neighbours, longest first.
    batches : int64 array (M,)
        The batch of each window, ascending.
    carry : int64 array (M,)
        The column of the previous batch that each window continues; -1 for a fresh start.
    """

    windows: Windows
    batches: Indices
    carry: Indices


def whole(lengths: Indices) -> Windows:
    """Return every sequence as one window."""
    return Windows(np.arange(len(lengths)), np.zeros_like(lengths), lengths, np.zeros(len(lengths), np.bool_))


def cut(lengths: Indices, window: int) -> Windows:
    """Return every sequence cut into windows; the last one of each has what is left."""
    owners, turns = _expanded(-(-lengths // window))
    starts = turns * window
    return Windows(owners, starts, np.minimum(window, lengths[owners] - starts), np.zeros(len(owners), np.bool_))


def in_pieces(windows: Windows, bounds: Indices, piece: int, *, only_last: bool) -> Streams:
    """Return batches of whole sequences cut into pieces, the state carried from piece to piece.

    Parameters
    ----------
    windows
        Whole sequences; in each batch the longest first.
    bounds
        Batch k has the sequences from bounds[k] to bounds[k + 1]; what it is cut into are batches one after the other.
    piece
        Most steps of a piece.
    only_last
        Only the last piece of a sequence counts: its target is one for all steps.
    """
    group = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    owners, turns = _expanded(-(-windows.lengths // piece))
    starts = turns * piece
    lengths = np.minimum(piece, windows.lengths[owners] - starts)
    last = starts + lengths == windows.lengths[owners]
    idle = ~last if only_last else np.zeros(len(owners), np.bool_)
    pieces = Windows(windows.sequences[owners], starts, lengths, idle)
    sorting = np.lexsort((owners, turns, group[owners]))
    owners, turns = owners[sorting], turns[sorting]
    first = np.concatenate([[True], (np.diff(group[owners]) != 0) | (np.diff(turns) != 0)])
    # The sequences still running at a turn are the first of the batch, so each keeps its column.
    carry = np.where(turns > 0, owners - bounds[group[owners]], -1)
    return Streams(pieces.take(sorting), np.cumsum(first) - 1, carry)


def streams(lengths: Indices, window: int, count: int, *, order: Indices, warm_up: int) -> Streams:
    """Return sequences laid end to end and cut into parallel streams of about the same number of steps.

    A stream begins where a sequence does if one begins within a window of the cut, so that short sequences stay whole.

    Parameters
    ----------
    lengths
        Steps of every sequence (n,).
    window
        Most steps of a window. No window crosses from one sequence into the next.
    count
        How many streams at most.
    order
        The sequences (n,) in the order in which they are laid out.
    warm_up
        A stream that begins within a sequence first sees this many windows of the steps before, which do not count.
    """
    ends = np.cumsum(lengths[order])
    cuts = _cuts(ends, window, count)
    bounds = np.unique(np.concatenate([[0], ends, cuts]))
    begins, stops = bounds[:-1], bounds[1:]
    places = np.searchsorted(ends, begins, side="right")
    origin = ends[places] - lengths[order[places]]
    warmed = np.minimum(-(-(begins - origin) // window), warm_up)
    pieces, turns = _expanded(-(-(stops - begins) // window) + warmed)
    warming = turns < warmed[pieces]
    starts = begins[pieces] + (turns - warmed[pieces]) * window
    ends_at = np.minimum(starts + window, np.where(warming, begins[pieces], stops[pieces]))
    starts = np.maximum(starts, origin[pieces])
    windows = Windows(order[places[pieces]], starts - origin[pieces], ends_at - starts, warming)
    return _batched(windows, np.searchsorted(cuts, begins, side="right")[pieces], continues=turns > 0)


def _cuts(ends: Indices, window: int, count: int) -> Indices:
    """Return where streams begin, but for the first, in sequences laid end to end."""
    total = int(ends[-1])
    count = max(1, min(count, -(-total // window)))
    cuts = np.arange(1, count) * total // count
    bounds = np.concatenate([[0], ends])
    after = np.searchsorted(bounds, cuts)
    nearest = np.where(bounds[after] - cuts < cuts - bounds[after - 1], bounds[after], bounds[after - 1])
    cuts = np.unique(np.where(np.abs(nearest - cuts) <= window, nearest, cuts))
    return cuts[(cuts > 0) & (cuts < total)]


def _batched(windows: Windows, stream: Indices, *, continues: NDArray[np.bool_]) -> Streams:
    """Put the first windows of all streams into the first batch, the second ones into the second, and so on."""
    count = len(windows)
    turn = np.arange(count) - np.searchsorted(stream, stream)
    sorting = np.lexsort((stream, -windows.lengths, turn))
    batches = turn[sorting]
    columns = np.empty(count, np.int64)
    columns[sorting] = np.arange(count) - np.searchsorted(batches, batches)
    carry = np.where(continues, np.roll(columns, 1), -1)
    return Streams(windows.take(sorting), batches, carry[sorting])


def _expanded(counts: Indices) -> tuple[Indices, Indices]:
    """Return for counts (n,) of things their owners 0 0 0 1 1 … and turns 0 1 2 0 1 …."""
    owners = np.repeat(np.arange(len(counts)), counts)
    turns = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owners, turns
