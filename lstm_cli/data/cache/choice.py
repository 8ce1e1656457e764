"""Whether the data of a config is read from a memory-mapped copy, and what determines the copy."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.formats import format_of
from lstm_cli.data import memory
from lstm_cli.data.cache.kept import Build, Kept, kept
from lstm_cli.data.formats.compressed import is_compressed
from lstm_cli.data.schema.following import Base
from lstm_cli.data.schema.storage import contents
from lstm_cli.data.sources import files_of
from lstm_cli.errors import shown_path

#: Memory that loading takes for each byte of a file, about: of a plain one, and of a compressed one.
_PER_BYTE, _PER_COMPRESSED = 4, 16
#: Formats whose files are read as a whole.
_WHOLE = {"npy", "npz", "json", "text"}
#: Sections that change nothing in the data; of `train` and `model` what follows is said in notes and errors.
_OTHER = {"optimizer", "threads", "track", "train", "model"}


def is_copied(config: Config) -> bool:
    """Return whether a copy on disk is trained on: as ``data.cache`` says, or if the data does not fit into memory.

    No copy helps where a file that is read as a whole does not fit: reading it says so at once.

    Raises
    ------
    ConfigError
        There has to be a copy, but of a pipe or device, which cannot be read twice.
    """
    if config.data.cache == "never":
        return False
    files = sources(config)
    odd = next((path for path in files if path.exists() and not path.is_file()), None)
    if config.data.cache == "always":
        if odd is not None:
            raise config.error("data.cache", f"{shown_path(odd)} is no file, of which a copy can be made: leave it out")
        return True
    free = memory.available()
    if free is None or odd is not None or any(_is_read_whole(config, path, free) for path in files):
        return False
    return sum(map(_memory_of, files)) > free


def sources(config: Config) -> list[Path]:
    """Return the files that the data of a config is read from."""
    found: list[Path] = []
    for key in ("train", "valid", "test"):
        given = getattr(config.data, key)
        if isinstance(given, str | list):
            found += files_of(config, f"data.{key}", given)
    beside = [path for own in found if own.suffix == ".npy" for path in own.parent.glob("*.npy")]
    return list(dict.fromkeys([*found, *sorted(beside)]))


def copy_of(config: Config, precision: str, base: Base | None, build: Build, *, fresh: bool) -> Kept:
    """Return the copy of a config's data; see `kept`."""
    described: dict[str, Any] = config.model_dump(mode="json", exclude=_OTHER)
    described["data"].pop("cache")
    described |= {
        "precision": precision,
        "monitor": config.train.monitor,
        "bidirectional": any(layer.bidirectional for layer in config.model.layers),
        "base": None if base is None else [base.scale, base.name, _texts(base)],
        "folder": str(config.source.folder.absolute()),
        "program": version("lstm-cli"),
    }
    return kept(config, described, sources(config), build, fresh=fresh)


def _texts(base: Base) -> dict[str, str]:
    return {name: text.decode("utf-8", "surrogatepass") for name, text in contents(base.schema).items()}


def _is_read_whole(config: Config, path: Path, free: int) -> bool:
    """Return whether a file of more than `free` bytes is of a format that is read as a whole."""
    form = format_of(path) if config.data.format == "auto" else config.data.format
    return form in _WHOLE and path.is_file() and path.stat().st_size > free


def _memory_of(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            return path.stat().st_size * (_PER_COMPRESSED if is_compressed(path, stream) else _PER_BYTE)
    except OSError:
        return 0  # reading it says what is wrong
