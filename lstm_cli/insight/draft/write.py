"""Writes the config of data files."""

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePath

from lstm_cli.config.formats import uncompressed
from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.insight.draft.draft import Choose, Draft, draft_config
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.run.files import disk_errors, replace_file


def write_draft(
    data: Sequence[str],
    path: Path | None = None,
    *,
    task: str | None = None,
    target: str | None = None,
    overwrite: bool = False,
    choose: Choose | None = None,
) -> tuple[Draft, str]:
    """Write a config for data files; return it and its path as a shell takes it.

    Parameters
    ----------
    data
        Files, patterns or folders.
    path
        The config; None: a file in the current folder, named after the data.
    task, target, choose
        As for `draft_config`.
    overwrite
        Whether an existing config is replaced.

    Raises
    ------
    ConfigError
        The config exists, or no target is found.
    DataError
        The data cannot be read.
    """
    if "-" in data:
        raise ConfigError("DATA: standard input can be read only once, and a config names files: give a file")
    path = Path(f"{_stem(data[0])}.yaml") if path is None else path
    for name in data:
        check_outputs({"-o": path}, {"DATA": Path(name)})
    with disk_errors(path):
        path.parent.stat()
    if path.exists() and not overwrite:
        raise ConfigError(f"{shown_path(path)}: exists already: give another name with -o, or --overwrite")
    draft = draft_config(data, path=path, task=task, target=target, choose=choose)
    replace_file(path, draft.text.encode())
    return draft, shlex.quote(str(path))


def _stem(name: str) -> str:
    """Return a name for the config of a file, folder or pattern."""
    plain = uncompressed(PurePath(name)).stem
    kept = "".join(character for character in plain if character.isalnum() or character in "._-")
    return kept.strip(".") or "config"
