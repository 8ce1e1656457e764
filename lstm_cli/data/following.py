"""Sequences, and pieces of them, from a stream whose lines are answered one by one."""

from collections.abc import Iterator

from lstm_cli.data.formats import csv, jsonl
from lstm_cli.data.formats.objects import object_options, of_objects
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Origin, Source
from lstm_cli.data.raw_text import read_text
from lstm_cli.data.reading import layout_options, require_ids
from lstm_cli.data.schema.layout import Layout
from lstm_cli.errors import DataError

#: The formats in which a line can be read without those after it.
FORMATS = ("jsonl", "csv", "text")


def follow_lines(origin: Origin, layout: Layout, form: str) -> Iterator[RawSequence | DataError]:
    """Yield what each line holds, or what is wrong with it, as soon as the line is there.

    Parameters
    ----------
    origin
        A path, ``-`` for standard input, or an open binary stream.
    layout
        The columns that the sequences must have.
    form
        One of `FORMATS`: in jsonl a line holds a sequence or some steps of one, in csv a step, in text the tokens of
        one sequence.
    """
    for item in _lines(Source(origin), layout, form):
        try:
            if isinstance(item, RawSequence):
                require_ids(layout, form, item)
        except DataError as error:
            item = error
        yield item


def _lines(source: Source, layout: Layout, form: str) -> Iterator[RawSequence | DataError]:
    options = layout_options(layout, labelled=False)
    if form == "text":
        yield from read_text(source, layout)
    elif form == "csv":
        yield from csv.read_rows(source, options)
    elif layout.table.row == "step":
        for item in jsonl.read(source, object_options(options)):
            yield from of_objects(source.name, [item], options)
    else:
        yield from jsonl.read(source, options)


def continues(layout: Layout, sequence: RawSequence) -> bool:
    """Return whether lines after this one can hold further steps of its sequence: it has an id, or is a row of one."""
    return sequence.rows or any(column in sequence.names for column in layout.id)
