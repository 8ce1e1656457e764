import json

import pytest

from lstm_cli.config.optimizer import ScheduleBase
from lstm_cli.config.train import TrainSpec
from lstm_cli.optim.schedules import schedule
from tests.support.optim import names_of, schedule_section


def made(name, total=100, **keys):
    """Return a schedule of the config, without a warm-up unless it is asked for."""
    return schedule(schedule_section(name, **{"warmup": 0, **keys}), total)


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


# The contract: every schedule's keys and their defaults.
DEFAULTS = {
    "constant": {"warmup": 0},
    "cosine": {"warmup": "auto", "final": 0.0},
    "linear": {"warmup": "auto", "final": 0.0},
    "exponential": {"warmup": 0, "decay": 0.9, "steps": 1000},
    "plateau": {"warmup": 0, "factor": 0.5, "patience": 3, "final": 0.01},
}
every_schedule = pytest.mark.parametrize("name", names_of(ScheduleBase))


@every_schedule
def test_defaults_are_those_of_the_contract(name):
    assert schedule_section(name).model_dump() == {"name": name, **DEFAULTS[name]}


def test_defaults_of_training_around_schedules_and_updates():
    defaults = TrainSpec()
    assert defaults.schedule == schedule_section("cosine", warmup="auto")
    assert (defaults.patience, defaults.on_nonfinite, defaults.max_nonfinite) == (150, "stop", 10)


@every_schedule
def test_every_schedule_warms_up(name):
    factor = made(name, warmup=4)
    assert [factor(step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


@every_schedule
def test_a_warm_up_longer_than_the_run(name):
    factor = made(name, total=3, warmup=10)
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


def test_plateau_continues_from_its_state():
    keys = {"factor": 0.5, "patience": 1}
    whole, first = made("plateau", **keys), made("plateau", **keys)
    scores = [3, 3, 3, 2, 2, 2, 2]
    for score in scores:
        whole.evaluated(score)
    for score in scores[:2]:
        first.evaluated(score)
    second = made("plateau", **keys)
    second.state.update(json.loads(json.dumps(first.state)))
    for score in scores[2:]:
        second.evaluated(score)
    assert second.state == whole.state and second(0) == whole(0)
