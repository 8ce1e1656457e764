"""Format npy: one array per file; the other columns stand in files beside it, named alike.

The input's name is in the file's name: beside ``X_train.npy`` stand ``y_train.npy``, and ``lengths_train.npy`` and
``id_train.npy`` if there are such. Axes are as in npz.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from lstm_cli.data.formats import npz
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the sequences."""
    arrays = {options.input: npz.loaded(source, options.input)}
    required = set(options.columns or ()) | (set(options.id) if options.id_required else set())
    optional = {*npz.EXTENTS, *options.id, *(["y"] if options.columns is None else [])} - required
    for name in sorted((required | optional) - {options.input}) if source.path is not None else []:
        beside = _beside(source.path or Path(), options.input, name)
        if beside is not None and (beside.exists() or name in required):
            arrays[name] = npz.loaded(Source(beside, base=f"that of {source.name}, beside which it is expected"), name)
        elif name in required:
            what = f"the file's name does not hold {options.input}, so there is no telling where {name} is"
            fix = f"name it {options.input}_….npy, and {name}_….npy beside it, or save both in one npz"
            raise DataError(f"{source.name}: {what}: {fix}")
    return npz.sequences(source, arrays, tuple(arrays), options)


def _beside(path: Path, own: str, other: str) -> Path | None:
    """Return the path of another column's file: with its name in place of the input's own."""
    found = re.search(rf"(?<![a-z]){re.escape(own)}(?![a-z])", path.name, re.IGNORECASE)
    if found is None:
        return None
    names = [other, other.upper()] if found[0].isupper() else [other]
    paths = [path.with_name(path.name[: found.start()] + name + path.name[found.end() :]) for name in names]
    return next((candidate for candidate in paths if candidate.exists()), paths[0])
