"""Whether the data of a config is read from a memory-mapped copy, and what determines the copy."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.data import memory
from lstm_cli.data.cache.kept import Build, Kept, kept
from lstm_cli.data.formats.compressed import is_compressed
from lstm_cli.data.schema.following import Base
from lstm_cli.data.schema.storage import contents
from lstm_cli.data.sources import files_of

#: Memory that loading takes for each byte of a file, about: of a plain one, and of a compressed one.
_PER_BYTE, _PER_COMPRESSED = 4, 16
#: Sections that change nothing in the data; of `train` and `model` what follows is said in notes and errors.
_OTHER = {"optimizer", "threads", "track", "train", "model"}


def is_copied(config: Config) -> bool:
    """Return whether a copy on disk is trained on: as ``data.cache`` says, or if the data does not fit into memory."""
    if config.data.cache != "auto":
        return config.data.cache == "always"
    free = memory.available()
    return free is not None and sum(map(_memory_of, sources(config))) > free


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


def _memory_of(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            return path.stat().st_size * (_PER_COMPRESSED if is_compressed(path, stream) else _PER_BYTE)
    except OSError:
        return 0  # reading it says what is wrong
