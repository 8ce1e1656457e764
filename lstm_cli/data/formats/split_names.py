"""The splits of files that hold several, by the names that people give them."""

import re
from collections.abc import Collection, Iterable, Sequence

from lstm_cli.data.formats.raw import Options, Split

SPLIT_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev"),
    "test": ("test", "testing"),
}
ALL_NAMES = tuple(name for names in SPLIT_NAMES.values() for name in names)
_ANY = "|".join(sorted(ALL_NAMES, key=len, reverse=True))
#: X_train, trainX, …
_ARRAY = re.compile(rf"(?P<column>.+?)[_.-]?(?P<split>{_ANY})|(?P<before>{_ANY})[_.-]?(?P<after>.+)", re.IGNORECASE)


def named_splits(names: Iterable[str]) -> list[str]:
    """Return those of the names that are a split's."""
    return [name for name in names if name.lower() in ALL_NAMES]


def chosen_name(names: Collection[str], split: Split | None) -> str | None:
    """Return which of the names of splits is read; without a split, that of the test data, or the only one."""
    by_name = {name.lower(): name for name in names}
    for known in SPLIT_NAMES[split or "test"]:
        if known in by_name:
            return by_name[known]
    return next(iter(by_name.values())) if split is None and len(by_name) == 1 else None


def arrays_of_split(names: Sequence[str], options: Options) -> dict[str, str] | None:
    """Return under which name the array of each column is stored: X_train of x, if the file holds splits.

    None if there are splits, but not the one that is read.
    """
    known = {name.lower(): name for name in (*(options.columns or ("y",)), "lengths", "offsets", *options.id)}
    known[options.input.lower()] = options.input
    plain: dict[str, str] = {}
    splits: dict[str, dict[str, str]] = {}
    for name in names:
        column = known.get(name.lower(), name)
        plain[name if column in names else column] = name
        found = _ARRAY.fullmatch(name)
        if found is not None:
            split, column = found["split"] or found["before"], found["column"] or found["after"]
            splits.setdefault(split.lower(), {})[known.get(column.lower(), column)] = name
    splits = {split: arrays for split, arrays in splits.items() if options.input in arrays}
    chosen = chosen_name(splits, options.split)
    if chosen is not None:
        return splits[chosen]
    return plain if options.input in plain or not splits else None
