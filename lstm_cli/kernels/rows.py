"""Rows picked out of a matrix in ascending order, and put back between rows of zeros."""

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import clear, copy


@task_kernel
def pick(task, tasks, source, rows, target, width):
    """``target[n] = source[rows[n]]``: source (R, width), rows (N,) int64, target (N, width)."""
    for n in range(len(rows) * task // tasks, len(rows) * (task + 1) // tasks):
        copy(width, source, rows[n] * width, target, n * width)


@part
def first_at_least(rows, number):
    """Return the first place in ascending rows whose row is not below this number."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low


@task_kernel
def spread(task, tasks, source, rows, target, width):
    """``target[rows[n]] = source[n]``, else 0: source (N, width), rows (N,) int64 ascending, target (R, width)."""
    count = len(target) // width
    row, end = count * task // tasks, count * (task + 1) // tasks
    for n in range(first_at_least(rows, row), first_at_least(rows, end)):
        clear((rows[n] - row) * width, target, row * width)
        copy(width, source, n * width, target, rows[n] * width)
        row = rows[n] + 1
    clear((end - row) * width, target, row * width)
