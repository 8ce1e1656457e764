"""``theano.tensor.signal.pool``: the maximum, sum or mean over windows of the last axes."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.pooling import Pool, SpreadToMaxima

Numbers: TypeAlias = Sequence[int] | Variable


def pool_2d(
    input: Any,
    ws: Numbers | None = None,
    ignore_border: bool | None = None,
    stride: Numbers | None = None,
    pad: Numbers | None = (0, 0),
    mode: str = "max",
    ds: Numbers | None = None,
    st: Numbers | None = None,
    padding: Numbers | None = None,
) -> Variable:
    """Return images (…, rows, columns) pooled over windows.

    Parameters
    ----------
    input : (…, rows, columns)
    ws : (rows, columns)
        Of a window; numbers, or a vector of integers.
    ignore_border : bool
        Whether to leave out windows that reach beyond the image. As in Theano 1.0.5, they count unless it is True.
    stride : (rows, columns)
        From one window to the next; by default `ws`.
    pad : (rows, columns)
        Added on both sides, only with `ignore_border`; never a maximum, and 0 in a mean of ``"average_inc_pad"``.
        None means 0.
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}
    ds, st, padding
        Older names of `ws`, `stride` and `pad`.
    """
    return _pooled(2, input, ignore_border, mode, _place(2, ws, stride, pad, ds, st, padding))


def pool_3d(
    input: Any,
    ws: Numbers | None = None,
    ignore_border: bool | None = None,
    stride: Numbers | None = None,
    pad: Numbers | None = (0, 0, 0),
    mode: str = "max",
    ds: Numbers | None = None,
    st: Numbers | None = None,
    padding: Numbers | None = None,
) -> Variable:
    """Return `pool_2d` with a third axis, depth, before the rows."""
    return _pooled(3, input, ignore_border, mode, _place(3, ws, stride, pad, ds, st, padding))


def max_pool_2d_same_size(input: Any, patch_size: Numbers) -> Variable:
    """Return images (…, rows, columns) with 0 wherever a window, beside the next, has a larger element.

    Where windows do not fit any more, at the border, all is 0.
    """
    images = pt.as_tensor_variable(input)
    place = _place(2, patch_size, None, (0, 0), None, None, None)
    largest = Pool(True)(images, *place)
    return SpreadToMaxima(2, True)(images, largest, largest, *place)


def _place(axes: int, ws: Any, stride: Any, pad: Any, ds: Any, st: Any, padding: Any) -> list[Variable]:
    """Return window, stride and padding as vectors."""
    pad = (0,) * axes if pad is None else pad
    if padding is not None and any(number != 0 for number in pad):
        raise ValueError(f"pool_{axes}d: pad and padding are the same; give pad")
    size = _one_of(axes, ("ws", ws), ("ds", ds))
    if size is None:
        raise ValueError(f"pool_{axes}d: ws: expected {axes} numbers, the size of a window; got none")
    step = _one_of(axes, ("stride", stride), ("st", st))
    around = padding if padding is not None else pad
    return [pt.as_tensor_variable(numbers) for numbers in (size, size if step is None else step, around)]


def _one_of(axes: int, today: tuple[str, Any], before: tuple[str, Any]) -> Any:
    if today[1] is not None and before[1] is not None:
        raise ValueError(f"pool_{axes}d: {today[0]} and {before[0]} are the same; give {today[0]}")
    return before[1] if today[1] is None else today[1]


def _pooled(axes: int, images: Any, ignore_border: bool | None, mode: str, place: list[Variable]) -> Variable:
    mode = "max" if mode == "max_deterministic" else mode
    return Pool(bool(ignore_border), mode, axes)(images, *place)
