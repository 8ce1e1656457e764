"""The formats of data files and their suffixes: the one table that the config, the readers and messages use."""

from pathlib import PurePath
from typing import Literal

Format = Literal["jsonl", "csv", "parquet", "npz", "text", "conllu", "ts", "arrow"]

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv", ".tsv"),
    "parquet": (".parquet",),
    "npz": (".npz",),
    "text": (".txt", ".text"),
    "conllu": (".conllu",),
    "ts": (".ts",),
    "arrow": (".arrow", ".feather"),
}
FORMATS: tuple[Format, ...] = tuple(SUFFIXES)
FORMAT_OF: dict[str, Format] = {suffix: form for form, suffixes in SUFFIXES.items() for suffix in suffixes}


def format_of(path: str | PurePath) -> Format | None:
    """Return the format of a path by its suffix, in upper or lower case; None for an unknown suffix."""
    return FORMAT_OF.get(PurePath(path).suffix.lower())
