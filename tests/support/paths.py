"""Places of files."""

from pathlib import Path

ROOT = Path(__file__).parents[2]  # of the clone


def names_in(folder: Path) -> set[str]:
    """Return the names of what lies in a folder."""
    return {entry.name for entry in folder.iterdir()}
