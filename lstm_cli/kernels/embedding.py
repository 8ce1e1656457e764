"""Rows of a matrix added to the rows of another."""

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel

_BLOCK = 16  # numbers: threads never write to one cache line


@part
def _add(source, target):
    for j in range(target.shape[0]):
        target[j] += source[j]


@task_kernel
def scatter_add(task, tasks, source, rows, target, width):
    """Add each row of source (N, E) to the row of target (R, E) that it goes to.

    Parameters
    ----------
    source (N, E), rows (N,) int64, target (R, E): added to; width : E

    Notes
    -----
    Tasks divide the columns among them, so each sum is made in the order of the rows, whatever the number of tasks.
    """
    blocks = (width + _BLOCK - 1) // _BLOCK
    first, last = task * blocks // tasks * _BLOCK, min(width, (task + 1) * blocks // tasks * _BLOCK)
    for n in range(rows.shape[0]):
        s, t = n * width, rows[n] * width
        _add(source[s + first : s + last], target[t + first : t + last])
