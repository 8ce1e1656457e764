"""Parameters in memory that several processes share and update without locks (Niu et al., Hogwild, 2011)."""

import multiprocessing.sharedctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable


def wrap_params(params: Sequence[SharedVariable]) -> list[Any]:
    """Move the values of shared variables into memory that can be passed to other processes.

    Parameters
    ----------
    params : sequence of shared variables

    Returns
    -------
    memories : list of `multiprocessing` arrays, one a parameter
        For `borrow_memory` in processes that are started with these as arguments.
    """
    memories = []
    for param in params:
        value = param.get_value()
        memory = multiprocessing.sharedctypes.RawArray(np.ctypeslib.as_ctypes_type(value.dtype), value.size)
        _view(memory, value)[...] = value
        borrow_memory(param, memory)
        memories.append(memory)
    return memories


def borrow_memory(param: SharedVariable, memory: Any) -> None:
    """Store a shared variable in memory from `wrap_params`; functions that are compiled already see it too.

    Functions compiled by `lstm_cli.theano.function` update it there.
    """
    param.set_value(_view(memory, param.get_value(borrow=True)), borrow=True)


def borrow_all_memories(params: Sequence[SharedVariable], memory_handlers: Sequence[Any]) -> None:
    """Store each shared variable in its memory."""
    for param, memory in zip(params, memory_handlers, strict=True):
        borrow_memory(param, memory)


def _view(memory: Any, like: np.ndarray) -> np.ndarray:
    """Return the memory as an array of the same shape and dtype."""
    if len(memory) != like.size or memory._type_ is not np.ctypeslib.as_ctypes_type(like.dtype):
        raise ValueError(
            f"borrow_memory: expected memory for {like.size} numbers of {like.dtype}, got {len(memory)} of "
            f"{memory._type_.__name__}; is it another parameter's?"
        )
    return np.frombuffer(memory, dtype=like.dtype).reshape(like.shape)
