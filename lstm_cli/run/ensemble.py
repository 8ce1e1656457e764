"""The folder of several runs: a file that names its members, ordinary run folders beside it.

ensemble.json       {"members": ["seed-1", …], "scores": {split: {"mean": {metric: …}, "deviation": {metric: …}}}}
seed-1/ seed-2/ …   run folders

of ``--seeds``; of ``--folds`` they are folds.json, fold-1/ fold-2/ … and the predictions of what each fold held out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lstm_cli.errors import CheckpointError, ConfigError, on_one_line
from lstm_cli.plain_files import read_own
from lstm_cli.run.files import replace_file


@dataclass(frozen=True)
class Kind:
    """A kind of folder of several runs.

    Attributes
    ----------
    file
        Names the members.
    noun
        What such a folder holds.
    member
        What the name of a member's folder begins with.
    option
        With which ``lstm-train`` makes it.
    """

    file: str
    noun: str
    member: str
    option: str

    @property
    def name(self) -> str:
        """What such a folder holds, with an article."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    def member_name(self, number: int) -> str:
        """Return the name of the folder of a member."""
        return f"{self.member}-{number}"


ENSEMBLE: Final = Kind("ensemble.json", "ensemble", "seed", "--seeds")
FOLDS: Final = Kind("folds.json", "cross-validation", "fold", "--folds")


def kind_of(folder: Path) -> Kind | None:
    """Return which kind of several runs a folder holds; None: it holds no such."""
    return next((kind for kind in (ENSEMBLE, FOLDS) if (folder / kind.file).is_file()), None)


def is_ensemble(folder: Path) -> bool:
    """Return whether a folder holds an ensemble."""
    return kind_of(folder) is ENSEMBLE


def members(folder: Path) -> list[Path]:
    """Return the run folders of the members of several runs.

    Raises
    ------
    CheckpointError
        Its file is damaged.
    """
    kind = kind_of(folder) or ENSEMBLE
    path = folder / kind.file
    try:
        names = json.loads(read_own(path))["members"]
        if not names or not all(isinstance(name, str) and re.fullmatch(rf"{kind.member}-\d+", name) for name in names):
            raise ValueError("members")
    except (ValueError, KeyError, TypeError):
        what = f"damaged: expected the names of its members, such as {kind.member_name(1)}"
        raise CheckpointError(f"{path}: {what}: repeat the command that trained it, with --resume") from None
    return [folder / name for name in names]


def runs_of(folders: Sequence[Path]) -> list[Path]:
    """Return run folders, with the members in place of an ensemble.

    Raises
    ------
    ConfigError
        One holds folds, which are fitted to different data each and do not predict together.
    """
    for folder in folders:
        if kind_of(folder) is FOLDS:
            what = f"holds {FOLDS.name}, each fold of which is fitted to other data: name one"
            one = on_one_line(members(folder)[0])
            raise ConfigError(f"{on_one_line(folder)}: {what}, such as {one}, or train on all of the data")
    return [run for folder in folders for run in (members(folder) if is_ensemble(folder) else [folder])]


def write_members(
    folder: Path, names: Sequence[str], scores: Mapping[str, Any] | None = None, kind: Kind = ENSEMBLE, **others: Any
) -> None:
    """Write which members several runs are, and their scores and others once all are trained."""
    content: dict[str, Any] = {"members": [*names], **({} if scores is None else {"scores": scores}), **others}
    replace_file(folder / kind.file, (json.dumps(content, indent=1) + "\n").encode())
