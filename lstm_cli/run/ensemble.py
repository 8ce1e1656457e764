"""The folder of an ensemble: a file that names its members, ordinary run folders beside it.

ensemble.json       {"members": ["seed-1", …], "scores": {split: {"mean": {metric: …}, "deviation": {metric: …}}}}
seed-1/ seed-2/ …   run folders
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lstm_cli.errors import CheckpointError
from lstm_cli.plain_files import read_own
from lstm_cli.run.files import replace_file

ENSEMBLE: Final = "ensemble.json"
_MEMBER = re.compile(r"seed-\d+")


def member_name(seed: int) -> str:
    """Return the name of the folder of the member with a seed."""
    return f"seed-{seed}"


def is_ensemble(folder: Path) -> bool:
    """Return whether a folder holds an ensemble."""
    return (folder / ENSEMBLE).is_file()


def members(folder: Path) -> list[Path]:
    """Return the run folders of the members of an ensemble.

    Raises
    ------
    CheckpointError
        Its file is damaged.
    """
    path = folder / ENSEMBLE
    try:
        names = json.loads(read_own(path))["members"]
        if not names or not all(isinstance(name, str) and _MEMBER.fullmatch(name) for name in names):
            raise ValueError("members")
    except (ValueError, KeyError, TypeError):
        what = "damaged: expected the names of its members, such as seed-1"
        raise CheckpointError(f"{path}: {what}: repeat the command that trained it, with --resume") from None
    return [folder / name for name in names]


def runs_of(folders: Sequence[Path]) -> list[Path]:
    """Return run folders, with the members in place of an ensemble."""
    return [run for folder in folders for run in (members(folder) if is_ensemble(folder) else [folder])]


def write_members(folder: Path, seeds: Sequence[int], scores: Mapping[str, Any] | None = None) -> None:
    """Write which members an ensemble has, and their scores once all are trained."""
    content: dict[str, Any] = {"members": [member_name(seed) for seed in seeds]}
    if scores is not None:
        content["scores"] = scores
    replace_file(folder / ENSEMBLE, (json.dumps(content, indent=1) + "\n").encode())
