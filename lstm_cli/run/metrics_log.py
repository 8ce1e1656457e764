"""Reading ``metrics.jsonl``: the evaluations of a run's earlier sessions."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, get_args

from lstm_cli.config.train import METRICS
from lstm_cli.data.splits import Split
from lstm_cli.errors import CheckpointError, and_more
from lstm_cli.plain_files import MOST
from lstm_cli.run.files import disk_errors, open_own

SPLITS = get_args(Split)


class _Line(NamedTuple):
    """A line of the file: its entry, None if it cannot be read, and the offset of its end."""

    entry: dict[str, Any] | None
    end: int


def trim_metrics(path: Path, step: int) -> list[dict[str, Any]]:
    """Truncate the file after the entries up to an update, so that the resumed run leaves no gap and no duplicate.

    An incomplete last line, later entries, and the score on the test data, which ends a run and will be computed again,
    are removed. A damaged line before them stays: no crash leaves one, and the user may repair it.

    Parameters
    ----------
    path
        The file; it may be missing.
    step
        The number of updates after which the run continues.

    Returns
    -------
    entries
        The entries that remain.
    """
    kept = list(takewhile(lambda line: line.entry is None or _stays(line.entry, step), _lines(path)))
    if os.path.lexists(path):
        _cut(path, kept[-1].end if kept else 0)
    return [line.entry for line in kept if line.entry is not None]


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a file that may be missing, without damaged lines, see `damage`; nothing is changed."""
    return [line.entry for line in _lines(path) if line.entry is not None]


def best_entry(monitor: str, entries: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the evaluation with the best value of the monitored score, the first of ties; None if none has it.

    Parameters
    ----------
    monitor
        Such as ``valid.loss``, or ``train.loss``, which every evaluation during training has.
    entries
        The evaluations, as in ``metrics.jsonl``.
    """
    sign = 1 if smaller_is_better(monitor) else -1
    rated = [(entry, value) for entry in entries if (value := monitored(monitor, entry)) is not None]
    return min(rated, key=lambda pair: sign * pair[1], default=(None, 0.0))[0]


def smaller_is_better(monitor: str) -> bool:
    """Return whether smaller values of a monitored score are better."""
    return METRICS[monitor.split(".")[1]] == "min"


def monitored(monitor: str, entry: Mapping[str, Any]) -> float | None:
    """Return the value of a monitored score in an evaluation; None if it has none."""
    split, _, metric = monitor.partition(".")
    if split == "train" and entry["split"] == "valid":  # beside the scores of the validation data
        metric = "train_loss"
    elif entry["split"] != split:
        return None
    value: float | None = entry.get(metric)
    return value


def damage(path: Path) -> list[str]:
    """Return a warning if lines are damaged, except for an incomplete last one, as left by a crash."""
    numbers = [number for number, line in enumerate(_lines(path), 1) if line.entry is None]
    if not numbers:
        return []
    return [
        f"{path}:{numbers[0]}: a damaged line{and_more(len(numbers) - 1, ', ')}: left unchanged, and not in the report"
    ]


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
    """Return a file's lines without an incomplete last one; refuse a file that no run wrote, for its size."""
    if not os.path.lexists(path):
        return []
    found, end = [], 0
    with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file, disk_errors(path):
        if (size := os.fstat(file.fileno()).st_size) > MOST:
            found_and_expected = f"{size:,} bytes, expected at most {MOST:,}"
            raise CheckpointError(f"{path}: damaged: {found_and_expected}: restore the file, or remove it")
        for line in file:
            end += len(line)
            found.append(_Line(_parsed(line), end))
    return found[:-1] if found and found[-1].entry is None else found


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line; None if a run did not write it."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("split") not in SPLITS:
        return None
    values = {name: value for name, value in entry.items() if name != "split"}
    complete = all(type(values.get(name)) is int for name in ("step", "epoch")) and values.get("seconds") is not None
    numbers = all(value is None or _is_number(value) for value in values.values())
    return entry if complete and "loss" in values and numbers else None


def _is_number(value: Any) -> bool:
    """Return whether a value is a number as runs write it: finite, and no whole number beyond those of arrays."""
    return math.isfinite(value) if type(value) is float else type(value) is int and abs(value) < 1 << 63
