"""Columns that are kept as they are written in the file, beside the typed values, until the data is split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lstm_cli.data.formats.raw import Options, RawSequence, Split
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.parsing import in_time
from lstm_cli.data.schema.record import Record


def ignore(split: Split, records: Sequence[Record]) -> None:
    """Do nothing with the sequences of a split."""


@dataclass(frozen=True)
class Written:
    """Which columns are kept, and who looks at them.

    Attributes
    ----------
    names
        The columns, as far as the file has them; they need not be inputs. Empty: none are kept.
    look
        Receives the sequences of each split that is held out, whose `Record.written` has these columns.
    """

    names: tuple[str, ...] = ()
    look: Callable[[Split, Sequence[Record]], None] = ignore

    def read_by(self, options: Options) -> Options:
        """Return options by which these columns are read too, and each sequence by itself."""
        if not self.names:
            return options
        columns = None if options.columns is None else options.columns | set(self.names)
        return replace(options, columns=columns, bunches=False)

    def on(self, layout: Layout, sequence: RawSequence, record: Record) -> Record:
        """Return the record of a sequence with what these columns have in it, in the order of time."""
        if not self.names:
            return record
        if layout.time is not None:
            sequence = in_time(layout.time, layout.time_form, sequence)[0]
        columns = {name: sequence.columns[name] for name in self.names if name in sequence.columns}
        if layout.target.per == "step":  # a part of a text is cut by its tokens, with the boundaries of lines
            tokens = {column.source: column.name for column in layout.inputs if column.kind == "tokens"}
            columns |= {
                name: record.inputs[tokens[name]]
                for name, value in columns.items()
                if isinstance(value, str) and name in tokens
            }
        record.written = replace(sequence, columns=columns)
        return record
