import math

import pytest

from lstm_cli.scores.skill import best_naive, skill, skills


@pytest.mark.parametrize(
    "metric, value, naive, expected",
    [
        ("rmse", 5.0, 20.0, 0.75),
        ("mae.load", 30.0, 20.0, -0.5),
        ("nll", 1.0, 4.0, 0.75),
        ("bits", 2.0, 4.0, 0.5),
        ("perplexity", 4.0, 16.0, 0.5),  # that of the bits
        ("accuracy", 0.95, 0.45, 0.5 / 0.55),
        ("r2", 0.5, -1.0, 0.75),
        ("micro_f1", 0.2, 0.6, -1.0),
        ("rmse", 0.0, 0.0, None),
        ("accuracy", 1.0, 1.0, None),
        ("perplexity", 2.0, 1.0, None),
        ("rmse", math.nan, 1.0, None),
        ("rmse", 1.0, math.inf, None),
    ],
)
def test_skill_is_the_share_of_the_way_from_naive_to_perfect(metric, value, naive, expected):
    assert skill(metric, value, naive) == (None if expected is None else pytest.approx(expected))


def test_skills_are_of_the_metrics_that_both_have():
    found = skills({"loss": 1.0, "rmse": 1.0, "mae": 1.0, "unknown_labels": 3}, {"rmse": 2.0, "unknown_labels": 3})
    assert found == {"rmse": 0.5}


def test_the_best_naive_predictor_is_that_of_the_metric():
    scores = {
        "none": {"rmse": None, "r2": None},
        "odd": {"rmse": math.nan},
        "mean": {"rmse": 4.0, "r2": 0.0},
        "last": {"rmse": 3.0, "r2": 0.1},
        "season": {"rmse": 3.0},
    }
    assert best_naive(scores.items(), "rmse") == ("last", 3.0)
    assert best_naive(scores.items(), "r2") == ("last", 0.1)
    assert best_naive(scores.items(), "accuracy") is None
