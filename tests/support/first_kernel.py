"""Importing this loads what numba imports with a process's first kernel, so that forks of the process need not."""

from numba.core.registry import cpu_target

cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
