"""What a finished run says about its model beyond scores: what the report computes from the best weights.

Every part is left out (None, or empty) where it does not apply to a task. Numbers are in original units; None stands
for a number that is not there or not finite, so that all of it can be written as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Numbers = tuple[float | None, ...]


@dataclass(frozen=True)
class SureError:
    """A wrong prediction.

    Attributes
    ----------
    id
        The sequence.
    step
        Where it was predicted, from 0; None for a target per sequence.
    input
        What was seen there.
    confidence
        Of labels.
    error
        Of numbers: prediction minus truth.
    column
        Of several numbers: which one.
    ahead
        Of several steps, and of closed loops: how many steps after `step` the truth is.
    """

    id: str
    truth: str
    prediction: str
    step: int | None = None
    input: str | None = None
    confidence: float | None = None
    error: str | None = None
    column: str | None = None
    ahead: int | None = None


@dataclass(frozen=True)
class Window:
    """A piece of a sequence: what was observed around a forecast, and what was forecast.

    Attributes
    ----------
    id
        The sequence.
    column
        The target column.
    steps
        Steps of the sequence, from 0: some before the forecast, then those that are forecast.
    times
        Their times as written, where the data has a time column; else empty.
    observed
        The values, by step.
    predicted
        The forecast, by step; None at the steps before it.
    low, high
        An interval around the forecast, by step; empty where there is none.
    level
        The share of values that such an interval holds, such as 0.8.
    origin
        The last step that the forecast has seen.
    """

    id: str
    column: str
    steps: tuple[int, ...]
    observed: Numbers
    predicted: Numbers
    origin: int
    times: tuple[str, ...] = ()
    low: Numbers = ()
    high: Numbers = ()
    level: float = 0.8


@dataclass(frozen=True)
class ErrorsAhead:
    """Errors of one forecaster, by the number of steps ahead, from 1."""

    rmse: Numbers = ()
    mae: Numbers = ()


@dataclass(frozen=True)
class Sample:
    """A text that the model wrote at a temperature, after a prompt."""

    temperature: float
    text: str
    prompt: str = ""


@dataclass(frozen=True)
class Trajectory:
    """One number over the steps of a closed loop: the values that it reached, and the target."""

    name: str
    found: Numbers
    wanted: Numbers


@dataclass(frozen=True)
class LagNorms:
    """Mean norm of the gradient of an output's loss with respect to the input `lags` steps before."""

    lags: tuple[int, ...]
    norms: Numbers


@dataclass(frozen=True)
class Saturation:
    """Shares of a gate's values that are nearly the lowest (`low`) or highest (`high`), over units and steps.

    Of a gate from 0 to 1 these are below 0.1 and above 0.9, of one from -1 to 1 below -0.9 and above 0.9.
    """

    layer: str
    gate: str
    low: float
    high: float


@dataclass(frozen=True)
class Diagnostics:
    """How information flows through the recurrent layers."""

    gradient_by_lag: LagNorms | None = None
    saturation: tuple[Saturation, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What the report shows of the best weights.

    Attributes
    ----------
    split
        The split that all of it is computed on.
    evaluation
        As `lstm evaluate --json` prints it.
    surest_errors
        Wrong labels, the surest first; of numbers the largest errors.
    forecasts
        Three windows of a forecaster.
    horizon
        Errors by steps ahead: of the ``model``, and of naive forecasters by the names of their baselines.
    samples
        Texts of a language model.
    trajectories, loop_errors
        Of a closed loop: a few sequences, and the RMSE at each of its steps over all sequences.
    diagnostics
        Of recurrent layers.
    """

    split: str
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    surest_errors: tuple[SureError, ...] = ()
    forecasts: tuple[Window, ...] = ()
    horizon: Mapping[str, ErrorsAhead] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    trajectories: tuple[Trajectory, ...] = ()
    loop_errors: Numbers = ()
    diagnostics: Diagnostics = Diagnostics()
