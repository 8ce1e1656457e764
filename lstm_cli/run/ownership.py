"""Which files this tool made for a run, so that nothing else is written in their place."""

import os
from pathlib import Path

from lstm_cli.run.names import CHECKPOINTS, ENVIRONMENT, FILES, LOCK, MANIFEST, RESOLVED


def is_run(path: Path) -> bool:
    """Return whether this tool created a folder: it has the lock, or without hidden files the files or a checkpoint."""
    described = all((path / name).is_file() for name in (RESOLVED, ENVIRONMENT))
    return described or (path / LOCK).is_file() or any((path / name / MANIFEST).is_file() for name in CHECKPOINTS)


def owner(path: Path) -> Path | None:
    """Return the run folder whose own file, or file of a checkpoint, lies or would lie at `path`; None for others.

    Symbolic links are followed, and where a file system ignores case, so are other spellings of a name.
    """
    for place in dict.fromkeys((Path(os.path.abspath(path)), Path(os.path.realpath(path)))):  # noqa: PTH100
        for inner in (place, *place.parents):
            names, run = (*FILES, LOCK, *CHECKPOINTS) if inner == place else CHECKPOINTS, inner.parent
            if is_run(run) and (inner.name in names or any(same(inner, run / name) for name in names)):
                return run
    return None


def same(one: Path, other: Path) -> bool:
    """Return whether two paths are the same file or folder; false where one does not exist or cannot be reached."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121
    except (OSError, ValueError):
        return False
