"""The files of each split, as the user names them and as the config does."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_cli.config import Config, config_from_mapping
from lstm_cli.data.sources import files_of
from lstm_cli.errors import counted, shown_path
from lstm_cli.insight.draft.splits import beside, parts_in, parts_within


@dataclass(frozen=True)
class Files:
    """The files of each split.

    Attributes
    ----------
    training
        A config that names those of the training data, relative to the current folder; nothing else of it is used.
    train
        The value of `data.train`.
    others
        The values of `data.valid` and `data.test`, as far as there are files.
    shown
        The data, for messages.
    """

    training: Config
    train: Any
    others: dict[str, Any]
    shown: str


def files_for(names: Sequence[str], folder: Path) -> Files:
    """Return files, patterns and folders of the user's sorted into splits; the config will be in a folder.

    Raises
    ------
    DataError
        A pattern matches nothing, or a folder has no data.
    """
    given = _training(names)
    found = files_of(given, "data.train", list(names))
    shown = shown_path(Path(names[0])) if len(names) == 1 else counted(len(found), "file")
    parts = parts_in(found)
    if parts:
        values = {split: _value([_relative(file, folder) for file in files]) for split, files in parts.items()}
        return Files(_training(list(map(str, parts["train"]))), values.pop("train"), values, shown)
    train = _value([_relative(Path(name), folder) for name in names])
    others: dict[str, Any] = {}
    if names == [str(found[0])]:
        others = {split: _relative(file, folder) for split, file in beside(found[0]).items()}
        others |= dict.fromkeys(parts_within(found[0]), train)
    return Files(given, train, others, shown)


def _value(names: list[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else names


def _training(names: Sequence[str]) -> Config:
    return config_from_mapping({"data": {"train": list(names), "target": "next"}})


def _relative(path: Path, folder: Path) -> str:
    """Return a path as one relative to a folder, if it is no absolute one."""
    if path.is_absolute() or str(path).startswith("~"):
        return str(path)
    return os.path.relpath(path, folder)
