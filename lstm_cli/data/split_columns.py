"""Columns that say where a sequence belongs: `data.split`, and those whose values keep sequences together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data.formats.raw import RawSequence, ValueProblem, label_key
from lstm_cli.data.formats.split_names import SPLIT_NAMES
from lstm_cli.data.schema.column_values import parsed
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.parsing import in_time, parse
from lstm_cli.data.schema.record import Record
from lstm_cli.data.splits import HELD_OUT, spec_of
from lstm_cli.data.written import Written
from lstm_cli.errors import counted

#: The values of `data.split`, and the position of their part.
_PARTS = {name: place for place, names in enumerate(SPLIT_NAMES.values()) for name in names}


def split_columns(config: Config) -> dict[str, str]:
    """Return the columns that say where sequences belong, each with the key that names it."""
    named = {} if config.data.split is None else {config.data.split: "data.split"}
    for key in HELD_OUT:
        spec = spec_of(config, key)
        if spec is not None and spec.by not in ("sequence", "time"):
            named[spec.by] = f"data.{key}.by"
    return named


def marked(names: Mapping[str, str], written: Written, layout: Layout, sequence: RawSequence) -> Record:
    """Return the typed values of a sequence, and where it belongs."""
    record = mark(names, layout, sequence, parse(layout, sequence, labelled=True))
    return written.on(layout, sequence, record)


def mark(names: Mapping[str, str], layout: Layout, sequence: RawSequence, record: Record) -> Record:
    """Return the record with what the columns that say where it belongs, `split_columns`, have in its sequence.

    Raises
    ------
    DataError
        A value is unknown, or changes within the sequence where it may not.
    """
    if names and layout.time is not None:
        sequence = in_time(layout.time, layout.time_form, sequence)[0]
    for name, key in names.items():
        runs = parsed(sequence, name, lambda value: _runs(value, record.steps))
        if key == "data.split":
            try:
                record.ends = _ends(runs, record.steps)
            except ValueProblem as problem:
                raise sequence.error(name, problem) from None
            continue
        if len(runs) > 1:
            what = f"expected one value for the sequence, got {runs[0][0]!r:.40} and {runs[1][0]!r:.40}"
            raise sequence.error(name, ValueProblem(what, "give every step the same", step=runs[1][1]))
        record.groups = {**(record.groups or {}), name: runs[0][0]}
    return record


def _runs(value: Any, steps: int) -> list[tuple[str, int]]:
    """Return the values of the steps, and where each begins; the same value is one run."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return [(label_key(value).strip(), 0)]
    if len(value) != steps:
        raise ValueProblem(
            f"{counted(len(value), 'value')} for {counted(steps, 'step')}", "give one for the sequence, or one per step"
        )
    value = value if isinstance(value, list) else list(value)
    runs: list[tuple[str, int]] = []
    for step, cell in enumerate(value):
        if not runs or cell != value[runs[-1][1]]:
            if cell is None or cell == "":
                raise ValueProblem("the value is missing", "fill it in", step=step)
            runs.append((label_key(cell).strip(), step))
    return runs


def _ends(runs: list[tuple[str, int]], steps: int) -> tuple[int, int]:
    """Return where the parts for training and validation end."""
    parts: list[int] = []
    for name, step in runs:
        part = _PARTS.get(name.lower())
        if part is None:
            raise ValueProblem(f"expected train, valid or test, got {name!r:.40}", "correct it", step=step)
        if parts and part < parts[-1]:
            what = f"{name} after {runs[len(parts) - 1][0]}, but a series is split in the order train, valid, test"
            raise ValueProblem(what, "name the sequences with data.id, or give whole parts", step=step)
        parts.append(part)
    starts = [step for _, step in runs]
    valid, test = (next((step for part, step in zip(parts, starts, strict=True) if part >= k), steps) for k in (1, 2))
    return valid, test
