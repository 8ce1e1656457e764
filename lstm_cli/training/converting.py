"""Data files converted to a folder that a training reads in place."""

import os
from pathlib import Path

from lstm_cli.config import config_from_mapping
from lstm_cli.data.cache.converted import convert, summary
from lstm_cli.data.sources import files_of
from lstm_cli.errors import DataError, shown_path


def convert_files(data: str, folder: Path, *, ids: tuple[str, ...]) -> str:
    """Convert what a path, a pattern or a folder names; return what was written, as a line.

    Raises
    ------
    DataError
        The folder exists, or the data cannot be read.
    """
    if os.path.lexists(folder):
        raise DataError(f"{shown_path(folder)}: exists already: choose another folder with -o, or remove it")
    if not folder.absolute().parent.is_dir():
        raise DataError(f"{shown_path(folder)}: there is no folder {shown_path(folder.absolute().parent)}: create it")
    config = config_from_mapping({"data": {"train": data, "inputs": ["x"], "target": "next"}}, Path())
    found = convert(files_of(config, "data.train", data), folder, ids=ids or ("id",))
    return summary(found, folder)
