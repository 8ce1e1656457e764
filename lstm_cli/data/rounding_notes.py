"""Notes on numbers that single precision does not tell apart, such as times in seconds since 1970 that are not scaled.

Legend: T steps, D numbers per step, N steps looked at.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import cast

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data.schema.again import each
from lstm_cli.data.schema.blocks import blocks
from lstm_cli.data.schema.preprocessing import Chain, Scaling
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.schema import Schema

#: How many numbers of a column are looked at, from the first on: neighbours are those that become equal.
LOOKED_AT = 20_000
#: A column is noted if less than this share of its different values is left.
KEPT = 0.9
#: Two values are different if they differ by more than this share of one, which is more than rounding in double gives.
_ROUNDING = 1e-13


def notes_on_rounding(config: Config, schema: Schema, records: Sequence[Record]) -> Iterator[str]:
    """Yield a note for each numeric input, and a numeric target, of which few different values are left."""
    if schema.precision != "float32" or schema.layout.scale != "train":
        return
    for column in schema.layout.inputs:
        if column.kind == "number" and column.calendar is None:
            pieces = (record.numbers(column.name)[: 1 if column.static else record.observed] for record in records)
            yield from _on_numbers(config, column.name, pieces, column.chain, schema.scaling[column.name])
    for view, own in [(part, each(records, partial(_view, k))) for k, part in enumerate(schema.parts)]:
        yield from _on_target(config, view, own)
    yield from _on_target(config, schema, records)


def _view(part: int, record: Record) -> Record:
    return record.view(part)


def _on_target(config: Config, schema: Schema, records: Sequence[Record]) -> Iterator[str]:
    target = schema.layout.target
    if schema.target.kind == "number" and not target.is_next and schema.layout.closed_loop is None:
        if target.name not in schema.scaling and schema.target.scaling is not None:
            pieces = (cast(Numbers, record.target) for record in records)
            yield from _on_numbers(config, target.name, pieces, target.chain, schema.target.scaling)


def _on_numbers(config: Config, name: str, pieces: Iterable[Numbers], chain: Chain, scaling: Scaling) -> Iterator[str]:
    """Yield a note if the first numbers of a column (T, D), scaled, are fewer different ones than before."""
    first = _first(pieces, chain, len(scaling.center))
    if len(first) < 2:
        return
    given = np.sort(first, axis=0)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large has its own message
        scaled = np.diff(((given - scaling.center) / scaling.spread).astype(np.float32), axis=0)
        apart = np.diff(given, axis=0) > _ROUNDING * np.abs(given[1:])
    before, after = 1 + apart.sum(axis=0), 1 + (apart & (scaled != 0)).sum(axis=0)
    worst = int((after / before).argmin())
    if after[worst] < KEPT * before[worst]:
        what = f"{before[worst]:,} different values become {after[worst]:,} in single precision, which has 7 digits"
        fixes = ["data.scale: standard"] * (config.data.scale == "none" and config.rollout is None)
        fixes += [f"data.transform.{name}: difference", "precision: float64"]
        yield f"train: {name}: {what}; set {', or '.join(fixes)}"


def _first(pieces: Iterable[Numbers], chain: Chain, width: int) -> Numbers:
    """Return the first complete steps (N, D) of all pieces, transformed."""
    most, found, count = max(100, LOOKED_AT // width), list[Numbers](), 0
    for block in blocks(chain.apply(piece) for piece in pieces):
        found.append(block[~np.isnan(block).any(axis=1)][: most - count])
        count += len(found[-1])
        if count >= most:
            break
    return np.concatenate(found) if found else np.zeros((0, width))
