"""``metrics.jsonl`` read back: what a resumed run knows of its earlier sessions."""

import json
import os
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from lstm_cli.run.files import disk_errors, open_own

SPLITS = ("train", "valid", "test")


class _Line(NamedTuple):
    """A line of the file: its entry, if one can be read there, and the offset of its end."""

    entry: dict[str, Any] | None
    end: int


def trim_metrics(path: Path, step: int) -> list[dict[str, Any]]:
    """Cut a file back to what was known at a step, so that the resumed run leaves no gap and no duplicate.

    Removed are an incomplete last line, entries after the step, and the score on the test data, which ends a run and
    will be computed again. A damaged line before them stays: no crash leaves one, and the user may repair it.

    Parameters
    ----------
    path
        The file; nothing happens where it is missing.
    step
        The step from which the run continues.

    Returns
    -------
    entries
        What is kept.
    """
    kept = list(takewhile(lambda line: line.entry is None or _stays(line.entry, step), _lines(path)))
    if os.path.lexists(path):
        _cut(path, kept[-1].end if kept else 0)
    return [line.entry for line in kept if line.entry is not None]


def damage(path: Path) -> list[str]:
    """Return a warning if lines are damaged, except for an incomplete last one, which is what a crash leaves."""
    numbers = [number for number, line in enumerate(_lines(path), 1) if line.entry is None]
    if not numbers:
        return []
    more = f", like {len(numbers) - 1:,} more of the file" if numbers[1:] else ""
    return [f"{path}:{numbers[0]}: a damaged line{more}: left as it is, and not in the report"]


def _stays(entry: dict[str, Any], step: int) -> bool:
    return bool(entry["step"] <= step and entry["split"] != "test")


def _cut(path: Path, size: int) -> None:
    descriptor = open_own(path, os.O_WRONLY)
    try:
        with disk_errors(path):
            if os.fstat(descriptor).st_size > size:
                os.ftruncate(descriptor, size)
                os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[_Line]:
    """List a file's lines without an incomplete last one."""
    if not os.path.lexists(path):
        return []
    found, end = [], 0
    with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file, disk_errors(path):
        for line in file:
            end += len(line)
            found.append(_Line(_parsed(line), end))
    return found[:-1] if found and found[-1].entry is None else found


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line; none where it is not what a run writes."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("split") not in SPLITS:
        return None
    counted = all(type(entry.get(name)) is int for name in ("step", "epoch"))
    numbers = all(value is None or type(value) in (int, float) for name, value in entry.items() if name != "split")
    return entry if counted and numbers else None
