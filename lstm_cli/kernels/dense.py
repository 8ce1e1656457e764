"""The products of a dense layer as calls on matrices."""

import numpy as np

from lstm_cli.kernels.runtime.memory import scratch
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.matmul import BAND, DEPTH, outer_product, product
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import LINE, padded

SMALL = 1 << 19  # products of numbers below which another thread does not pay


def divide(rows: int, columns: int, depth: int, dtype: np.dtype, *, panels: int = 1) -> tuple[int, bool, np.ndarray]:
    """Choose for a product the number of tasks, and whether they divide the rows among them; return their memory too.

    Each task packs `panels` panels at a time.
    """
    tasks = max(1, min(threads(), rows * columns * depth // SMALL))
    width = panel_columns(dtype)
    by_rows = -(-columns // width) < 4 * tasks
    own = -(-rows // tasks) if by_rows else rows
    each = padded(width, LINE) + padded(panels * width, LINE) + padded(panels * (DEPTH + own) * width, LINE)
    return tasks, by_rows, scratch("matmul", tasks * each, dtype)


def affine(x: np.ndarray, W: np.ndarray, b: np.ndarray, y: np.ndarray) -> None:
    """``y (N, K) = x (N, I) W^T + b`` with W (K, I), the first columns of its rows; b may be empty."""
    (rows, inputs), columns = x.shape, len(W)
    tasks, by_rows, work = divide(rows, columns, inputs, x.dtype)
    product(tasks, int(by_rows), 1, x, W, W.shape[1], b, y, rows, columns, inputs, work)


def times_weights(dy: np.ndarray, W: np.ndarray, dx: np.ndarray) -> None:
    """``dx (N, I) = dy (N, K) W`` with W (K, I), the first columns of its rows."""
    (rows, depth), columns = dy.shape, dx.shape[1]
    tasks, by_rows, work = divide(rows, columns, depth, dy.dtype)
    product(tasks, int(by_rows), 0, dy, W, W.shape[1], dy[:0], dx, rows, columns, depth, work)


def weight_gradient(x: np.ndarray, dy: np.ndarray, dW: np.ndarray, db: np.ndarray) -> None:
    """``dW (K, I) = dy (N, K)^T x (N, I)``, the first columns of its rows, and ``db (K) = sum(dy)``."""
    (depth, inputs), columns = x.shape, dy.shape[1]
    tasks, by_rows, work = divide(inputs, columns, depth, x.dtype, panels=BAND)
    outer_product(tasks, int(by_rows), x, dy, dW, dW.shape[1], db, depth, inputs, columns, work)
