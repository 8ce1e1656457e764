"""The files that a key of the config names: a path, a pattern, a folder, or a list of them; and ids by their names."""

import glob
import re
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path, PurePath

from lstm_cli.config.config import Config
from lstm_cli.config.formats import FORMAT_OF, SUFFIXES, format_of, uncompressed
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.errors import DataError, listed, on_one_line, shown_path

#: As the only column of `data.id`, where the data has none of this name: sequences are named by their file.
FILE = "file"

_DIGITS = re.compile(r"(\d+)")


def files_of(config: Config, key: str, given: str | Sequence[str]) -> list[Path]:
    """Return the files that a key names, those of a pattern or folder in natural order: ``log-2`` before ``log-10``.

    Parameters
    ----------
    config
        Its folder is that of relative paths; with its ``data.format`` a folder gives the files of that format.
    key
        The key, for messages.
    given
        Its value.

    Raises
    ------
    DataError
        A pattern matches nothing, or a folder has no files of one known format.
    ConfigError
        A file is named twice.
    """
    names = [given] if isinstance(given, str) else given
    paths = [path for name in names for path in _expanded(config, name)]
    twice = [path for path, count in Counter(path.resolve() for path in paths).items() if count > 1]
    if twice:
        raise config.error(key, f"{shown_path(twice[0])} is named twice: leave one out")
    return paths


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return names for files: without folder and suffixes, or with as much of the path as tells them apart."""
    plain = [PurePath(uncompressed(path)).with_suffix("") for path in paths]
    most = max(len(path.parts) for path in plain)
    for depth in range(1, most + 1):
        names = ["/".join(path.parts[-depth:]) for path in plain]
        if len(set(names)) == len(names):
            return names
    return [path.name for path in paths]


def named_by_file(
    sequences: Generator[RawSequence | DataError, None, None], name: str, ids: tuple[str, ...]
) -> Generator[RawSequence | DataError, None, None]:
    """Yield the sequences of a file; those that no column names have the file's name, with a number if it has several.

    Parameters
    ----------
    sequences
        As the reader yields them; they are closed at the end.
    name
        The file's name.
    ids
        The columns of `data.id`.
    """
    held: RawSequence | None = None
    count = 0
    with closing(sequences):
        for item in sequences:
            if isinstance(item, DataError) or set(ids) <= set(item.names) or not isinstance(item.id, int):
                yield item
                continue
            count += 1
            item.id = f"{name}:{item.id}"
            if count == 1:
                held = item  # whether it is the only one turns out later
                continue
            if held is not None:
                yield held
                held = None
            yield item
    if held is not None:
        held.id = name
        yield held


def _expanded(config: Config, name: str) -> list[Path]:
    """Return the files of one path, pattern or folder."""
    path = config.source.resolve(name)
    if path.is_dir():
        return _in_folder(path, config.data.format)
    if path.exists() or not glob.has_magic(name):
        return [path]
    pattern = path if name.startswith("~/") or Path(name).is_absolute() else Path(name)
    start = Path(pattern.anchor) if pattern.anchor else config.source.folder
    found = start.glob(str(pattern.relative_to(pattern.anchor)))
    files = [file for file in found if file.is_file() and file.name[0] != "."]
    if not files:
        what = "no file matches this pattern, which is relative to the config's folder"
        raise DataError(f"{on_one_line(name)}: {what}: correct it, or give a path")
    return sorted(files, key=_natural)


def _in_folder(folder: Path, form: str) -> list[Path]:
    """Return the data files in a folder, of the given format or, for ``auto``, of the one that all of them have."""
    present = sorted((path for path in folder.iterdir() if path.is_file() and path.name[0] != "."), key=_natural)
    known = [path for path in present if format_of(path) is not None]
    forms = Counter(str(format_of(path)) for path in known)
    if form != "auto":
        known = [path for path in known if format_of(path) == form] or present
    elif len(forms) > 1:
        what = listed([f"{count} of {name}" for name, count in forms.most_common()])
        fix = "give a pattern such as " + f"{folder.name}/*{SUFFIXES[forms.most_common(1)[0][0]][0]}"
        raise DataError(f"{shown_path(folder)}: a folder with files of several formats ({what}): {fix}")
    if not known:
        others = f"only {listed([path.name for path in present], 3)}" if present else "it is empty"
        fix = f"give a pattern and data.format, or files that end in {listed(list(FORMAT_OF), 20)}"
        raise DataError(f"{shown_path(folder)}: a folder without data files ({others}): {fix}")
    return known


def _natural(path: Path) -> list[tuple[int, str | int]]:
    """Return the key by which files are sorted: digits count as numbers."""
    parts = _DIGITS.split(str(path))
    return [(1, int(part)) if part.isdecimal() else (0, part) for part in parts if part]


def first_file(files: str | list[str]) -> str:
    """Return the first of the files that a key names."""
    return files if isinstance(files, str) else files[0]
