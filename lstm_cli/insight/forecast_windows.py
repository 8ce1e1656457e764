"""Forecasts that a report shows: a few windows with intervals, and errors by steps ahead beside naive forecasts.

Of a model that predicts several steps at once they are its predictions; of one that predicts the next step they are
made by feedback from a few steps of the data, each as `lstm-predict` makes it of the steps before.

Legend: N forecasts, H steps of each, D numbers of a step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Dataset, Encoded
from lstm_cli.data.schema.times import written
from lstm_cli.insight.explanation import ErrorsAhead, Window
from lstm_cli.insight.explanation import Numbers as Shown
from lstm_cli.insight.rolling import Series, cut, feeds_back, forecasts
from lstm_cli.predict.outputs import Network
from lstm_cli.scores.horizons import Forecasts, horizons
from lstm_cli.scores.naive import Naive
from lstm_cli.scores.positions import Positions
from lstm_cli.scores.prediction_intervals import LEVEL, Bounds, Intervals, bounds_of

Indices = NDArray[np.int64]
Values = NDArray[np.float64]

WINDOWS = 3
ORIGINS = 40  # forecasts by feedback, over all sequences
SEQUENCES = 20  # that they are from
LONGEST, USUAL = 48, 12  # steps of a forecast by feedback: at most, and where the data has no season
BEFORE = 2  # horizons before a forecast that a window shows
LEAST_BEFORE, MOST_BEFORE = 24, 200  # steps


def by_feedback(network: Network, dataset: Dataset, steps: int) -> Positions | None:
    """Return forecasts by feedback from a few steps of a dataset, as the positions of closed loops.

    None where the model's output cannot be fed back, where no sequence is long enough, and where each sequence has its
    own scaling: that of a whole sequence tells of the steps after a forecast.
    """
    schema = network.schema
    if not feeds_back(schema) or network.bidirectional or schema.layout.scale == "series":
        return None
    places = _origins(dataset, steps)
    if not places:
        return None
    made = forecasts(network, [_series(network, dataset, *place, steps) for place in places], steps)
    sequences = np.repeat([sequence for sequence, _ in places], [len(seen) for _, seen in places])
    last = np.concatenate([seen for _, seen in places])
    turns = np.arange(1, steps + 1)
    at = (last[:, np.newaxis] + turns).reshape(-1)
    owners = np.repeat(sequences, steps)
    return Positions(
        schema.target,
        dataset,
        sequences=owners,
        steps=at - 1,
        truth=dataset.values_at(owners, at),
        predicted=np.concatenate([own[0] for own in made]).reshape(len(at), -1),
        turns=np.tile(turns, len(last)),
    )


def feedback_steps(naive: Naive, dataset: Dataset) -> int:
    """Return how many steps to forecast by feedback: the shortest season, as far as sequences are long enough."""
    wanted = min(naive.periods[0], LONGEST) if naive.periods else USUAL
    counted = [stop - start for start, stop in (_counted(dataset, index) for index in _spread(len(dataset)))]
    return max(1, min(wanted, max(counted, default=0) // 3))


def _spread(count: int) -> list[int]:
    """Return at most `SEQUENCES` of the numbers 0 … count - 1, evenly spread."""
    return sorted({*np.linspace(0, count - 1, min(count, SEQUENCES)).astype(int).tolist()})


def _counted(dataset: Dataset, index: int) -> tuple[int, int]:
    """Return from which to which of its steps a sequence has forecasts of the next step that count."""
    first, stop = int(dataset.offsets[index]), int(dataset.offsets[index + 1])
    counts = np.arange(stop - first) if dataset.weight is None else np.flatnonzero(dataset.weight[first:stop] > 0)
    return (int(counts[0]), int(counts[-1]) + 1) if len(counts) else (0, 0)


def _origins(dataset: Dataset, steps: int) -> list[tuple[int, Indices]]:
    """Return sequences, and of each the last steps that forecasts have seen, at most `ORIGINS` over all of them.

    Where a sequence begins with steps that count, a forecast sees at least a third of it.
    """
    chosen = _spread(len(dataset))
    each, found = max(1, ORIGINS // len(chosen)), []
    for index in chosen:
        start, stop = _counted(dataset, index)
        start = max(start, stop // 3 if start == 0 else start)
        last = min(stop, int(dataset.lengths[index]) - 1) - steps
        if last >= start:
            found.append((index, np.unique(np.linspace(start, last, min(each, last - start + 1)).astype(np.int64))))
    return found


def _series(network: Network, dataset: Dataset, index: int, last: Indices, steps: int) -> Series:
    sequence: Encoded = dataset[index]

    def prefix(origin: int) -> Encoded:
        return cut(network.schema, sequence, origin, steps)

    return Series(prefix, [sequence.offset + int(step) + 1 for step in last])


@dataclass(frozen=True)
class _Pieces:
    """The forecasts of positions: of each the sequence, the last step seen, and how far after it the first one is."""

    forecasts: Forecasts
    sequences: Indices
    last: Indices
    ahead: int

    @classmethod
    def of(cls, positions: Positions) -> "_Pieces | None":
        made, target = Forecasts.of(positions), positions.dataset.schema.target
        if made is None:
            return None
        if positions.turns is None:
            return cls(made, positions.sequences, positions.steps, target.ahead)
        begins = positions.turns == 1
        return cls(made, positions.sequences[begins], positions.steps[begins], 1)


def errors_ahead(positions: Positions, naive: Naive) -> dict[str, ErrorsAhead]:
    """Return the errors of the model and of naive forecasts by steps ahead, of several columns those of the first."""
    names = [name for name in naive.titles(positions) if name != "mean"]
    forecasters = {"model": positions, **{name: naive.positions(name, positions) for name in names}}
    return {name: _first(errors) for name, errors in horizons(forecasters).items()}


def _first(errors: Mapping[str, Sequence[float]]) -> ErrorsAhead:
    found = {measure: next(errors[name] for name in errors if name.partition(".")[0] == measure)
             for measure in ("rmse", "mae")}  # fmt: skip
    return ErrorsAhead(**{name: _shown(np.array(values)) for name, values in found.items()})


def windows(positions: Positions, before: Positions | None) -> tuple[Window, ...]:
    """Return three forecasts beside what was observed, with intervals from the errors of forecasts made before.

    Parameters
    ----------
    positions
        Forecasts of several steps.
    before
        Such forecasts on the validation data; None: there are no intervals but those that the model predicts.
    """
    pieces = _Pieces.of(positions)
    if pieces is None:
        return ()
    own = bounds_of(positions)
    earlier = None if before is None or own is not None else Forecasts.of(before)
    intervals = None if earlier is None else Intervals.fit(earlier)
    bounds = own if intervals is None else Bounds(*intervals.around(pieces.forecasts.predicted), intervals.level)
    count = len(pieces.last)
    chosen = sorted({(2 * turn + 1) * count // (2 * WINDOWS) for turn in range(WINDOWS)})
    return tuple(_window(positions.dataset, pieces, index, bounds) for index in chosen)


def _window(dataset: Dataset, pieces: _Pieces, index: int, bounds: Bounds | None) -> Window:
    """Return one forecast of the first number with the steps before it."""
    made, sequence, last = pieces.forecasts, int(pieces.sequences[index]), int(pieces.last[index])
    shown = min(last + 1, max(LEAST_BEFORE, min(BEFORE * made.steps, MOST_BEFORE)))
    seen = np.arange(last + 1 - shown, last + 1)
    gap = pieces.ahead - 1
    observed = np.full(shown + gap + made.steps, np.nan)
    predicted, low, high = (np.full(len(observed), np.nan) for _ in range(3))
    if dataset.schema.predicted_numbers:
        observed[:shown] = dataset.values_at(np.full(shown, sequence), seen)[:, 0]
    observed[shown + gap :] = made.truth[index, :, 0]
    predicted[shown + gap :] = made.predicted[index, :, 0]
    if bounds is not None:
        low[shown + gap :], high[shown + gap :] = bounds.low[index, :, 0], bounds.high[index, :, 0]
    first = int(dataset.first_steps(np.array([sequence]))[0])
    steps = np.arange(seen[0], seen[0] + len(observed))
    has_bounds = bool(np.isfinite(low).any())
    return Window(
        id=_name(dataset, sequence),
        column=made.columns[0],
        steps=tuple((steps + first).tolist()),
        observed=_shown(observed),
        predicted=_shown(predicted),
        origin=last + first,
        times=_times(dataset[sequence], steps),
        low=_shown(low) if has_bounds else (),
        high=_shown(high) if has_bounds else (),
        level=LEVEL if bounds is None else bounds.level,
    )


def _name(dataset: Dataset, sequence: int) -> str:
    """Return the id of a sequence; of one long series without ids nothing."""
    name = dataset.ids[sequence]
    if not dataset.schema.layout.id and len(dataset) == 1:
        return ""
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _times(sequence: Encoded, steps: Indices) -> tuple[str, ...]:
    """Return the times of steps, those after the end of the sequence too if they are known; else nothing."""
    if sequence.times is None or steps[-1] >= len(sequence.times):
        return ()
    return tuple(map(str, written(sequence.times[steps])))


def _shown(values: Values) -> Shown:
    """Return numbers with the digits that float32 has, None for those that are not finite."""
    return tuple(float(f"{value:.7g}") if np.isfinite(value) else None for value in values.tolist())
