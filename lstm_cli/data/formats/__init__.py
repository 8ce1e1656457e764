"""One file per format: from bytes to raw sequences. The config or the file's suffix selects one.

A reader is a generator of sequences. One that cannot be read is yielded as the `DataError` that says why, so that the
caller decides whether to stop or to skip it; an error that makes the rest of the file unusable is raised.

To add a format: write its file here with a function ``read(source, options)``, add a line to `READERS`, and add its
suffixes to `lstm_cli.config.formats`. Config, messages and inference need nothing else.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from lstm_cli.data.formats import arrow, columns, conllu, csv, json, jsonl, npy, npz, text, ts, tsf
from lstm_cli.data.formats.blocks import is_utf8
from lstm_cli.data.formats.detection import check_content, detect, named_format
from lstm_cli.data.formats.gathering import gathered
from lstm_cli.data.formats.objects import object_options, of_objects
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.recoding import RecodedSource
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, listed


@dataclass(frozen=True)
class Reader:
    """How a format is read.

    Attributes
    ----------
    read
        Yields the sequences of a source.
    own_input
        The column that feeds the network, in formats that name their columns themselves.
    nested
        Values can be lists of lists, as the starts and goals of a closed loop around a system are.
    numbered
        Sequences have no ids in the file, only their numbers.
    recoded
        Text that is read as UTF-8; csv knows encodings itself.
    objects
        Sequences are objects, of which each can also be one step.
    bunches
        It yields short sequences in bunches itself, where that is asked.
    """

    read: Callable[[Source, Options], Iterator[RawSequence | DataError]]
    own_input: str | None = None
    nested: bool = False
    numbered: bool = False
    recoded: bool = False
    objects: bool = False
    bunches: bool = False


READERS = {
    "jsonl": Reader(jsonl.read, nested=True, recoded=True, objects=True, bunches=True),
    "json": Reader(json.read, nested=True, recoded=True, objects=True),
    "csv": Reader(csv.read, bunches=True),
    "columns": Reader(columns.read, numbered=True, recoded=True),
    "parquet": Reader(arrow.read_parquet, nested=True),
    "arrow": Reader(arrow.read_arrow, nested=True),
    "npz": Reader(npz.read, own_input="x"),
    "npy": Reader(npy.read, own_input="x"),
    "text": Reader(text.read, own_input="text", numbered=True, recoded=True, bunches=True),
    "conllu": Reader(conllu.read, recoded=True),
    "ts": Reader(ts.read, own_input="x", numbered=True, recoded=True),
    "tsf": Reader(tsf.read, own_input="x", recoded=True),
}

__all__ = ["READERS", "Options", "Reader", "detect", "named_format", "read"]


def read(source: Source, form: str, options: Options) -> Generator[RawSequence | DataError, None, None]:
    """Yield the sequences of a source in the given format, and a `DataError` for each that cannot be read.

    The file is open until the generator ends. Whoever may not exhaust it closes it: an exception can hold on to a
    generator for as long as its traceback lives.
    """
    reader = READERS[form]
    if reader.numbered and options.id_required:
        what = f"format {form} has no columns with one value per sequence that could be an id"
        raise DataError(f"{source.name}: {listed(options.id)}: {what}: leave data.id out")
    check_content(source, form)
    if reader.recoded and not is_utf8(options.table.encoding):
        source = RecodedSource(source, options.table.encoding)
    if reader.objects and options.table.row == "step":
        yield from of_objects(source.name, reader.read(source, object_options(options)), options)
    elif options.bunches and not reader.bunches:
        yield from gathered(reader.read(source, options), options)
    else:
        yield from reader.read(source, options)
