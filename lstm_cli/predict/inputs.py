"""The sequences that `lstm-predict` reads, and what the user should know about them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lstm_cli.data import Encoded, Schema, UnknownCounts, encode, read_sequences
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema.parsing import in_time
from lstm_cli.errors import on_one_line
from lstm_cli.predict.future import Extension
from lstm_cli.predict.kept import Kept
from lstm_cli.predict.run import Run


class Inputs:
    """A file or stream of sequences, read as the run's training data was.

    Parameters
    ----------
    run : Run
    data : Path
        A file, or ``-`` for standard input.
    form : str, optional
        Its format; None: that which the run's config names, else by the suffix.
    kept : Kept, optional
        Receives columns that are carried through.
    extend : callable, optional
        Adds the known inputs of later steps to a record.
    words : str
        Where the data is text, the column that its lines have the tokens of.

    Attributes
    ----------
    unpredicted
        How many of the last steps of a sequence had no output so far, at most.
    """

    def __init__(
        self,
        run: Run,
        data: Path,
        *,
        form: str | None = None,
        kept: Kept | None = None,
        extend: Extension | None = None,
        words: str = "",
    ) -> None:
        self._extend, self.unpredicted, self._words = extend, 0, words
        self._run, self._data, self._form, self._kept = run, data, form or run.format, kept
        self._policy, self.unknown_counts = run.policy(data), UnknownCounts()

    @contextmanager
    def encoded(self, schema: Schema) -> Iterator[Iterator[Encoded]]:
        """Give the encoded sequences; the file is closed afterwards."""
        keep = () if self._kept is None else self._kept.names
        raw = read_sequences(self._data, schema, form=self._form, policy=self._policy, keep=keep)

        def made(sequence: RawSequence) -> Encoded:
            encoded = encode(schema, sequence, unknown_counts=self.unknown_counts, extend=self._extend)
            self.unpredicted = max(self.unpredicted, encoded.unpredicted)
            if self._kept is not None:
                self._kept.take(in_time_order(schema, sequence), encoded)
            return encoded

        def checked() -> Iterator[Encoded]:
            yield from self._policy.converted(made, raw)
            self._policy.notes()  # raises if too many cannot be used, before the output is complete

        with closing(raw):
            yield checked()

    def scores(self) -> dict[str, float]:
        """Return the loss and metrics of the run on the sequences."""
        return self._run.evaluate(self._data, form=self._form, policy=self._policy, unknown_counts=self.unknown_counts)

    def notes(self, name: str) -> list[str]:
        """Return notes on skipped sequences, unknown tokens and labels, and values unlike those of training."""
        text = f"{name}: read as text, each line a sequence of {on_one_line(self._words)}: --format says otherwise"
        return [*[text] * bool(self._words), *self._policy.notes(), *self.unknown_counts.notes(name)]


def in_time_order(schema: Schema, sequence: RawSequence) -> RawSequence:
    """Return a sequence with its steps in the order of their times, in which they are predicted."""
    layout = schema.layout
    return sequence if layout.time is None else in_time(layout.time, layout.time_form, sequence)[0]
