"""Memory-mapped copies of encoded data: where they are kept, when one may be used, how one is made.

A copy is a folder with an Arrow file for each split and `MANIFEST`, which has digests of the sources and of the files.
It is made in a folder beside its place, synced and renamed, so that a copy is there as a whole or not at all.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.data import memory
from lstm_cli.data.cache.tables import open_table
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats.raw import Split
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.storage import contents, schema_of
from lstm_cli.errors import CheckpointError, DataError, shown_path

MANIFEST = "manifest.json"
#: Increased when copies that were made before are of no use any longer.
VERSION = 1
_PIECE = 1 << 22


@dataclass(frozen=True, eq=False)
class Kept:
    """What a copy holds: a schema, the datasets of the splits, and the notes for the user on them."""

    schema: Schema
    splits: dict[Split, Dataset]
    notes: list[str]


#: Writes the Arrow files of the splits into a folder, and returns what they are.
Build = Callable[[Path], Kept]


def caches() -> Path:
    """Return the folder of all copies: ``$LSTM_CLI_DATA``, else ``data`` where compiled code is kept as well."""
    if given := os.environ.get("LSTM_CLI_DATA"):
        return Path(given).absolute()
    if given := os.environ.get("LSTM_CLI_CACHE"):
        return Path(given).absolute() / "data"
    place = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(place).absolute() if place else Path.home() / ".cache") / "lstm-cli" / "data"
    except RuntimeError:
        raise DataError("data.cache: there is no home folder to keep a copy in: set LSTM_CLI_DATA to one") from None


def kept(
    config: Config, described: dict[str, Any], sources: Sequence[Path], build: Build, *, fresh: bool = False
) -> Kept:
    """Return the copy of some data, which is made if there is none, or none that can be used.

    Parameters
    ----------
    config
        That of the data.
    described
        Everything besides the sources that determines it, as JSON.
    sources
        The files that it is made of.
    build
        Makes it.
    fresh
        Make it in any case.
    """
    described = {**described, "version": VERSION}
    key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    folder = caches() / key[:24]
    with _errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            found = None if fresh else _usable(config, folder, key, sources)
            if found is None:
                _make(folder, key, sources, build)
                found = _usable(config, folder, key, sources)
    if found is None:
        raise DataError(f"{shown_path(folder)}: changed while it was made: do not change the data meanwhile, try again")
    size = sum(path.stat().st_size for path in folder.iterdir())
    found.notes.append(
        f"data: read from a memory-mapped copy of {memory.readable(size)}, {shown_path(folder)} (data.cache)"
    )
    return found


@contextmanager
def _errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            fix = "make room, or set LSTM_CLI_DATA to a folder on another disk"
        else:
            fix = "set LSTM_CLI_DATA to a folder that can be written, or data.cache: never"
        what = f"a copy of the data cannot be kept there ({error.strerror or error})"
        raise DataError(f"{shown_path(folder.parent)}: {what}: {fix}") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file: one process makes a copy, others that want the same wait for it."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise  # file systems without locks: the last copy that is complete stays
        yield


def _make(folder: Path, key: str, sources: Sequence[Path], build: Build) -> None:
    """Make a copy beside its place, and put it there."""
    for left in folder.parent.glob(f"{folder.name}.*-*"):  # of a process that was killed: this one has the lock
        shutil.rmtree(left, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=f"{folder.name}.making-", dir=folder.parent))
    try:
        before = [state_of(path, digest=True) for path in sources]
        made = build(making)
        files = {f"{split}.arrow": digest_of(making / f"{split}.arrow") for split in made.splits}
        manifest = {
            "key": key,
            "sources": before,
            "files": files,
            "schema": {name: text.decode("utf-8", "surrogatepass") for name, text in contents(made.schema).items()},
            "notes": made.notes,
        }
        del made
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1))
        for name in (MANIFEST, *files):
            sync(making / name)
        for path in making.iterdir():
            if path.name not in (MANIFEST, *files):
                path.unlink()
        sync(making)
        old = making.with_name(making.name.replace("making", "old"))
        if folder.exists():
            folder.rename(old)
        making.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _usable(config: Config, folder: Path, key: str, sources: Sequence[Path]) -> Kept | None:
    """Return the copy in a folder; None if there is none, it is damaged, or its sources have changed."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["key"] != key or not _unchanged(manifest["sources"], sources):
            return None
        if any(digest_of(folder / name) != digest for name, digest in manifest["files"].items()):
            return None
        files = {name: text.encode("utf-8", "surrogatepass") for name, text in manifest["schema"].items()}
        splits = [name.removesuffix(".arrow") for name in manifest["files"]]
        return _opened(config, folder, files, splits, manifest["notes"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, CheckpointError):
        return None


def _opened(config: Config, folder: Path, files: dict[str, bytes], splits: Sequence[Any], notes: list[str]) -> Kept:
    schema = schema_of(files, folder, config)
    return Kept(schema, {split: open_table(folder / f"{split}.arrow", schema) for split in splits}, notes)


def _unchanged(before: list[dict[str, Any]], sources: Sequence[Path]) -> bool:
    """Return whether files are those that they were; of one that was touched the content decides."""
    if [state["path"] for state in before] != [str(path.absolute()) for path in sources]:
        return False
    for state, path in zip(before, sources, strict=True):
        now = state_of(path, digest=False)
        if now != {**state, "digest": None} and digest_of(path) != state["digest"]:
            return False
    return True


def state_of(path: Path, *, digest: bool) -> dict[str, Any]:
    """Return by what a file is recognized: its place, its size and times, and its digest if that is asked."""
    found = path.stat()
    stated = {"path": str(path.absolute()), "size": found.st_size, "inode": found.st_ino}
    times = {"modified": found.st_mtime_ns, "changed": found.st_ctime_ns}
    return {**stated, **times, "digest": digest_of(path) if digest else None}


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or which files a folder has."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
