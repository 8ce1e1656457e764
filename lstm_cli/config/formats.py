"""The formats of data files and their suffixes: the one table that the config, the readers and messages use."""

from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

SUFFIXES: dict[str, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "csv": (".csv", ".tsv"),
    "columns": (".conll", ".iob", ".bio"),
    "parquet": (".parquet",),
    "npz": (".npz",),
    "npy": (".npy",),
    "text": (".txt", ".text"),
    "conllu": (".conllu",),
    "ts": (".ts",),
    "tsf": (".tsf",),
    "arrow": (".arrow", ".feather"),
}
#: What is predicted unless the config says otherwise, in formats that say it: a column, or ``next``.
OWN_TARGETS = {"text": "next", "ts": "label", "tsf": "next"}
#: Suffixes of compressed files, which stand behind the format's own: log.csv.gz.
COMPRESSED = (".gz", ".zst", ".zip")
FORMATS = tuple(SUFFIXES)
#: Formats of tables, in which rows with the same id are one sequence, and without ids all rows are.
TABLES = ("csv", "parquet", "arrow")
#: Formats in which a column has a list or an array for each sequence.
LISTS = ("jsonl", "json", "npz", "npy", "parquet", "arrow")
#: Formats that are text in some encoding.
TEXTS = ("csv", "columns", "jsonl", "json", "text", "conllu", "ts", "tsf")
if TYPE_CHECKING:  # a type checker does not read the table
    Format = str
    FormatOrAuto = str
else:
    Format = Literal[FORMATS]
    FormatOrAuto = Literal["auto", Format]
FORMAT_OF: dict[str, Format] = {suffix: form for form, suffixes in SUFFIXES.items() for suffix in suffixes}


def uncompressed(path: str | PurePath) -> PurePath:
    """Return a path without the suffix that says how it is compressed."""
    path = PurePath(path)
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def format_of(path: str | PurePath) -> Format | None:
    """Return the format of a path by its suffix, in upper or lower case; None for an unknown suffix."""
    return FORMAT_OF.get(uncompressed(path).suffix.lower())
