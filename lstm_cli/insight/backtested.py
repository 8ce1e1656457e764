"""What a backtest found.

Legend: N forecasts, H steps of each, D numbers of a step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import Id
from lstm_cli.data.schema.record import Numbers
from lstm_cli.insight.backtest_plan import Plan
from lstm_cli.insight.explanation import Window
from lstm_cli.insight.observed import Observed
from lstm_cli.scores.horizons import Forecasts
from lstm_cli.scores.prediction_intervals import Bounds, Intervals, coverage
from lstm_cli.scores.skill import skill
from lstm_cli.typed_json import plain

MODEL = "model"
WINDOWS, SHOWN_BEFORE = 3, 3  # windows of a picture, and how many times its steps are shown before a forecast


@dataclass(frozen=True, eq=False)
class Backtest:
    """The forecasts of a model and naive ones, from the same origins, and what came.

    Attributes
    ----------
    data
        The file, as it is shown.
    series
        The series of the file.
    owners, origins : int64 arrays (N,)
        The series of each forecast, and how many of its steps the forecast has seen.
    plan
        How many steps were forecast, and which seasons there are.
    titles
        What to call each of the forecasters, the model first.
    forecasters
        Their forecasts, all over the same truth.
    fitted
        Intervals from the errors of forecasts that end before the first origin.
    predicted
        The bounds that the model predicts itself, if it does.
    ids, time
        The columns that name a series, and the one with times, if there is one.
    """

    data: str
    series: Sequence[Observed]
    owners: NDArray[np.int64]
    origins: NDArray[np.int64]
    plan: Plan
    titles: Mapping[str, str]
    forecasters: Mapping[str, Forecasts]
    fitted: Intervals
    predicted: Bounds | None = None
    ids: tuple[str, ...] = ("id",)
    time: str | None = None

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def steps_ahead(self) -> list[int]:
        """How many steps after the last one seen each of the H steps is."""
        return list(range(self.plan.ahead, self.plan.ahead + self.plan.steps))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the target columns, each once."""
        return tuple(dict.fromkeys(self.forecasters[MODEL].columns))

    @cached_property
    def overall(self) -> dict[str, dict[str, float]]:
        """The errors of each forecaster over all steps; see `Forecasts.overall`."""
        return {name: one.overall() for name, one in self.forecasters.items()}

    @cached_property
    def horizons(self) -> dict[str, dict[str, list[float]]]:
        """The errors of each forecaster at each step ahead; see `Forecasts.errors`."""
        return {name: one.errors() for name, one in self.forecasters.items()}

    @property
    def bounds(self) -> Bounds:
        """The bounds of the model's forecasts: those that it predicts, else from earlier errors; NaN without any."""
        if self.predicted is not None:
            return self.predicted
        return Bounds(*self.fitted.around(self.forecasters[MODEL].predicted), self.fitted.level)

    @cached_property
    def interval(self) -> dict[str, Any]:
        """How often the bounds hold the truth, and how wide they are; empty without bounds."""
        bounds = self.bounds
        found = coverage(self.forecasters[MODEL].truth, bounds.low, bounds.high)
        return {"level": bounds.level, **found} if found else {}

    @cached_property
    def skill(self) -> dict[str, dict[str, float | None]]:
        """How much smaller the model's errors are than those of each naive forecaster, as a share of these."""
        model = self.overall[MODEL]
        compared = [metric for metric in model if not metric.startswith("bias")]
        return {
            name: {metric: skill(metric, model[metric], errors[metric]) for metric in compared}
            for name, errors in self.overall.items()
            if name != MODEL
        }

    def to_json(self) -> dict[str, Any]:
        """Return the errors as JSON has them, null for what is not finite."""
        found = {
            "data": self.data,
            "series": len(np.unique(self.owners)),
            "origins": len(self),
            "steps": self.steps_ahead,
            "overall": self.overall,
            "skill": self.skill,
            "horizons": self.horizons,
        }
        interval = self.interval
        content: dict[str, Any] = plain(found | ({"interval": interval} if interval else {}))
        return content

    def predicted_steps(self, index: int) -> NDArray[np.int64]:
        """Return the steps (H,) of its series that a forecast predicts."""
        return np.arange(self.plan.steps) + int(self.origins[index]) + self.plan.ahead - 1

    def of(self, index: int) -> Observed:
        """Return the series of a forecast."""
        return self.series[int(self.owners[index])]

    def id(self, index: int) -> Id:
        """Return the id of a forecast's series."""
        return self.of(index).record.id

    def times(self, index: int, steps: NDArray[np.int64]) -> list[Any]:
        """Return the times of steps of a forecast's series as they are written; empty without a time column."""
        times = self.of(index).times
        return [times[step] for step in steps.tolist()] if times else []

    def windows(self, count: int = WINDOWS) -> Iterator[Window]:
        """Yield the first target number of some forecasts, evenly spread over all, with steps before them."""
        bounds = self.bounds
        low, high = bounds.low, bounds.high
        chosen = np.unique(np.linspace(0, len(self) - 1, count).round().astype(np.int64))
        for index in chosen.tolist():
            own, origin = self.of(index), int(self.origins[index])
            predicted = self.predicted_steps(index)
            steps = np.arange(max(0, origin - SHOWN_BEFORE * self.plan.steps), int(predicted[-1]) + 1)
            places = predicted - steps[0]
            yield Window(
                id=str(self.id(index)) if len(self.series) > 1 else "",
                column=self.columns[0],
                steps=tuple(own.numbers(steps).tolist()),
                observed=_numbers(own.values[steps, 0]),
                predicted=_spread(self.forecasters[MODEL].predicted[index, :, 0], places, len(steps)),
                origin=int(own.numbers(np.array([origin - 1]))[0]),
                times=tuple(map(str, self.times(index, steps))),
                low=_spread(low[index, :, 0], places, len(steps)) if self.interval else (),
                high=_spread(high[index, :, 0], places, len(steps)) if self.interval else (),
                level=bounds.level,
            )


def _spread(values: Numbers, places: NDArray[np.int64], count: int) -> tuple[float | None, ...]:
    """Return values at some places among `count`, None at the others."""
    found = np.full(count, np.nan)
    found[places] = values
    return _numbers(found)


def _numbers(values: Numbers) -> tuple[float | None, ...]:
    return tuple(plain(values.tolist()))
