"""Notes on the inputs of the training data: one line each for what may not be as the user believes, with what to do.

Legend: T steps, D numbers per step, N steps of all sequences.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.config.formats import LISTS
from lstm_cli.data.schema.again import each
from lstm_cli.data.schema.blocks import blocks, limits
from lstm_cli.data.schema.layout import Column
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.schema import Schema

#: A value further from the median than this many deviations is noted.
FAR = 100
#: A token input is noted from this many tokens on, if more than this share of them are different.
FEWEST, DIFFERENT = 50, 0.9
_BLANKS = 2  # a token with as many blanks or more is a document
_IQR = 1.349  # the range between the quartiles of a normal distribution, in deviations
_PADDED = 3  # as many steps of zeros at the end look like padding


def notes_on_inputs(config: Config, schema: Schema, records: Sequence[Record]) -> list[str]:
    """Return the notes on the inputs of the training records."""
    found: list[str] = []
    for column in schema.layout.inputs:
        if column.kind == "tokens" and schema.layout.format != "text":
            found += _on_tokens(config, column, records)
        elif column.kind == "number" and column.calendar is None:
            found += _on_numbers(column, records)
    return [*found, *_on_padding(schema, records)]


def _on_tokens(config: Config, column: Column, records: Sequence[Record]) -> Iterator[str]:
    """Note how strings are cut, and tokens that hardly recur."""
    key = f"data.inputs.{column.name}"
    if column.text:
        yield _on_unit(config, column, records)
        return
    most = 1 if column.static else None
    count, different, first = 0, set[str](), ""
    for record in records:
        tokens = record.tokens(column.name)[:most]
        first = first if count or not tokens else tokens[0]
        count += len(tokens)
        different.update(column.spelling.apply(tokens))
    documents = sum(token.count(" ") >= _BLANKS for token in different)
    if 2 * documents > len(different):
        fix = "for a sequence of its words set unit: word, and in a table data.table.row: sequence"
        yield f"train: {column.name}: each token is a text of several words, such as {first!r:.60}; {fix}"
    elif count >= FEWEST and len(different) > DIFFERENT * count:
        what = f"{len(different):,} of {count:,} tokens are different, so that little can be learned from them"
        fix = "set kind: number if they are quantities, last: N for their endings, or leave the column out"
        yield f"train: {column.name}: {what}; {fix} ({key})"


def _on_unit(config: Config, column: Column, records: Sequence[Record]) -> str:
    """Say what a token of a string is; where they hold blanks and nobody chose, what else it could be."""
    unit = column.unit or config.data.unit
    note = f"train: {column.name}: strings are cut into {'characters' if unit == 'char' else 'words'} (unit: {unit})"
    chosen = column.unit is not None or "unit" in config.data.model_fields_set
    blanks = sum(" " in record.tokens(column.name) for record in records)
    if unit == "char" and not chosen and 2 * blanks > len(records):
        note += f"; for words set unit: word in data.inputs.{column.name}"
    return note


def _on_numbers(column: Column, records: Sequence[Record]) -> Iterator[str]:
    """Note constant columns, and single values far from all others."""
    pieces = each(records, lambda record: record.numbers(column.name)[: 1 if column.static else record.observed])
    low, high = limits(pieces, column.width)
    if sum(map(len, pieces)) > 1 and np.array_equal(low, high):
        shown = f"{low[0]:g}" if column.width == 1 else "the same vector"
        yield f"train: {column.name} is always {shown}: nothing can be learned from it; leave it out of data.inputs"
        return
    distance, row, value = _farthest(pieces)
    if distance > FAR:
        ends = np.cumsum([len(piece) for piece in pieces])
        index = int(np.searchsorted(ends, row, side="right"))
        where, step = records[index].place(row - (int(ends[index - 1]) if index else 0))
        what = f"{value:g} (step {step + 1} of {where}) is {distance:,.0f} deviations"
        fix = "if it stands for a missing value, add it to data.missing.values"
        yield f"train: {column.name}: {what} from the median; {fix}, else consider data.transform: log"


def _farthest(pieces: Sequence[Numbers]) -> tuple[float, int, float]:
    """Return how far the value farthest from the median of its column is, its step among all, and the value.

    The unit is the deviation of the column's middle half. A deviation that includes the value itself would hide it:
    one of N values is at most sqrt(N) of them away.
    """
    stride = max(1, sum(map(len, pieces)) // 100_000)
    sample, start = [], 0
    for block in blocks(pieces):
        sample.append(block[-start % stride :: stride].copy())  # a view would hold the block
        start += len(block)
    farthest, start = (0.0, 0, 0.0), 0
    if not sample:
        return farthest
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        quarter, median, high = np.nanpercentile(np.concatenate(sample), (25, 50, 75), axis=0)
        deviation = (high - quarter) / _IQR
        deviation = np.where(deviation > 0, deviation, np.inf)
        for block in blocks(pieces):
            distance = np.nan_to_num(np.abs(block - median) / deviation, nan=0.0)
            row, element = np.unravel_index(int(distance.argmax()), distance.shape)
            if distance[row, element] > farthest[0]:
                farthest = float(distance[row, element]), start + int(row), float(block[row, element])
            start += len(block)
    return farthest


def _on_padding(schema: Schema, records: Sequence[Record]) -> Iterator[str]:
    """Note arrays filled up with zeros to a common length, which no lengths tell."""
    columns = [column for column in schema.layout.inputs if not column.static and column.calendar is None]
    numeric = all(column.kind == "number" for column in columns)
    lengths = {length for record in records for length in np.unique(record.lengths).tolist()}
    if schema.layout.format not in LISTS or not numeric or len(lengths) != 1:
        return
    steps = lengths.pop()
    zeros = [_zeros_at_end(one, columns) for given in records for one in given.each()] if steps > _PADDED else []
    padded = sum(_PADDED <= count < steps for count in zeros)
    if 2 * padded > len(zeros) > 1 and len(set(zeros)) > 1:
        what = f"{padded:,} of {len(zeros):,} sequences end in {_PADDED} or more steps of zeros, as if padded"
        yield f"train: {what}; give their lengths (npz: an array lengths), or cut the zeros off"


def _zeros_at_end(record: Record, columns: Sequence[Column]) -> int:
    """Return how many of the last steps of a record are zero in all columns."""
    nonzero = np.any([record.numbers(column.name).any(axis=1) for column in columns], axis=0)
    return record.steps if not nonzero.any() else int(nonzero[::-1].argmax())
