"""A small file system of its own, which can be full or read-only at any moment."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.crash import why_no_mount

INSIDE = "LSTM_SOAK_MOUNTS"  # set in a process whose mounts are its own
ROOM = 64 * 1024 * 1024


def enter_namespace() -> None:
    """Start this program again where it may mount file systems, which vanish with it; where that fails, stay."""
    if INSIDE in os.environ or why_no_mount():
        return
    command = ["unshare", "--mount", "--map-root-user", sys.executable, *sys.orig_argv[1:]]
    os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})


def can_mount() -> bool:
    return INSIDE in os.environ


class Disk:
    """A file system in memory, mounted on an empty folder."""

    def __init__(self, place: Path) -> None:
        self.place = place
        _mount("-t", "tmpfs", "-o", f"size={ROOM}", "none", place)

    def used(self) -> int:
        status = os.statvfs(self.place)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def resize(self, size: int) -> None:
        _mount("-o", f"remount,rw,size={max(size, self.used(), 4096)}", self.place)

    def fill(self, room: int) -> None:
        """Leave room for so many bytes."""
        self.resize(self.used() + room)

    def free(self) -> None:
        self.resize(ROOM)

    def read_only(self) -> None:
        _mount("-o", "remount,ro", self.place)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], check=True)


def mount_read_only(place: Path) -> None:
    """Let a folder be seen as it is, but not changed, until it is unmounted."""
    _mount("--bind", place, place)
    _mount("-o", "remount,bind,ro", place)


def unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)
