"""One pass over vectors of any length (P,), divided among tasks."""

from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import add, copy


@task_kernel
def copy_to(task, tasks, source, target):
    """``target = source``."""
    first = len(source) * task // tasks
    copy(len(source) * (task + 1) // tasks - first, source, first, target, first)


@task_kernel
def add_to(task, tasks, source, target):
    """``target += source``."""
    first = len(source) * task // tasks
    add(len(source) * (task + 1) // tasks - first, source, first, target, first)
