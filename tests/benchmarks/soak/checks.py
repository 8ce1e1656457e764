"""What has to hold after every process and at the end of a round; whatever does not raises `Broken`."""

import json
import re
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.errors import CheckpointError
from lstm_cli.run.checkpoint import PARTS, State, load
from lstm_cli.run.names import BEST, LAST
from tests.support.data import read_jsonl
from tests.support.runs import metrics

#: What the last line on stderr says, by exit code.
MESSAGES = {
    2: r"cannot be resumed with these keys changed|holds a run: continue it with --resume|: ",
    65: r"damaged|no good checkpoint is left|restore|has changed|not readable|cannot be read|no checkpoint",
    74: r"cannot be (written|read|removed)|cannot write|Read-only|No space left|File too large",
    75: r"in use by ",
}
NEVER = re.compile(r"Traceback|unexpected|please report|Exception ignored|\.py:\d+: \w*Warning|Segmentation|LLVM ERROR")


class Broken(Exception):
    """A promise that does not hold."""


def check_end(
    ended: Any, allowed: Iterable[int], *, notes: str = "", usual: set[str] | None = None, closed: bool = False
) -> None:
    """An exit code of the contract that its cause explains, and one message for it.

    Parameters
    ----------
    ended
        The process.
    allowed
        Exit codes that what was done to it explains.
    notes
        Pattern of warnings that it also explains.
    usual
        Lines that it prints undisturbed, if it was told to print only warnings and errors.
    closed
        Whether its stderr was closed.
    """
    where = f"`{ended.command}` ended with {ended.code}"
    if ended.code not in set(allowed):
        raise Broken(f"{where}, expected one of {sorted(set(allowed))}:\n{ended.err}")
    if found := NEVER.search(ended.err):
        raise Broken(f"{where} and said {found[0]!r}:\n{ended.err}")
    if closed or ended.code < 0:
        return
    _check_message(ended, where)
    if usual is not None and ended.code in (0, 74, 75):
        lines = ended.lines[:-1] if ended.code else ended.lines
        if more := [line for line in lines if line not in usual and not (notes and re.search(notes, line))]:
            raise Broken(f"{where} with more to say than was due: {more}\n{ended.err}")


def _check_message(ended: Any, where: str) -> None:
    last = ended.lines[-1] if ended.lines else ""
    if ended.code > 128:
        wanted = f"^stopped by {signal.Signals(ended.code - 128).name}|^stopped$"
    else:
        wanted = MESSAGES.get(ended.code, "")
    if not re.search(wanted, ended.err if ended.code in (2, 65) else last):
        raise Broken(f"{where}, and its message is not about that:\n{ended.err}")


def tree(place: Path) -> dict[str, tuple[int, int]]:
    """Every path below a folder, with its size and time."""
    found = {}
    for path in sorted(place.rglob("*")):
        status = path.lstat()
        found[str(path)] = (0, 0) if path.is_dir() else (status.st_size, status.st_mtime_ns)
    return found


def check_untouched(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], who: str) -> None:
    """No file appeared, changed or vanished outside the run folder."""
    changed = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    if changed:
        raise Broken(f"{who} changed files outside the run folder: {changed[:10]}")


def same_file(one: Path, other: Path) -> bool:
    """Whether two files have the same content, or neither exists."""
    return [p.read_bytes() if p.is_file() else None for p in (one,)] == [
        p.read_bytes() if p.is_file() else None for p in (other,)
    ]


def leftovers(run: Path) -> list[str]:
    """Names of unfinished or replaced things in a run folder."""
    return [p.name for p in run.iterdir() if re.match(r"\.(tmp|old)-\w+", p.name)] if run.is_dir() else []


def differences(one: Path, other: Path) -> list[str]:
    """How the results of two runs differ, in any bit of both checkpoints; empty if they do not."""
    found = []
    for name in (LAST, BEST):
        states = [_load(run / name) for run in (one, other)]
        if None in states:
            found += [f"{name}: only one run has it"] if states != [None, None] else []
            continue
        left, right = states
        for part in PARTS:
            arrays, others = getattr(left, part), getattr(right, part)
            found += [f"{name}: {part} {key}: only one run has it" for key in arrays.keys() ^ others.keys()]
            found += [
                f"{name}: {part} {key}: {_distance(arrays[key], others[key])}"
                for key in arrays.keys() & others.keys()
                if arrays[key].dtype != others[key].dtype or arrays[key].tobytes() != others[key].tobytes()
            ]
        positions = [{**state.position, "seconds": 0} for state in states]
        found += [
            f"{name}: position {key}: {positions[0].get(key)} and {positions[1].get(key)}"
            for key in positions[0].keys() | positions[1].keys()
            if positions[0].get(key) != positions[1].get(key)
        ]
    return found


def _distance(one: np.ndarray, other: np.ndarray) -> str:
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype}{one.shape} and {other.dtype}{other.shape}"
    return f"{np.count_nonzero(one != other)} of {one.size} values differ, by up to {np.max(np.abs(one - other)):g}"


def _load(folder: Path) -> State | None:
    return load(folder) if folder.is_dir() else None


def metric_differences(run: Path, whole: Path, *, only_end: bool = False) -> list[str]:
    """How the evaluations of two runs differ; with `only_end` the earlier ones may be missing in the first."""
    ours, expected = metrics(run), metrics(whole)
    if only_end and len(ours) <= len(expected):
        expected = expected[len(expected) - len(ours) :]
    if ours == expected:
        return []
    changed = [
        f"metrics.jsonl: {left} in place of {right}"
        for left, right in zip(ours, expected, strict=False)
        if left != right
    ]
    return [f"metrics.jsonl: {len(ours)} lines, expected {len(expected)}", *changed[:3]]


def check_state(run: Path, atleast: int, names: Iterable[str | None] = (LAST, BEST)) -> int:
    """The checkpoints load, and nothing that was saved is lost; return the newest step."""
    steps = [0]
    for name in names:
        if name and (run / name).is_dir():
            try:
                steps.append(load(run / name).position["step"])
            except CheckpointError as error:
                raise Broken(f"a checkpoint that no one damaged: {error}") from None
    if max(steps) < atleast:
        raise Broken(f"{run}: the newest state is of step {max(steps)}, and step {atleast} was there before")
    return max(steps)


def check_whole(path: Path) -> list[Any]:
    """A file of predictions is whole: every line is one."""
    text = path.read_text()
    if not text.endswith("\n"):
        raise Broken(f"{path}: predictions end within a line")
    return read_jsonl(path)


def check_scores(printed: str, computed: dict[str, float], logged: dict[str, Any] | None) -> None:
    """Scores are those computed from the predictions, and those that the run logged."""
    scores = json.loads(printed)
    for name, value in computed.items():
        if not np.isclose(scores[name], value, rtol=3e-5, atol=1e-9):
            raise Broken(f"--evaluate: {name} is {scores[name]}, and {value} as computed from the predictions")
    for name, value in scores.items():
        if logged is not None and logged.get(name) != value:
            raise Broken(f"--evaluate: {name} is {value}, and metrics.jsonl has {logged.get(name)} for the same file")
