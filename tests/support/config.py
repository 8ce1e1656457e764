from pathlib import Path

from lstm_cli.config import Config, load_config
from lstm_cli.errors import ConfigError

GOOD = "data: {train: a.jsonl, inputs: [x], target: y}\n"


def write(folder: Path, text: str | bytes, name: str = "c.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(folder: Path, text: str | bytes, *overrides: str) -> Config:
    return load_config(write(folder, text), overrides)


def errors(folder: Path, text: str | bytes, *overrides: str) -> list[str]:
    """Return the lines of the error, with the folder left out."""
    try:
        load(folder, text, *overrides)
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "").split("\n")
    return []
