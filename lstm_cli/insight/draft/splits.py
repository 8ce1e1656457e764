"""Validation and test data: files beside the training data, what a column says, or a held-out part."""

import json
import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lstm_cli.data import Data
from lstm_cli.data.formats.split_names import ALL_NAMES, SPLIT_NAMES
from lstm_cli.errors import counted
from lstm_cli.insight.draft.look import Look
from lstm_cli.insight.draft.targets import Candidate, split_column

_TRAIN = re.compile(
    rf"(?<![a-z])({'|'.join(sorted(SPLIT_NAMES['train'], key=len, reverse=True))})(?![a-z])", re.IGNORECASE
)
_OTHER = re.compile(rf"(?<![a-z])({'|'.join(sorted(ALL_NAMES, key=len, reverse=True))})(?![a-z])", re.IGNORECASE)
#: Sequences, or steps of a series, from which on any are held out; steps from which on there is anything to train on.
_FOR_VALID, _FOR_STEPS = 5, 3
#: Sequences and steps from which on a test set is held out too.
_FOR_TEST = 200
_STEPS_FOR_TEST = 1000


@dataclass(frozen=True)
class HeldOut:
    """A value of `data.valid` or `data.test`, or of `data.split`, and why."""

    key: Literal["valid", "test", "split"]
    value: Any
    why: str


def parts_in(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return files by the split that their names say; empty unless some are of the training data and some are not."""
    parts: dict[str, list[Path]] = {}
    for file in files:
        found = _OTHER.findall(file.name)
        if not found:
            return {}
        split = next(split for split, names in SPLIT_NAMES.items() if found[-1].lower() in names)
        parts.setdefault(split, []).append(file)
    return parts if "train" in parts and len(parts) > 1 else {}


def beside(file: Path) -> dict[str, Path]:
    """Return the files of the other splits in a training file's folder, named as it is but for the split."""
    found: dict[str, Path] = {}
    places = list(_TRAIN.finditer(file.name))
    if not places:
        return found
    start, stop = places[-1].span()
    for split in ("valid", "test"):
        for name in SPLIT_NAMES[split]:
            other = file.with_name(file.name[:start] + _cased(name, file.name[start:stop]) + file.name[stop:])
            if other.is_file():
                found.setdefault(split, other)
    return found


def _cased(name: str, like: str) -> str:
    return name.upper() if like.isupper() else name.capitalize() if like[0].isupper() else name


def held_out(look: Look, candidate: Candidate, given: dict[str, Any]) -> list[HeldOut]:
    """Return what is held out.

    Parameters
    ----------
    look
        What the training data holds.
    candidate
        What is predicted.
    given
        The files of the other splits, as the config names them.
    """
    said = split_column(look)
    if said is not None and not given:
        return [
            HeldOut("split", said.name, f"says of each {'sequence' if said.per != 'step' else 'row'} where it belongs")
        ]
    found = [HeldOut(key, given[key], _FILES[key]) for key in ("valid", "test") if key in given]
    if "valid" in given:
        return found
    test = "test" not in given
    held = _series_end(look, test=test) if _in_time(look, candidate) else _sequences(look, test=test)
    return [*held, *found]


def without_valid(held: Sequence[HeldOut], data: Data) -> list[HeldOut] | None:
    """Return what is held out instead of the end of a series that has none of the labels before it; else None.

    Parameters
    ----------
    held
        What is held out.
    data
        What was read with it.
    """
    shares = [part for part in held if part.key == "valid" and not isinstance(part.value, str | list)]
    if not shares or data.valid is None or data.valid.has_known_labels:
        return None
    why = "nothing is held out, as the end of the data has none of the labels before it"
    return [HeldOut("valid", None, why), *(part for part in held if isinstance(part.value, str | list))]


_FILES = {"valid": "validation data: measures progress", "test": "scored once, at the end"}


def _in_time(look: Look, candidate: Candidate) -> bool:
    """Return whether the ends of series are held out rather than whole sequences."""
    per_step = candidate.task in ("tag", "forecast", "language-model") or (
        candidate.task == "regress"
        and (column := look.column(candidate.column or "")) is not None
        and column.per == "step"
    )
    return per_step and (
        not look.several or (candidate.task == "forecast" and look.arrangement.dates) or len(look.lengths) < 5
    )


def _series_end(look: Look, *, test: bool) -> list[HeldOut]:
    longest = max(look.lengths)
    if _FOR_STEPS <= longest < _FOR_VALID:
        return [HeldOut("valid", None, f"nothing is held out of {counted(longest, 'step')}")]
    share = 0.1 if longest >= 2000 else 0.2
    value: Any = {"share": share, "by": "time"} if look.several else share
    end = "the end of every series" if look.several else "the end of the series"
    held = [HeldOut("valid", value, f"{end} measures progress")]
    if test and longest >= _STEPS_FOR_TEST:
        held.append(HeldOut("test", value, "what follows it, scored once, at the end"))
    return held


def _sequences(look: Look, *, test: bool) -> list[HeldOut]:
    count, group = len(look.lengths), look.arrangement.group
    if count < _FOR_VALID:
        return [HeldOut("valid", None, f"nothing is held out of {counted(count, 'sequence')}")]
    share = 0.2 if count < 1000 else 0.1
    value: Any = {"share": share, "by": group} if group else share
    why = f"all sequences of some {group} measure progress" if group else "held-out sequences measure progress"
    held = [HeldOut("valid", value, why)]
    if test and count >= _FOR_TEST:
        held.append(HeldOut("test", value, "others, scored once, at the end"))
    return held


def parts_within(file: Path) -> list[str]:
    """Return the other splits that a training file holds itself: json by the names of arrays, npz by their ends."""
    names: Sequence[str] = ()
    if file.suffix == ".npz" and file.is_file():
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(file) as arrays:  # reading it says what is wrong with it
            names = [part for name in arrays.namelist() for part in re.split(r"[_.-]", name.removesuffix(".npy"))]
    elif file.suffix == ".json" and file.is_file():
        with suppress(ValueError, RecursionError), file.open(encoding="utf-8") as stream:
            content = json.load(stream)
            names = list(content) if isinstance(content, dict) else []
    found = {name.lower() for name in names}
    if not found & set(SPLIT_NAMES["train"]):
        return []
    return [split for split in ("valid", "test") if found & set(SPLIT_NAMES[split])]
