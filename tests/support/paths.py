"""Places of files."""

from pathlib import Path

ROOT = Path(__file__).parents[2]  # of the clone
RELEASED = ROOT / "tests" / "released" / "format-1"  # runs of an earlier version


def names_in(folder: Path) -> set[str]:
    """Return the names of what lies in a folder."""
    return {entry.name for entry in folder.iterdir()}


def is_open(path):
    """Return whether this process has a file open, where the system tells; elsewhere False."""
    descriptors = Path("/proc/self/fd")
    return descriptors.is_dir() and any(
        descriptor.exists() and descriptor.resolve() == path.resolve() for descriptor in descriptors.iterdir()
    )
