"""Predictions filled into a CoNLL-U file: the column that was predicted is new, every other byte is the input's."""

from codecs import BOM_UTF8 as BOM
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lstm_cli.config.formats import format_of
from lstm_cli.data import Encoded, Schema
from lstm_cli.data.formats.conllu import COLUMNS
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import ConfigError, brief
from lstm_cli.predict.wording import Row

_EMPTY = "_"


def check_fillable(schema: Schema, data: Path, form: str | None, options: list[str]) -> None:
    """Raise a `ConfigError` unless the predictions are values of a column of a CoNLL-U file."""
    target = schema.layout.target
    if options:
        raise ConfigError(f"-o ….conllu: holds predictions of one column only: leave {', '.join(options)} out")
    if str(data) == "-" or (form or format_of(data)) != "conllu":
        raise ConfigError("-o ….conllu: fills a column of DATA, which is no CoNLL-U file: write .jsonl or .csv")
    if target.column not in COLUMNS or target.per != "step" or target.kind == "number" or target.ahead:
        raise ConfigError(
            f"-o ….conllu: the model predicts {target.name}, which is no column of labels per word "
            f"({', '.join(COLUMNS)}): write .jsonl or .csv"
        )
    for label in map(str, schema.target.labels or ()):
        if not label.isprintable() or (target.kind == "set" and ("|" in label or label == _EMPTY)):
            raise ConfigError(f"-o ….conllu: no cell can hold the label {brief(repr(label))}: write .jsonl or .csv")


class Filling:
    """A CoNLL-U file whose sentences get their predictions; those that were skipped stay as they are.

    Parameters
    ----------
    data
        The file that the sentences are read from.
    schema
        Of the model.
    """

    def __init__(self, data: Path, schema: Schema) -> None:
        self._data = data
        self._place = COLUMNS.index(schema.layout.target.column or "") + 1  # after the word's number
        self._starts: deque[int] = deque()

    def passing(self, sentences: Iterable[Encoded]) -> Iterator[Encoded]:
        """Yield the sentences, and remember the line where each begins."""
        for sentence in sentences:
            self._starts.append(int(sentence.where.rpartition(":")[2]))
            yield sentence

    def lines(self, rows: Iterable[Row]) -> Iterator[bytes]:
        """Yield the lines of the file, given the predictions of the sentences that passed."""
        predicted = ((self._starts.popleft(), row["prediction"]) for row in rows)
        start, words = next(predicted, (0, []))
        current: Iterator[Any] | None = None
        with Source(self._data).open() as stream:
            for number, line in enumerate(stream, start=1):
                if not line.strip():
                    current = None
                elif number == start:
                    current = iter(words)
                    start, words = next(predicted, (0, []))
                if current is not None and line.removeprefix(BOM).partition(b"\t")[0].isdigit():
                    line = self._filled(line, next(current))
                yield line

    def _filled(self, line: bytes, value: Any) -> bytes:
        """Return the line of a word with a label, or the labels of a set, in the predicted column."""
        labels = value if isinstance(value, list) else [value]
        text = line.rstrip(b"\r\n")
        cells = text.split(b"\t")
        cells[self._place] = ("|".join(map(str, labels)) or _EMPTY).encode()
        return b"\t".join(cells) + line[len(text) :]
