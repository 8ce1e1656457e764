"""The formats of data files and the suffixes that tell them: the one table that config, readers and messages use."""

from pathlib import PurePath

SUFFIXES = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv", ".tsv"),
    "parquet": (".parquet",),
    "npz": (".npz",),
    "text": (".txt", ".text"),
    "conllu": (".conllu",),
    "ts": (".ts",),
    "arrow": (".arrow", ".feather"),
}
FORMATS = tuple(SUFFIXES)
FORMAT_OF = {suffix: form for form, suffixes in SUFFIXES.items() for suffix in suffixes}


def format_of(path: str | PurePath) -> str | None:
    """Return the format that a path's suffix tells, in capitals or not; None if it tells none."""
    return FORMAT_OF.get(PurePath(path).suffix.lower())
