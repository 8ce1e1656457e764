import json
from types import SimpleNamespace

import pytest

from lstm_cli.optim.schedules import schedule


def made(name, total=100, state=None, **keys):
    return schedule(SimpleNamespace(**{"name": name, "warmup": 0, "final": 0.0} | keys), total, state)


def test_constant():
    assert {made("constant")(step) for step in (0, 50, 10_000)} == {1.0}


def test_cosine_falls_along_half_a_wave_to_its_end_and_stays():
    factor = made("cosine", final=0.2)
    assert [factor(0), factor(50), factor(100), factor(500)] == pytest.approx([1, 0.6, 0.2, 0.2])
    assert factor(25) == pytest.approx(0.2 + 0.8 * (1 + 0.5**0.5) / 2)


def test_linear():
    factor = made("linear", final=0.5)
    assert [factor(0), factor(50), factor(100), factor(101)] == pytest.approx([1, 0.75, 0.5, 0.5])


def test_exponential():
    factor = made("exponential", decay=0.5, steps=10)
    assert [factor(0), factor(5), factor(10), factor(30)] == pytest.approx([1, 0.5**0.5, 0.5, 0.125])


KEYS = {
    "constant": {},
    "cosine": {},
    "linear": {},
    "exponential": {"decay": 0.9, "steps": 10},
    "plateau": {"factor": 0.5, "patience": 1},
}


@pytest.mark.parametrize("name", KEYS)
def test_every_schedule_warms_up(name):
    factor = made(name, warmup=4, **KEYS[name])
    assert [factor(step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("name", KEYS)
def test_a_warm_up_longer_than_the_run(name):
    factor = made(name, total=3, warmup=10, **KEYS[name])
    assert [factor(step) for step in range(3)] == pytest.approx([0.1, 0.2, 0.3])


AUTO = [(1, 0), (19, 0), (60, 3), (400, 20), (3999, 199), (4000, 200), (10**6, 200)]


@pytest.mark.parametrize(("total", "steps"), AUTO)
def test_an_automatic_warm_up_is_a_twentieth_of_the_run_and_no_more_than_200(total, steps):
    factor = made("cosine", total=total, warmup="auto")
    assert factor.warmup == steps
    assert [factor(step) for step in range(steps)] == [(step + 1) / steps for step in range(steps)]
    assert factor(steps) == 1.0
    assert factor(total) == pytest.approx(0.0)


def test_plateau_cuts_after_its_patience_down_to_its_floor():
    factor = made("plateau", factor=0.5, patience=1, final=0.2)
    seen = []
    for score in (3, 2, 2.5, 2, 1.9, 1.9, 1.9, 5, 5, 5, 5, float("nan")):
        factor.evaluated(score)
        seen.append(factor(0))
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2]


def test_a_first_score_that_is_no_number_does_not_stick():
    factor = made("plateau", factor=0.5, patience=0)
    factor.evaluated(float("nan"))
    factor.evaluated(1.0)
    assert factor.state["best"] == 1.0 and factor(0) == 0.5


def test_plateau_goes_on_from_its_state():
    keys = {"factor": 0.5, "patience": 1}
    whole, first = made("plateau", **keys), made("plateau", **keys)
    scores = [3, 3, 3, 2, 2, 2, 2]
    for score in scores:
        whole.evaluated(score)
    for score in scores[:2]:
        first.evaluated(score)
    second = made("plateau", state=json.loads(json.dumps(first.state)), **keys)
    for score in scores[2:]:
        second.evaluated(score)
    assert second.state == whole.state and second(0) == whole(0)


def test_unknown_names():
    with pytest.raises(ValueError, match="got 'steps', expected constant, cosine"):
        made("steps")
