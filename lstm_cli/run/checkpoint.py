"""The whole state of a run as a folder of files: written so that a valid one always exists, and verified on reading.

    model.safetensors   the weights              state.safetensors   the optimizer's arrays, carried states
    state.json          the run's progress       manifest.json       size and SHA-256 of each, and its own hash

Any damage is found on reading, which loads whole files and never memory-maps. Nothing in a checkpoint is executed or
used as a path.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lstm_cli.data.memory import available
from lstm_cli.errors import CheckpointError, Diverged, and_more, are, counted
from lstm_cli.plain_files import MOST, NotPlain, read_own
from lstm_cli.run.arrays import count_not_finite, pack, unpack
from lstm_cli.run.files import remove_retired, replace_folder, retired, write_new
from lstm_cli.run.names import BEST, CHECKPOINT_FILES, LAST, MANIFEST, MODEL, POSITION, STATE

FORMAT = 1
PARTS = ("model", "optimizer", "carried")
ATTEMPTS = 100  # at reading a folder that is being replaced or is missing
UNHASHED = "0" * 64  # placeholder for the manifest's own hash while it is computed


@dataclass(frozen=True, eq=False)
class State:
    """Everything a run needs to continue as if it had never stopped.

    Attributes
    ----------
    model, optimizer, carried
        Arrays by name: the weights, the optimizer's state, and the states carried from window to window.
    position
        The run's progress, as JSON; ``position["step"]``, the number of updates so far, is required.
    identity
        The run of the state, as JSON: digests of config, schema and data, and library versions.
    """

    model: dict[str, np.ndarray]
    optimizer: dict[str, np.ndarray] = field(default_factory=dict)
    carried: dict[str, np.ndarray] = field(default_factory=dict)
    position: dict[str, Any] = field(default_factory=lambda: {"step": 0})
    identity: dict[str, Any] = field(default_factory=dict)


class Found(NamedTuple):
    """The newest good state of a run, the folder it was in, and a warning if another one is damaged."""

    state: State
    folder: Path
    warning: str


def save(state: State, folder: Path) -> None:
    """Write the state to `folder`, replacing the one there; after any failure the old one is unchanged.

    Raises
    ------
    Diverged
        A value is not finite: such a checkpoint is never written.
    DiskError
        The disk is full, fails or cannot be written.
    """
    _check_finite(state, folder)
    others = {f"{part}/{name}": array for part in PARTS[1:] for name, array in getattr(state, part).items()}
    contents = {MODEL: pack(state.model), STATE: pack(others), POSITION: [_json(state.position)]}
    needed = sum(piece.nbytes for pieces in contents.values() for piece in pieces)

    def write(temporary: Path) -> None:
        files = {}
        for name, pieces in contents.items():
            size, digest = write_new(temporary / name, pieces, place=folder / name, needed=needed)
            files[name] = {"size": size, "sha256": digest}
        manifest = {"format": FORMAT, "files": files, "identity": state.identity, "sha256": UNHASHED}
        write_new(temporary / MANIFEST, [_sealed(manifest)], place=folder / MANIFEST, needed=needed)

    replace_folder(folder, CHECKPOINT_FILES, write, needed=needed)


def _check_finite(state: State, folder: Path) -> None:
    for part in PARTS:
        for name, array in getattr(state, part).items():
            if count := count_not_finite(array):
                what = f"{count} of the {counted(array.size, 'value')} of {part} {name} {are(count)} not finite"
                raise Diverged(
                    f"{folder}: not written, as {what} after step {state.position['step']}; "
                    "the previous checkpoint is unchanged. Lower optimizer.learning_rate or set optimizer.clip_norm"
                )


def _json(value: Mapping[str, Any]) -> memoryview:
    """Return JSON as bytes; numpy's scalars become plain numbers without loss."""
    return memoryview(json.dumps(value, indent=1, default=lambda scalar: scalar.item()).encode() + b"\n")


def _sealed(manifest: dict[str, Any]) -> memoryview:
    """Return the manifest's bytes with their own hash as the last value, computed with `UNHASHED` in its place."""
    data = bytes(_json(manifest))
    head, mark, tail = data.rpartition(UNHASHED.encode())
    return memoryview(head + hashlib.sha256(head + mark + tail).hexdigest().encode() + tail)


def load(folder: Path) -> State:
    """Read and verify the state in `folder`.

    If a save was interrupted between its two renames, the newest valid state that was renamed away is used. A reader
    needs no lock: if a save replaces the folder in the meantime, it is read again.
    """
    for _ in range(ATTEMPTS):
        before = _stamp(folder)
        try:
            return decode(_read(folder), folder)
        except CheckpointError:
            if before is not None and before == _stamp(folder):  # the folder was not replaced in the meantime
                raise
        if before is None and (states := list(_valid(retired(folder)))):
            return max(states, key=lambda state: state.position["step"])
    return decode(_read(folder), folder)


def _valid(folders: Iterable[Path]) -> Iterator[State]:
    for folder in folders:
        with suppress(CheckpointError):
            yield decode(_read(folder), folder)


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Return an identity that distinguishes a folder from its replacement of the same name."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _read(folder: Path) -> dict[str, bytes]:
    """Return the content of each file, read only if it has the size in the manifest."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: there is no checkpoint")
    contents = {MANIFEST: _content(folder / MANIFEST)}
    with _foreign_is_damage(folder):
        files = _unsealed(contents[MANIFEST], folder / MANIFEST)["files"]
        for name in (MODEL, STATE, POSITION):
            contents[name] = _content(folder / name, size=int(files[name]["size"]))
    return contents


def _content(path: Path, *, size: int | None = None) -> bytes:
    if size is not None and size > MOST and (free := available()) is not None and size > free:
        what = f"its manifest says that it has {size:,} bytes, but only {free:,} bytes of memory are free"
        raise CheckpointError(f"{path}: {what}: use a machine with more memory, or copy the checkpoint again")
    try:
        return read_own(path, size=size, most=max(size or 0, MOST))
    except FileNotFoundError:
        raise _damaged(path, "the file is missing") from None
    except NotPlain as error:
        raise _damaged(path, str(error.strerror)) from None
    except OSError as error:
        raise _damaged(path, f"cannot be read: {error.strerror}") from error
    except MemoryError:
        raise _damaged(path, "too large for memory") from None


def identity_of(folder: Path) -> dict[str, Any] | None:
    """Return the identity of the checkpoint in `folder` from its manifest alone; None if there is no good manifest."""
    with suppress(CheckpointError), _foreign_is_damage(folder):
        identity: dict[str, Any] = _unsealed(_content(folder / MANIFEST), folder / MANIFEST)["identity"]
        return identity
    return None


@contextmanager
def _foreign_is_damage(folder: Path) -> Iterator[None]:
    """Turn the failures of reading what this tool did not write into the error for damage."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(folder, f"not what this tool writes ({type(error).__name__}: {error})") from error


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path}: damaged checkpoint: {what}")


def decode(contents: Mapping[str, bytes], folder: Path) -> State:
    """Return the state that the files' contents hold, after verifying every byte; `folder` is for messages."""
    with _foreign_is_damage(folder):
        manifest = _unsealed(contents[MANIFEST], folder / MANIFEST)
        for name in (MODEL, STATE, POSITION):
            _verify(contents[name], manifest["files"][name], folder / name)
        parts: dict[str, dict[str, np.ndarray]] = {part: {} for part in PARTS}
        parts["model"] = _arrays(contents[MODEL], folder / MODEL)
        for key, array in _arrays(contents[STATE], folder / STATE).items():
            part, _, name = key.partition("/")
            parts[part][name] = array
        position = json.loads(contents[POSITION])
        int(position["step"])
        return State(**parts, position=position, identity=manifest["identity"])


def _unsealed(data: bytes, path: Path) -> dict[str, Any]:
    """Return the manifest after checking its own hash and its format."""
    try:
        manifest: dict[str, Any] = json.loads(data)
        head, mark, tail = data.rpartition(manifest["sha256"].encode())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _damaged(path, "not a manifest") from None
    if hashlib.sha256(head + UNHASHED.encode() + tail).hexdigest().encode() != mark:
        raise _damaged(path, "its own hash does not match")
    if manifest["format"] > FORMAT:
        raise CheckpointError(
            f"{path}: format {manifest['format']}, but this version reads up to {FORMAT}: install a newer lstm-cli"
        )
    if not isinstance(manifest["identity"], dict):
        raise _damaged(path, "its identity is not an object")
    return manifest


def _verify(data: bytes, expected: Mapping[str, Any], path: Path) -> None:
    if len(data) != expected["size"]:
        raise _damaged(path, f"{len(data):,} bytes, expected {expected['size']:,}")
    if hashlib.sha256(data).hexdigest() != expected["sha256"]:
        raise _damaged(path, f"its SHA-256 is not the one in {MANIFEST}")


def _arrays(data: bytes, path: Path) -> dict[str, np.ndarray]:
    try:
        return unpack(data)
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def load_newest(run: Path) -> Found | None:
    """Return the newest good state of a run folder, to resume from; None if no save was ever completed.

    Raises
    ------
    CheckpointError
        There are checkpoints, and all are damaged.
    """
    newest, damage = None, []
    for folder in (run / LAST, run / BEST):
        for place in [*([folder] if folder.is_dir() else []), *retired(folder)]:
            try:
                state = load(place)
            except CheckpointError as error:
                if place == folder:
                    damage.append(str(error))
                continue
            if newest is None or state.position["step"] > newest.state.position["step"]:
                newest = Found(state, place, "")
    if newest is None and damage:
        raise CheckpointError("\n".join([*damage, f"{run}: no good checkpoint is left: start again with --overwrite"]))
    if newest is None or not damage:
        return newest
    continuing = f"continuing from {newest.folder}, step {newest.state.position['step']}"
    return newest._replace(warning="\n".join([*damage, continuing]))


def tidy(folder: Path) -> None:
    """Remove what a kill left of states that the one in `folder` replaced, if that one is whole."""
    if left := retired(folder):
        with suppress(CheckpointError):
            decode(_read(folder), folder)
            remove_retired(left, folder, CHECKPOINT_FILES)


def check_matches(state: State, expected: Mapping[str, tuple[tuple[int, ...], Any]], part: str = "model") -> None:
    """Raise a `CheckpointError` naming every array of a part that is missing, unexpected or of another shape or dtype.

    Parameters
    ----------
    state
        The state that was read.
    expected
        Shape and dtype of each array by name.
    part
        One of ``model``, ``optimizer``, ``carried``.
    """
    found: dict[str, np.ndarray] = getattr(state, part)
    problems = []
    for name in sorted({*found, *expected}):
        got = f"{found[name].dtype}{list(found[name].shape)}" if name in found else "nothing"
        want = f"{np.dtype(expected[name][1])}{list(expected[name][0])}" if name in expected else "nothing"
        if got != want:
            problems.append(f"{name}: expected {want}, got {got}")
    if problems:
        shown = "\n".join(problems[:10]) + and_more(len(problems) - 10, "\n")
        raise CheckpointError(f"the checkpoint's {part} does not match this run's:\n{shown}")
