"""The folder of a run: which process may write to it, and what `--resume` and `--overwrite` may do to it."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lstm_cli.errors import ConfigError, listed, shown_path
from lstm_cli.plain_files import kind_of
from lstm_cli.run.appended import AppendedFile
from lstm_cli.run.files import disk_errors, remove_folders, replace_file, sync_folder, temporary_name, write_new
from lstm_cli.run.lock import FolderLock
from lstm_cli.run.metrics_log import damage
from lstm_cli.run.names import (
    CHECKPOINT_FILES,
    CHECKPOINTS,
    FILES,
    LOCK,
    METRICS,
    PROBE,
    SCHEMA,
    SCHEMA_FOLDER,
    TENSORBOARD,
    TENSORBOARD_FILES,
)
from lstm_cli.run.ownership import is_run, owner

TRANSIT = re.compile(
    r"\.(tmp|old)-(.+)-[0-9a-f]{8}"
)  # the names that `files` gives to paths moved into or out of their place


class RunFolder:
    """A run's folder, locked by this process until it closes it or ends, so that no other process can train into it.

    Returned by `create` or `resume`, and used in a `with` statement.

    Attributes
    ----------
    path, last, best : Path
        The folder and its two checkpoints.
    warnings : list of str
        For the user: that the file system has no locks, that unknown files were left in the folder, or that a file
        is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last, self.best = (path / name for name in CHECKPOINTS)
        self._check_kinds()
        self._small: dict[str, bytes] = {}
        self._appended: list[AppendedFile] = []
        self._lock: FolderLock | None = FolderLock(path)
        try:
            self.warnings = [self._lock.warning] if self._lock.warning else []
            self._clean()
            self._probe()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        overwrite: bool = False,
        advice: str = "continue it with --resume or replace it with --overwrite",
    ) -> Self:
        """Lock a folder for a new run: a new or empty one, or with `overwrite` that of another run, which is removed.

        `advice` is what the error says to do where the folder holds a run.

        Raises
        ------
        ConfigError
            The folder contains a run, or other files.
        RunBusy, DiskError
            Another process uses it; it cannot be written to.
        """
        if other := owner(path):
            raise ConfigError(
                f"{shown_path(path)}: belongs to the run {shown_path(other)}: choose another folder with -o"
            )
        if os.path.lexists(path) and not path.is_dir():
            raise ConfigError(f"{shown_path(path)}: exists and is no folder: choose another one with -o")
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            sync_folder(path.parent)
            foreign = any(path.iterdir()) and not is_run(path)
        if foreign:
            raise ConfigError(f"{path}: the folder contains other files and no run: choose another one with -o")
        with ExitStack() as on_error:
            run = cls(path)
            on_error.enter_context(run)
            if overwrite:
                run._remove_run()
            elif any(os.path.lexists(path / name) for name in (*FILES, *CHECKPOINTS)):
                raise ConfigError(f"{path}: holds a run: {advice}")
            on_error.pop_all()
        return run

    @classmethod
    def resume(cls, path: Path) -> Self:
        """Lock the folder of a run to continue it, even if the run was stopped before its first checkpoint."""
        if not path.is_dir() or (any(path.iterdir()) and not is_run(path)):
            raise ConfigError(f"{path}: there is no run to resume: leave out --resume to start one")
        with ExitStack() as on_error:
            run = cls(path)
            on_error.enter_context(run)
            run.warnings += damage(path / METRICS)
            on_error.pop_all()
        return run

    def write(self, name: str, content: str | bytes) -> None:
        """Write one of the run's small files, completely or not at all."""
        if name not in FILES:
            raise ValueError(f"{name} is not listed in FILES, so --overwrite would leave it behind")
        data = content.encode() if isinstance(content, str) else content
        replace_file(self.path / name, data)
        self.remember(name, data)

    def append_to(self, name: str) -> AppendedFile:
        """Open one of the run's files that grow."""
        self._appended.append(AppendedFile(self.path / name))
        return self._appended[-1]

    def remember(self, name: str, content: bytes) -> None:
        """Have `check` write this file too if it is removed."""
        self._small[name] = content

    def check(self) -> list[str]:
        """Make sure that the folder is still this process's own, before more is written into it.

        A file that another program removed is written again.

        Returns
        -------
        warnings
            For the user: what other programs did, and what was done about it.

        Raises
        ------
        RunBusy, DiskError
            Another process has taken the folder; it was removed, renamed or replaced.
        """
        found = [] if self._lock is None else [self._lock.check()]
        found += [file.check() for file in self._appended]
        for name, content in self._small.items():
            if not os.path.lexists(self.path / name):
                replace_file(self.path / name, content)
                found.append(f"{self.path / name}: removed by another program: written again")
        return [warning for warning in found if warning]

    def close(self) -> None:
        """Release the folder, after closing the files that grow."""
        for file in self._appended:
            file.close()
        self._appended.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_kinds(self) -> None:
        """Raise a `ConfigError` if a pipe, a device or a folder has the name of a file, or a file that of a folder."""
        for name in (LOCK, *FILES, *CHECKPOINTS):
            with suppress(OSError):  # it is missing
                status = (self.path / name).stat()
                if not (stat.S_ISDIR if name in CHECKPOINTS else stat.S_ISREG)(status.st_mode):
                    what = f"{kind_of(status)}, which this tool did not create"
                    raise ConfigError(f"{self.path / name}: {what}: remove it, or choose another folder with -o")

    def _probe(self) -> None:
        """Check now, not after an hour, whether the folder can be written to."""
        probe = temporary_name(self.path / PROBE)
        try:
            write_new(probe, [bytes(4096)], place=self.path / PROBE)
        finally:
            with suppress(OSError):
                probe.unlink()

    def _contents(self) -> Iterator[tuple[Path, str, str]]:
        """Yield each path in the folder, ``tmp`` or ``old`` if it is in transit, and its final name."""
        for path in list(self.path.iterdir()):
            match = TRANSIT.fullmatch(path.name)
            yield (path, match[1], match[2]) if match else (path, "", path.name)

    def _clean(self) -> None:
        """Remove the unfinished files of a killed process."""
        with disk_errors(self.path):
            for path, transit, name in self._contents():
                if transit == "tmp":
                    _remove(path, name)

    def _remove_run(self) -> None:
        """Remove a run, and nothing that this tool did not create."""
        with disk_errors(self.path):
            known = [(path, name) for path, _, name in self._contents() if name in (*CHECKPOINTS, *FILES, TENSORBOARD)]
            for path, _ in known:
                if path.is_symlink():
                    raise ConfigError(f"{path}: a symbolic link, which this tool did not create: remove it first")
            for path, name in sorted(known, key=lambda item: item[1] in FILES):  # the checkpoints first
                # A partly removed checkpoint under its own name would be a damaged one if this process were killed now.
                _remove(path.rename(temporary_name(path)) if path.name in CHECKPOINTS else path, name)
            sync_folder(self.path)
            left = sorted(path.name for path in self.path.iterdir() if path.name != LOCK)
        if left:
            self.warnings.append(
                f"{self.path}: replaced, except for files that this tool did not create: {listed(left)}"
            )


def _remove(path: Path, name: str) -> None:
    """Remove a path that was created under `name`, whatever its name is now."""
    if name in CHECKPOINTS:
        remove_folders([path], CHECKPOINT_FILES)
    elif name == TENSORBOARD:
        remove_folders([path], [found.name for found in path.glob(f"{TENSORBOARD_FILES}*")])
    elif name == SCHEMA_FOLDER:
        remove_folders([path], SCHEMA)
    elif name in (*FILES, PROBE) and not path.is_dir():
        path.unlink()
