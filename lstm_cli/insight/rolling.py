"""Forecasts from many origins of a series, each as `lstm-predict` makes it of the steps before.

Where the state after the steps before one origin serves the next one, a series is read once. Where each origin changes
what is seen, as with ``data.scale: series`` or where each step has a window of its own, the steps before it are read
again.

Legend: T steps of a series, H steps of a forecast, D numbers of a step. An origin is the number of steps that a
forecast has seen, so that it is the step of the series, from 0, after the last one seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import numpy as np

from lstm_cli.data import Encoded, Schema
from lstm_cli.data.batching.whole import chunks
from lstm_cli.data.schema.encoding import encode_record
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.predict import feedback, wording
from lstm_cli.predict.outputs import Network, Outputs

Prefix = Callable[[int], Encoded]


def feeds_back(schema: Schema) -> bool:
    """Return whether a forecaster predicts one step, and feeds it back for the next one."""
    target = schema.target
    return target.is_next and target.ahead == 1 and target.horizon == 1


def needed_later(schema: Schema, steps: int) -> int:
    """Return how many steps after the last one known inputs must be given for a forecast of some steps."""
    return schema.target.reach + (steps - 1 if feeds_back(schema) else 0)


def cut(schema: Schema, sequence: Encoded, origin: int, steps: int) -> Encoded:
    """Return the steps of an encoded series before an origin, and of those after it only the known inputs.

    It equals the encoding of a series that ends there, unless each series has its own scaling.
    """
    stop = origin - sequence.offset
    numbers, future = sequence.numbers, None
    if numbers is not None and schema.layout.known:
        # Of the last row, which is repeated where later ones are not encoded, no forecast uses anything.
        rows = np.minimum(np.arange(stop, stop + needed_later(schema, steps)), len(numbers) - 1)
        future = numbers[rows]
    history = None if sequence.history is None else sequence.history[:origin]
    part = sequence.part(0, stop)
    return replace(part, target=None, weight=None, unseen=None, history=history, future=future, unpredicted=0)


def unlabelled(record: Record) -> Record:
    """Return a record without its target."""
    return replace(record, target=None, known=None, weight=None)


def before(schema: Schema, record: Record, origin: int, steps: int) -> Record:
    """Return the steps of a series before an origin, and of those after it only the known inputs, without a target."""
    own = unlabelled(record).part(0, origin, first=0)
    later = slice(origin, origin + needed_later(schema, steps))
    own.future = {column.name: record.numbers(column.name)[later] for column in schema.layout.known}
    return own


@dataclass(frozen=True)
class Series:
    """A series and the origins to forecast it from, in ascending order.

    Attributes
    ----------
    prefix
        Returns the encoded steps before an origin.
    origins
    """

    prefix: Prefix
    origins: Sequence[int]

    @classmethod
    def of(cls, schema: Schema, record: Record, origins: Sequence[int], steps: int) -> "Series":
        """Return the series of a record, for forecasts of some steps."""
        if schema.layout.scale == "series":
            return cls(
                lambda origin: encode_record(schema, before(schema, record, origin, steps), labelled=False), origins
            )

        @cache
        def whole() -> Encoded:
            return encode_record(schema, unlabelled(record), labelled=False)

        return cls(lambda origin: cut(schema, whole(), origin, steps), origins)


def forecasts(network: Network, series: Sequence[Series], steps: int) -> list[Numbers]:
    """Return the forecasts of every series in original units, their curves (C, origins, steps, D).

    They are those that `lstm-predict` gives for the steps before each origin, up to rounding: one curve where they are
    fed back, as intervals are those of one step.
    """
    schema = network.schema
    curves = 1 if feeds_back(schema) else schema.target.head.curves
    found = [np.empty((curves, len(own.origins), steps, schema.target.width)) for own in series]
    again = network.bidirectional or schema.layout.scale != "train"
    for prefix, values in _each(network, series, steps) if again else _read_once(network, series, steps):
        index, turn = _place(prefix)
        if feeds_back(schema):
            found[index][0, turn] = wording.fed_back(schema, prefix, values)
        else:
            found[index][:, turn] = wording.at_once(schema, prefix, values, steps)
    return found


def _prefix(series: Sequence[Series], index: int, turn: int) -> Encoded:
    """Return the steps before an origin of a series, under an id that says which ones these are."""
    own = series[index]
    return replace(own.prefix(own.origins[turn]), id=(str(index), str(turn)))


def _place(prefix: Encoded) -> tuple[int, int]:
    """Return the series and the number of the origin that `_prefix` noted."""
    index, turn = cast(tuple[str, str], prefix.id)
    return int(index), int(turn)


def _each(network: Network, series: Sequence[Series], steps: int) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield what is seen before each origin, all of it or the last window, and the outputs for the steps after it."""
    schema = network.schema
    places = ((index, turn) for index, own in enumerate(series) for turn in range(len(own.origins)))
    prefixes = (_window(schema, _prefix(series, *place)) for place in places)
    for chunk in chunks(prefixes, lambda prefix: prefix.steps, schema.target.outputs):
        if feeds_back(schema):
            yield from feedback.forecasts(network, chunk, steps, None, feedback.ignore)
        else:
            yield from feedback.direct(network, chunk, None, feedback.ignore)


def _window(schema: Schema, prefix: Encoded) -> Encoded:
    """Return the last window of a sequence where windows have their own scaling, which is all that a forecast sees."""
    window = schema.layout.window
    return prefix if window is None else prefix.part(max(0, prefix.steps - window), prefix.steps)


def _read_once(network: Network, series: Sequence[Series], steps: int) -> Iterator[tuple[Encoded, np.ndarray]]:
    """Yield as `_each`, with each series read on from the origin before."""
    ends = _ends(network, series)
    if feeds_back(network.schema):
        yield from feedback.continuations(network, ends, steps)
    else:
        yield from ((end.sequence, end.values) for end in ends)


def _ends(network: Network, series: Sequence[Series]) -> Iterator[Outputs]:
    """Yield the output and the state at the end of the steps before every origin."""
    states: dict[str, np.ndarray] = {}
    for turn in range(max((len(own.origins) for own in series), default=0)):
        pieces, prefixes = [], []
        for index, own in enumerate(series):
            if turn < len(own.origins):
                prefix = _prefix(series, index, turn)
                seen = own.origins[turn - 1] - prefix.offset if turn else 0
                prefixes.append(prefix)
                pieces.append(replace(prefix.part(seen, prefix.steps), id=index))
        outputs = network.outputs(pieces, states or None, reduce=feedback.last_output)
        for prefix, output in zip(prefixes, outputs, strict=True):
            states[str(output.sequence.id)] = output.state
            yield Outputs(prefix, output.values[-1:], output.state)
