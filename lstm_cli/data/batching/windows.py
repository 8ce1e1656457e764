"""Windows of sequences, from which batches are formed, and how long sequences are cut into them.

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
        Index of the sequence, first step, number of steps.
    warm_up : bool array (M,)
        The window only computes the state: nothing in it counts.
    """

    sequences: Indices
    starts: Indices
    lengths: Indices
    warm_up: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sequences)

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Windows":
        """Return a selection of the windows."""
        return Windows(self.sequences[which], self.starts[which], self.lengths[which], self.warm_up[which])


@dataclass(frozen=True, eq=False)
class Streams:
    """Windows of parallel streams, in order; the state flows from window to window.

    Attributes
    ----------
    windows
        Grouped by batch, longest first.
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


def cut(lengths: Indices, window: int, stride: int | None = None) -> Windows:
    """Return every sequence cut into windows that begin every `stride` steps, by default `window`.

    The last window of a sequence is the first one that reaches its end; it has the remaining steps.
    """
    stride = window if stride is None else stride
    more = -(-np.maximum(lengths - window, 0) // stride)
    owners, turns = _expanded(np.minimum(1 + more, -(-lengths // stride)))
    starts = turns * stride
    return Windows(owners, starts, np.minimum(window, lengths[owners] - starts), np.zeros(len(owners), np.bool_))


def full(lengths: Indices, window: int, stride: int) -> Windows:
    """Return the windows of a given length that begin every `stride` steps; a shorter sequence is one window."""
    owners, turns = _expanded(1 + np.maximum(lengths - window, 0) // stride)
    return Windows(owners, turns * stride, np.minimum(window, lengths[owners]), np.zeros(len(owners), np.bool_))


def sliding(lengths: Indices, window: int) -> Windows:
    """Return for every step of every sequence the window that ends there; the first ones are shorter."""
    owners, ends = _expanded(lengths)
    size = np.minimum(ends + 1, window)
    return Windows(owners, ends + 1 - size, size, np.zeros(len(owners), np.bool_))


def in_pieces(windows: Windows, bounds: Indices, piece: int, *, only_last: bool) -> Streams:
    """Return batches of whole sequences cut into pieces, with the state carried from piece to piece.

    Parameters
    ----------
    windows
        Whole sequences; in each batch the longest first.
    bounds
        Batch k has the sequences from bounds[k] to bounds[k + 1]; its pieces become consecutive batches.
    piece
        Maximum number of steps of a piece.
    only_last
        Only the last piece of a sequence counts, as its target is per sequence.
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
    """Return sequences placed end to end and cut into parallel streams of about equal length.

    If a sequence begins within a window of a cut, the stream begins there, so that short sequences stay whole.

    Parameters
    ----------
    lengths
        Steps of every sequence (n,).
    window
        Maximum number of steps of a window. No window crosses from one sequence into the next.
    count
        Maximum number of streams.
    order
        The sequences (n,) in the order in which they are placed.
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
    """Return where all streams but the first begin, in sequences placed end to end."""
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
    """Return for counts (n,) the owner of each item, 0 0 0 1 1 …, and its number within it, 0 1 2 0 1 …."""
    owners = np.repeat(np.arange(len(counts)), counts)
    turns = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owners, turns
