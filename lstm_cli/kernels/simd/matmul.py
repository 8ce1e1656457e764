"""Large matrix products out of tiles: what a dense layer needs, on all threads, without a BLAS and its own threads.

A task goes through the depth, at most `DEPTH` at a time, and packs what a panel of the right factor has of that, to
multiply all of its rows of the left factor with it. The sums run in the same order however many tasks there are.
"""

import numpy as np

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import add, clear, copy, pack_band, pack_columns, pack_rows, write_transposed
from lstm_cli.kernels.simd.tile import panel_product, panel_width
from lstm_cli.kernels.simd.vector import LINE, padded

DEPTH = 384
BAND = 4  # panels that are packed together where memory is read across them


@part
def share(whole, task, tasks):
    """Return the first and the end of this task's part of `whole` things."""
    return whole * task // tasks, whole * (task + 1) // tasks


@task_kernel
def product(task, tasks, by_rows, turned, a, right, stride, start, c, rows, columns, depth, work):
    """``c (rows, columns) = start + a (rows, depth) @ right``.

    `turned`: right is stored as (columns, depth), else as (depth, columns), either with rows at a distance of `stride`.
    `start` is empty, or one row of c. `by_rows`: a task takes some rows of all panels, else all rows of some panels.
    """
    width, one, nothing = panel_width(work), np.int64(1), np.int64(0)
    first, last = share((columns + width - 1) // width, 0 if by_rows else task, 1 if by_rows else tasks)
    low, high = share(rows, task if by_rows else 0, tasks if by_rows else 1)
    start_at = task * (len(work) // tasks)
    panel_at = start_at + padded(width, LINE)
    spare_at = panel_at + DEPTH * width
    for k in range(0, max(depth, 1), DEPTH):
        step = min(DEPTH, depth - k)
        for p in range(first, last):
            real = min(width, columns - p * width)
            if turned:
                pack_columns(right, k, stride, step, p * width, columns, nothing, work, panel_at)
            else:
                pack_rows(right, k * stride + p * width, stride, step, real, nothing, work, panel_at)
            # The last panel may be wider than c: then its sums are stored in spare memory.
            c_or_spare, at, row = (c, low * columns + p * width, columns) if real == width else (work, spare_at, width)
            begun, begun_at, begun_row = c_or_spare, at, row
            if k == 0:
                begun, begun_at, begun_row = work, start_at, nothing
                clear(width, work, start_at)
                if len(start) > 0:
                    copy(real, start, p * width, work, start_at)
            panel_product(
                a, low * depth + k, depth, one, work, panel_at, step,
                begun, begun_at, begun_row, c_or_spare, at, row, high - low,
            )  # fmt: skip
    if first < last and last * width > columns:
        place = (last - 1) * width
        for r in range(low, high):
            copy(columns - place, work, spare_at + (r - low) * width, c, r * columns + place)


@task_kernel
def outer_product(task, tasks, by_rows, x, dy, dw, stride, db, depth, inputs, columns, work):
    """``dw (columns, inputs) = dy^T x`` and ``db (columns) = sum(dy)``, both over `depth` rows.

    Rows of dw are `stride` apart. Computed as x^T dy, whose panels are read along, and written transposed.
    `by_rows`: a task takes some of the inputs.
    """
    width, one, nothing = panel_width(work), np.int64(1), np.int64(0)
    first, last = share((columns + width - 1) // width, 0 if by_rows else task, 1 if by_rows else tasks)
    low, high = share(inputs, task if by_rows else 0, tasks if by_rows else 1)
    zeros_at = task * (len(work) // tasks)
    total_at = zeros_at + padded(width, LINE)
    panels_at = total_at + padded(BAND * width, LINE)
    sums_at = panels_at + BAND * DEPTH * width
    own = (high - low) * width
    clear(width, work, zeros_at)
    for band in range(first, last, BAND):
        count = min(BAND, last - band)
        clear(count * width, work, total_at)
        for k in range(0, max(depth, 1), DEPTH):
            step = min(DEPTH, depth - k)
            place = band * width
            pack_band(dy, k * columns + place, columns, step, min(count * width, columns - place), work, panels_at)
            for p in range(count):
                panel_at = panels_at + p * step * width
                for i in range(step):
                    add(width, work, panel_at + i * width, work, total_at + p * width)
                panel_product(
                    x, k * inputs + low, one, inputs, work, panel_at, step,
                    work, zeros_at if k == 0 else sums_at + p * own, nothing if k == 0 else width,
                    work, sums_at + p * own, width, high - low,
                )  # fmt: skip
        for p in range(count):
            begin, end = (band + p) * width, min(columns, (band + p + 1) * width)
            write_transposed(
                work, sums_at + p * own, width, high - low, nothing, columns, begin, end, dw, low, stride
            )  # fmt: skip
            if low == 0 < high:
                copy(end - begin, work, total_at + p * width, db, begin)
