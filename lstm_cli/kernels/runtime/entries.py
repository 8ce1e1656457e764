"""Machine code on disk: one file per kernel, used only if its content is what was written.

Running damaged machine code trains other weights or crashes, and reading a damaged pickle may do anything. So a file
begins with a hash of all that follows, which is compared before anything else is done with it. That finds damage, and
files in each other's place; it is no protection against somebody who may write to the folder, which `caches` is for.
"""

import hashlib
import os
import pickle
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import _Cache, _cache_log
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from lstm_cli.errors import CacheWarning
from lstm_cli.plain_files import read_plain

_DIGEST = hashlib.sha256().digest_size
_MOST = 1 << 26  # bytes of a file: the largest kernels take half a megabyte


def pack(key: bytes, content: bytes) -> bytes:
    """Return what the file of an entry holds: the hash of its key and content, and the content."""
    return hashlib.sha256(key + content).digest() + content


def unpack(key: bytes, file: bytes) -> bytes | None:
    """Return the content of an entry's file; None where a single bit is not as written, or the key is another one."""
    content = file[_DIGEST:]
    return content if file == pack(key, content) else None


class KernelCache(_Cache):  # type: ignore[misc]  # numba has no types
    """What numba asks for compiled code, and passes it to: the entries of one function in a folder.

    Parameters
    ----------
    function : function
        Its name, place and bytecode are in the key; all else that the code depends on is in the folder's name.
    folder : function that returns a path
        Where the files lie; raises OSError if there is no such folder.
    """

    def __init__(self, function: Callable[..., Any], folder: Callable[[], Path]) -> None:
        self._folder, code = folder, function.__code__
        module = function.__module__.rpartition(".kernels.")[2]
        self._name = f"{module}.{function.__name__}-{code.co_firstlineno}"
        self._code = hashlib.sha256(code.co_code).hexdigest()

    @property
    def cache_path(self) -> str:
        """The folder, as numba's statistics name it."""
        return str(self._folder())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature; None if there is none that is whole."""
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        try:
            path = self._path(key)
            content = unpack(key, read_plain(path, most=_MOST))
        except OSError:
            return None
        if content is None:
            return None
        _cache_log("[cache] data loaded from %r", str(path))
        return CompileResult._rebuild(target_context, *pickle.loads(content))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code for later processes; where that fails, warn once and continue without."""
        if data.library.has_dynamic_globals:  # addresses of this process are in it
            return
        key = self._key(sig, data.codegen)
        try:
            path = self._path(key)
            _write(path, pack(key, dumps(data._reduce())))
        except OSError as error:
            _warn(error)
        else:
            _cache_log("[cache] data saved to %r", str(path))

    def _key(self, sig: Any, codegen: Any) -> bytes:
        return repr((self._name, self._code, sig, codegen.magic_tuple())).encode()

    def _path(self, key: bytes) -> Path:
        return self._folder() / f"{self._name}-{hashlib.sha256(key).hexdigest()[:16]}"

    def enable(self) -> None:
        """Do nothing: a function without a cache has none of these."""

    def disable(self) -> None:
        """Do nothing, as `enable`."""

    def flush(self) -> None:
        """Do nothing: numba asks for it before it compiles anew, and then everything is written anew."""


def _write(path: Path, content: bytes) -> None:
    """Replace a file, or an empty folder in its place, by one that other processes never see in part."""
    part = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        _remove_parts(path.parent)
        part.write_bytes(content)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        part.replace(path)
    except OSError as error:
        error.filename = str(path.parent)  # which of its files failed says nothing to a user
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _remove_parts(folder: Path) -> None:
    """Remove what processes left that were killed while they wrote, which takes milliseconds."""
    for part in folder.glob(".*"):
        with suppress(OSError):
            if part.lstat().st_mtime < time.time() - 3600:
                part.unlink()


_warned: list[str] = []  # a process warns once, however many kernels it compiles


def _warn(error: OSError) -> None:
    if not _warned:
        text = f"{error.filename}: compiled code cannot be kept there ({error.strerror}): every start compiles anew"
        _warned.append(f"{text} until the folder can be written or LSTM_CLI_CACHE names another one")
        warnings.warn(_warned[0], CacheWarning, stacklevel=2)
