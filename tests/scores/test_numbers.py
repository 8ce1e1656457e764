"""Figures of numbers by column and by steps ahead, beside scikit-learn and plain loops; intervals and coverage."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics

from lstm_cli.data.schema.target import Target
from lstm_cli.scores.horizons import Forecasts, horizons
from lstm_cli.scores.numbers import columns
from lstm_cli.scores.positions import Positions
from lstm_cli.scores.prediction_intervals import LEAST_ERRORS, Intervals, coverage
from lstm_cli.typed_json import WrongValue

DRAW = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Every test draws the same numbers, whichever ran before it."""
    monkeypatch.setattr(f"{__name__}.DRAW", np.random.default_rng(5))


def positions(names, *, horizon=1, count=40, turns=None):
    """Positions of a target with these columns at each step, whose predictions are off by some noise and a bias."""
    size = len(names) * horizon
    target = Target("number", "step", size, None, True, 1, None, (), tuple(names) * horizon, horizon)
    dataset = SimpleNamespace(schema=SimpleNamespace(target=target))
    truth = DRAW.normal(size=(count, size)) * np.tile(np.arange(1, len(names) + 1) * 10.0, horizon)
    predicted = truth + DRAW.normal(size=truth.shape) + 0.5
    truth, predicted = (np.round(values * 1024) / 1024 for values in (truth, predicted))  # sums of them are exact
    where = np.zeros(count, np.int64), np.arange(count)
    return Positions(target, dataset, *where, truth=truth, predicted=predicted, turns=turns)


def test_columns_equal_scikit_learn():
    given = positions(["load", "wind", "wind"], horizon=4)
    found = columns(given)
    assert list(found) == ["load", "wind"]
    for name, own in (("load", [0, 3, 6, 9]), ("wind", [1, 2, 4, 5, 7, 8, 10, 11])):
        truth, predicted = given.truth[:, own], given.predicted[:, own]
        constant = np.broadcast_to(truth.mean(axis=0), truth.shape)
        assert found[name] == pytest.approx(
            {
                "rmse": metrics.root_mean_squared_error(truth.ravel(), predicted.ravel()),
                "mae": metrics.mean_absolute_error(truth.ravel(), predicted.ravel()),
                "r2": metrics.r2_score(truth, predicted),
                "bias": np.mean(predicted.ravel() - truth.ravel()),
                "deviation": metrics.root_mean_squared_error(truth.ravel(), constant.ravel()),
            }
        )


def test_horizons_equal_scikit_learn_at_each_step_ahead():
    model = positions(["load"], horizon=6)
    naive = positions(["load"], horizon=6)
    found = horizons({"model": model, "last": naive})
    for name, given in (("model", model), ("last", naive)):
        for step in range(6):
            truth, predicted = given.truth[:, step], given.predicted[:, step]
            assert found[name]["mae"][step] == pytest.approx(metrics.mean_absolute_error(truth, predicted))
            assert found[name]["rmse"][step] == pytest.approx(metrics.root_mean_squared_error(truth, predicted))
    assert horizons({"model": positions(["load"])}) == {}


def test_columns_of_different_units_are_not_averaged():
    given = positions(["load", "wind"], horizon=3)
    found = horizons({"model": given})["model"]
    assert list(found) == ["mae.load", "rmse.load", "mae.wind", "rmse.wind"]
    errors = np.abs(given.predicted - given.truth).mean(axis=0)
    assert found["mae.load"] == pytest.approx(errors[::2])
    assert found["mae.wind"] == pytest.approx(errors[1::2])


def test_a_closed_loop_has_errors_by_turn():
    """Loops of 5, 3 and 4 turns: a turn counts where a loop has it."""
    turns = np.concatenate([np.arange(1, length + 1) for length in (5, 3, 4)])
    given = positions(["x", "x"], count=12, turns=turns)
    given.sequences[5:] = 1
    given.steps[5:] = [7, 8, 9, 20, 21, 22, 23]
    found = horizons({"model": given})["model"]
    squares = np.square(given.predicted - given.truth).mean(axis=1)
    assert found["rmse"] == pytest.approx([np.sqrt(squares[turns == turn].mean()) for turn in range(1, 6)])
    forecasts = Forecasts.of(given)
    assert forecasts.truth.shape == (3, 5, 2)
    assert forecasts.counted.sum() == 24
    np.testing.assert_array_equal(forecasts.truth[1, :3], given.truth[5:8])


def test_a_number_without_truth_does_not_count_and_one_without_prediction_shows():
    given = Forecasts.of(positions(["load"], horizon=2))
    given.truth[:20, 0] = np.nan
    mae = given.errors()["mae"]
    assert mae[0] == pytest.approx(np.abs(given.predicted[20:, 0] - given.truth[20:, 0]).mean())
    counted = np.abs(given.predicted - given.truth)[given.counted]
    assert given.overall()["mae"] == pytest.approx(counted.mean())
    given.predicted[30, 1, 0] = np.nan
    assert np.isnan(given.errors()["mae"]).tolist() == [False, True]


def test_intervals_are_quantiles_of_errors_by_step():
    given = Forecasts.of(positions(["load"], horizon=3, count=99))
    intervals = Intervals.fit(given)
    errors = np.sort(given.truth - given.predicted, axis=0)
    np.testing.assert_allclose(intervals.low, errors[9])  # the tenth of 99
    np.testing.assert_allclose(intervals.high, errors[89])
    low, high = intervals.around(given.predicted)
    found = coverage(given.truth, low, high)
    assert found["horizons"]["coverage"] == pytest.approx([81 / 99] * 3)
    assert found["coverage"] == pytest.approx(81 / 99)
    assert found["width"] == pytest.approx(np.mean(intervals.high - intervals.low))
    short, _ = intervals.around(given.predicted[:, :2])
    assert short.shape == (99, 2, 1)


def test_too_few_errors_have_no_interval():
    given = Forecasts.of(positions(["load"], horizon=2, count=LEAST_ERRORS))
    given.truth[0, 1] = np.nan
    intervals = Intervals.fit(given)
    assert np.isfinite(intervals.low).ravel().tolist() == [True, False]
    assert Intervals.fit(given).to_json()["low"][1] == [None]
    low, high = intervals.around(given.predicted)
    assert coverage(given.truth[:, 1:], low[:, 1:], high[:, 1:]) == {}


def test_numbers_without_bounds_or_truth_are_not_covered():
    truth, low = np.array([[[1.0], [1.0]], [[np.nan], [5.0]], [[2.0], [1.0]]]), np.zeros((3, 2, 1))
    high = np.array([[[1.5], [4.0]], [[2.5], [4.0]], [[1.5], [np.nan]]])
    found = coverage(truth, low, high)
    assert found == {
        "coverage": 0.5, "width": (1.5 + 4 + 4 + 1.5) / 4, "horizons": {"coverage": [0.5, 0.5], "width": [1.5, 4]}
    }  # fmt: skip


def test_intervals_survive_json():
    intervals = Intervals.fit(Forecasts.of(positions(["load", "wind"], horizon=3)))
    found = Intervals.from_json(json.loads(json.dumps(intervals.to_json())))
    np.testing.assert_array_equal(found.low, intervals.low)
    np.testing.assert_array_equal(found.high, intervals.high)
    with pytest.raises(WrongValue, match="as many rows of low as of high"):
        Intervals.from_json({"level": 0.8, "low": [[1.0]], "high": [[1.0], [2.0]]})
