"""Predictions for a stream, line by line: each continues from the state that the line before left its sequence in.

The outputs are those of the whole sequence, bit for bit: of the steps before it a step needs the network's
state and, where inputs are transformed or filled, the last values, which are kept too.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from lstm_cli.data import Encoded, UnknownCounts
from lstm_cli.data.following import FORMATS, continues, follow_lines
from lstm_cli.data.formats import named_format
from lstm_cli.data.formats.blocks import is_utf8
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.raw_text import format_by_content
from lstm_cli.data.schema.encoding import encode_record
from lstm_cli.data.schema.filling import filled_record
from lstm_cli.data.schema.parsing import parse
from lstm_cli.data.schema.record import Record, Values
from lstm_cli.data.schema.times import written
from lstm_cli.errors import ConfigError, DataError, counted
from lstm_cli.predict.outputs import Outputs
from lstm_cli.predict.run import Run
from lstm_cli.predict.states import check_stateful, read_states, saved_states
from lstm_cli.predict.wording import Row, check_probabilities, free, reserved, spread_key
from lstm_cli.predict.writers import jsonl_lines, write_lines

#: Bytes of the states that are kept, and of what Python needs beside each.
HELD, _BESIDE = 1 << 28, 1 << 10


def follow(
    run: Run,
    data: Path,
    *,
    probabilities: bool = False,
    steps: int | None = None,
    state_in: Path | None = None,
    state_out: Path | None = None,
    form: str | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Write a prediction for each line of a stream to standard output, as soon as the line is there.

    The parameters are those of `lstm_cli.predict.predict_run`; ``data.on_error`` of the run's config says whether a
    line that cannot be used ends the stream or is skipped with a note.
    """
    source, layout = Source(data), run.schema.layout
    form = _format(run, data, form)
    check_follows(run, probabilities=probabilities)
    if steps is not None:
        steps = run.forecast_steps(steps, None)
    known = read_states(state_in, run.network) if state_in else {}
    streams = Streams(run, known, probabilities=probabilities, steps=steps, note=note)
    skip, skipped = run.config.data.on_error == "skip", 0

    def rows() -> Iterator[Row]:
        nonlocal skipped
        for item in follow_lines(data, layout, form):
            try:
                if isinstance(item, DataError):
                    raise item
                row = streams.row(item)
            except DataError as error:
                if not skip:
                    raise
                skipped += 1
                note(f"skipped: {error}")
                continue
            yield row

    with saved_states(state_out, run.network) as save:
        write_lines(jsonl_lines(rows()), None, at_once=True)
        for name, state in streams.states():
            save(name, state, source.name)
    for text in [*[f"{source.name}: {counted(skipped, 'line')} skipped"] * (skipped > 0), *streams.notes(source.name)]:
        note(text)


def _format(run: Run, data: Path, form: str | None) -> str:
    """Return the format of the lines, or raise the `ConfigError` for one that has none to be read one by one."""
    layout = run.schema.layout
    named = None if str(data) == "-" else named_format(data)
    known = form or run.format or (named if named in FORMATS else None)
    found = known or format_by_content(data, layout) or layout.format
    if layout.format == "text":
        raise ConfigError("--follow: a model of text files continues no stream: leave it out")
    if found not in FORMATS:
        what = f"--follow reads lines of jsonl or csv, not {found}"
        raise ConfigError(f"{what}: give --format jsonl or csv, or leave it out")
    return found


def check_follows(run: Run, *, probabilities: bool) -> None:
    """Raise the `ConfigError` for a model whose outputs need more than the steps before and a state."""
    layout = run.schema.layout
    known = ", ".join(column.name for column in layout.known)
    if run.drives:
        raise ConfigError("--follow: this model drives a system from a start, and has no steps to follow: leave it out")
    check_stateful(run.network, "--follow")
    reasons = {
        "data.scale: window needs a window for every step": layout.scale == "window",
        "data.scale: series needs the mean and deviation of the whole sequence": layout.scale == "series",
        f"the values of {known} that an output needs come in later lines": bool(known),
        "data.missing.fill: linear needs the next value": any(column.fill == "linear" for column in layout.filled),
        "data.table.encoding is not UTF-8": not is_utf8(layout.table.encoding),
    }
    for reason, holds in reasons.items():
        if holds:
            raise ConfigError(f"--follow: {reason}, so that no line can be predicted by itself: leave it out")
    if probabilities:
        check_probabilities(run.schema)


@dataclass
class _Stream:
    """What is kept of a sequence between its lines.

    Attributes
    ----------
    state : array (S,) or None
        Of the network after the last step; None: it starts afresh.
    tail
        The last steps, as many as the next ones need; None: there was none yet.
    steps
        How many steps there were.
    last
        The time of the last one; None without ``data.time``.
    """

    state: np.ndarray | None = None
    tail: Record | None = None
    steps: int = 0
    last: Any = None


class Streams:
    """Sequences whose steps come in pieces, in any order of the sequences.

    Parameters
    ----------
    run : Run
    known : mapping of str to array (S,)
        States that sequences start from, by their ids.
    probabilities : bool
        Add the probability of each label.
    steps : int, optional
        Rows are forecasts of this many steps after the last of each piece; None: predictions.
    note : callable
        Called once, when states have to be dropped.
    """

    def __init__(
        self,
        run: Run,
        known: Mapping[str, np.ndarray] | None = None,
        *,
        probabilities: bool = False,
        steps: int | None = None,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._run, self._layout = run, run.schema.layout
        self._probabilities, self._steps, self._note = probabilities, steps, note
        self._known, self._streams = dict(known or {}), OrderedDict[str, _Stream]()
        self._counts, self._dropped = UnknownCounts(), False
        self._needed = max(self._layout.lag, int(any(column.fill == "previous" for column in self._layout.filled)))
        state = run.network.model.state_size * np.dtype(run.network.model.dtype).itemsize
        #: How many sequences are kept; the states of others that had no line for longest are dropped.
        self.most = max(1, HELD // (state + _BESIDE))

    def row(self, sequence: RawSequence) -> Row:
        """Return the row for the next steps of a sequence, or raise the `DataError` for those that cannot be used."""
        name = str(sequence.id)
        more = continues(self._layout, sequence)
        before = (self._streams.get(name) if more else None) or _Stream(self._known.get(name))
        record = parse(self._layout, sequence, labelled=False, whole=False)
        self._check_time(before, record)
        joined = record if before.tail is None else _joined(before.tail, record)
        row, state = self._predicted(before, record, joined)
        if more:
            last = None if record.times is None else record.times[-1]
            self._keep(name, _Stream(state, self._tail(joined), before.steps + record.steps, last))
        return row

    def states(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the id and the state of each sequence, also of those that had no line."""
        yield from self._known.items()
        for name, stream in self._streams.items():
            if stream.state is not None:
                yield name, stream.state

    def notes(self, name: str) -> list[str]:
        """Return notes on tokens and values unlike those of training."""
        return self._counts.notes(name)

    def _check_time(self, before: _Stream, record: Record) -> None:
        if before.last is not None and record.times is not None and record.times[0] < before.last:
            found, last = written(record.times[:1])[0], written(np.array([before.last]))[0]
            what = f"{self._layout.time}: {found} is before {last}, the last step of {record.id} so far"
            raise DataError(f"{record.where}: {what}: give the lines of a sequence in the order of time")

    def _predicted(self, before: _Stream, record: Record, joined: Record) -> tuple[Row, np.ndarray | None]:
        """Return the row for a piece, which is the end of `joined`, and the state after it."""
        lag, again = self._layout.lag, joined.steps - record.steps
        if joined.steps <= lag:
            return self._without_output(record), before.state
        encoded = encode_record(self._run.schema, joined, labelled=False, unknown_counts=self._counts)
        if again > lag:
            encoded = encoded.part(again - lag, encoded.steps)
        states = {} if before.state is None else {str(record.id): before.state}
        row, state = self._run_network(encoded, states)
        return self._of_piece(row, record, again, before.steps), state

    def _run_network(self, encoded: Encoded, states: Mapping[str, np.ndarray]) -> tuple[Row, np.ndarray]:
        found: list[Outputs] = []
        if self._steps is not None:
            rows = self._run.forecasts([encoded], self._steps, states, listener=found.append)
        else:
            rows = self._run.predictions([encoded], states, probabilities=self._probabilities, listener=found.append)
        (row,) = rows
        return row, found[0].state

    def _of_piece(self, row: Row, record: Record, again: int, steps: int) -> Row:
        """Return a row without what it has for steps of earlier pieces."""
        if self._steps is not None:
            return row | {"step": [step + steps - again for step in row["step"]]}
        if self._run.schema.target.per == "sequence":
            return row
        columns = {name: value for name, value in row.items() if name != "id"}
        return {"id": row["id"], **{name: self._spread(value, again, record) for name, value in columns.items()}}

    def _spread(self, values: Any, again: int, record: Record) -> Any:
        """Return the values of the steps of a piece in the order of the input, also where they are under names."""
        if isinstance(values, dict):
            return {name: self._spread(own, again, record) for name, own in values.items()}
        return values[again:] if record.places is None else record.places.spread(values[again:])

    def _without_output(self, record: Record) -> Row:
        """Return the row for steps that differences leave without output, and no step before them has one."""
        if self._steps is not None:
            return {"id": record.id, "step": [], "prediction": []}
        schema = self._run.schema
        time = [] if self._layout.time is None else [free(self._layout.time, reserved(schema))]
        nothing = None if schema.target.per == "sequence" else [None] * record.steps
        row: Row = dict.fromkeys(["id", *time] if schema.target.per == "step" else ["id"], nothing)
        for name, own in schema.columns.items():
            key, labelled = spread_key(own), self._probabilities and own.target.kind != "number"
            for entry in ["prediction", *["probabilities"] * labelled, *([] if key is None else [key])]:
                row[entry] = {**(row.get(entry) or {}), name: nothing} if schema.parts else nothing
        return row | {"id": record.id}

    def _tail(self, joined: Record) -> Record | None:
        """Return the last steps of a sequence that its next ones need, without gaps."""
        if not self._needed:
            return None
        complete, _ = filled_record(self._layout, self._run.schema.means, joined)
        return complete.part(max(0, joined.steps - self._needed), joined.steps, first=0)

    def _keep(self, name: str, stream: _Stream) -> None:
        self._known.pop(name, None)
        self._streams[name] = stream
        self._streams.move_to_end(name)
        if len(self._streams) <= self.most:
            return
        self._streams.popitem(last=False)
        if not self._dropped:
            self._dropped = True
            what = f"more than {counted(self.most, 'sequence')}: the states of those without a line for longest"
            self._note(f"{what} are dropped, and a later line of them starts afresh")


def _joined(first: Record, second: Record) -> Record:
    """Return a piece of a sequence with the steps before it."""
    inputs: dict[str, Values] = {}
    for name, values in second.inputs.items():
        before = first.inputs[name]
        if isinstance(values, np.ndarray):
            inputs[name] = np.concatenate([cast(np.ndarray, before), values])
        else:
            inputs[name] = [*cast(list[Any], before), *values]
    times = None if second.times is None or first.times is None else np.concatenate([first.times, second.times])
    steps = first.steps + second.steps
    return replace(second, steps=steps, inputs=inputs, times=times, places=None, first=first.steps)
