"""PyTensor's settings, made before it is imported."""

import os
from pathlib import Path

from lstm_cli.kernels.runtime.caches import cache_folder


def set_pytensor_flags() -> None:
    """Give PyTensor, before it is imported, no C++ compiler, and have it cache beside our kernels.

    None of our graphs has C code, but a PyTensor that finds a compiler builds a module of its own at the first
    function, which fails without Python's headers, or where ``~/.pytensor`` cannot be written.
    """
    folder = _folder()
    try:
        Path.home()
    except RuntimeError:  # PyTensor looks for its settings there
        os.environ["HOME"] = str(folder)
    quoted = str(folder).replace("'", "'\"'\"'")  # PyTensor splits the flags as a shell does words
    ours = f"cxx=,base_compiledir='{quoted}'"
    given = os.environ.get("PYTENSOR_FLAGS", "").rstrip(" ,")
    if not given.endswith(ours):  # as from a process that started this one; of several values the last one counts
        os.environ["PYTENSOR_FLAGS"] = f"{given},{ours}" if given else ours


def _folder() -> Path:
    """Return where PyTensor would write. As it compiles no C, the folder is neither needed nor made."""
    try:
        return cache_folder(".") / "pytensor"
    except OSError:
        return Path(os.devnull) / "pytensor"
