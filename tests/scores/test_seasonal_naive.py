"""The value a season ago, compared with the values of the file, also where they lie before what a split reads."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_cli.insight.backtest import _titles as backtest_titles
from lstm_cli.insight.backtest_plan import Plan
from lstm_cli.scores.baselines import baselines, observed
from tests.support.data import write
from tests.support.naive import opened

DAY, WEEK, DAYS = 6, 42, 56
STEPS = DAY * DAYS
NAMES = ("last", f"seasonal_{DAY}", f"seasonal_{WEEK}")
EXACT = f"the value {WEEK} steps ago"
PARTLY = f"the value \N{LESS-THAN OR EQUAL TO}{WEEK} steps ago"


def load(seed=3):
    """Eight weeks that repeat themselves, with noise."""
    draw = np.random.default_rng(seed)
    week = draw.normal(0, 2, WEEK) + np.resize(draw.normal(0, 6, DAY), WEEK)
    return (100 + np.resize(week, STEPS) + draw.normal(0, 0.5, STEPS)).round(3)


def table(columns):
    return (
        "\n".join([",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]) + "\n"
    )


def by_hand(values, steps, ahead, period, first=0):
    """What is known `ahead` steps before some steps of a file (N, H): a season ago, not before the step `first`."""
    last = steps - ahead
    if not period:
        return values[last]
    found = np.empty(steps.shape)
    for place in np.ndindex(steps.shape):
        chosen = last[place]
        for season in (DAY, WEEK)[: 1 + (period == WEEK)]:
            earlier = steps[place] - season
            while earlier > last[place]:
                earlier -= season
            chosen = earlier if earlier >= first else chosen
        found[place] = values[chosen]
    return found


def rmse(values, steps, guess):
    return np.sqrt(np.mean((values[steps] - guess) ** 2))


def scored_by_name(naive, scored, split):
    naive = replace(naive, periods=(DAY, WEEK))
    return {found.name: found for found in baselines({"": naive}, None, scored) if found.split == split}


FORMS = {
    "next": {"target": "next", "scale": "standard"},
    "horizon": {"target": {"column": "load", "horizon": 2 * DAY}, "scale": "window"},
    "ahead": {"target": {"column": "load", "horizon": 3, "ahead": 2}, "scale": "series"},
    "change": {"target": "next", "transform": {"load": ["log", "difference"]}},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("held", ["amounts", "column"])
def test_a_held_out_part_looks_back_into_the_part_before(tmp_path, form, held):
    values = load()
    named = np.repeat(["train", "valid", "test"], [STEPS - 5 * WEEK // 2, WEEK, 3 * WEEK // 2])
    write(tmp_path / "s.csv", table({"load": values, "part": named}))
    data = {"inputs": ["load"], "window": 9, **FORMS[form]}
    data |= {"split": "part"} if held == "column" else {"valid": WEEK, "test": 3 * WEEK // 2}
    naive, scored = opened(tmp_path, "s.csv", data)
    target = scored["valid"].dataset.schema.target
    for split, start, stop in (("valid", STEPS - 5 * WEEK // 2, STEPS - 3 * WEEK // 2), ("test", STEPS - 63, STEPS)):
        found = scored_by_name(naive, scored, split)
        steps = np.arange(start, stop - target.horizon + 1)[:, np.newaxis] + np.arange(target.horizon)
        ahead = np.broadcast_to(target.ahead + np.arange(target.horizon), steps.shape)
        for name, period in zip(NAMES, (0, DAY, WEEK), strict=True):
            guess = by_hand(values, steps, ahead, period)
            assert found[name].metrics["rmse"] == pytest.approx(rmse(values, steps, guess), rel=1e-5), (split, name)
        assert found[f"seasonal_{WEEK}"].title == EXACT
        assert found[f"seasonal_{WEEK}"].metrics["rmse"] < 0.5 * found["last"].metrics["rmse"]


def test_gaps_before_a_part_are_filled_as_in_the_whole_series(tmp_path):
    values = load()
    cells = values.astype(object)
    gaps = np.array([200, 201, 233, 250])
    cells[gaps] = ""
    write(tmp_path / "s.csv", table({"step": range(STEPS), "load": cells}))
    filled = values.copy()
    for gap in gaps:
        filled[gap] = filled[gap - 1]
    missing = {"fill": "previous", "target": "skip"}
    naive, scored = opened(
        tmp_path, "s.csv", {"inputs": ["load"], "target": "next", "window": 9, "valid": 2 * WEEK, "missing": missing}
    )
    steps = np.setdiff1d(np.arange(STEPS - 2 * WEEK, STEPS), gaps)[:, np.newaxis]
    guess = by_hand(filled, steps, np.ones_like(steps), WEEK)
    found = scored_by_name(naive, scored, "valid")[f"seasonal_{WEEK}"]
    assert found.metrics["rmse"] == pytest.approx(rmse(values, steps, guess), rel=1e-5)
    assert found.title == EXACT


def test_each_of_several_series_looks_back_into_its_own_past(tmp_path):
    series = {"a": load(4), "b": load(5) * 3, "c": load(6)[: 2 * WEEK]}
    rows = {"id": np.repeat(list(series), list(map(len, series.values()))), "load": np.concatenate([*series.values()])}
    write(tmp_path / "s.csv", table(rows))
    data = {"id": "id", "inputs": ["load"], "target": "next", "window": 5}
    data["valid"] = {"share": WEEK + 10, "by": "time"}
    naive, scored = opened(tmp_path, "s.csv", data)
    found = scored_by_name(naive, scored, "valid")[f"seasonal_{WEEK}"]
    errors = []
    for values in series.values():
        steps = np.arange(len(values) - WEEK - 10, len(values))[:, np.newaxis]
        errors.append((values[steps] - by_hand(values, steps, np.ones_like(steps), WEEK)) ** 2)
    assert found.metrics["rmse"] == pytest.approx(np.sqrt(np.concatenate(errors).mean()), rel=1e-5)
    assert found.title == PARTLY  # the third series has only 32 steps before


def test_a_closed_loop_looks_back_too(tmp_path):
    values = load()
    write(tmp_path / "s.csv", table({"load": values}))
    data = {"inputs": ["load"], "target": "next", "valid": WEEK, "window": 12}
    naive, scored = opened(tmp_path, "s.csv", data, rollout={"warmup": 4})
    naive = replace(naive, periods=(DAY, WEEK))
    dataset, start = scored["valid"].dataset, STEPS - WEEK - 12  # a window of context
    for found in observed(scored["valid"]):
        steps = (found.steps + 1 + start)[:, np.newaxis]
        np.testing.assert_allclose(found.truth, values[steps], rtol=1e-5)
        guess = naive.positions(f"seasonal_{WEEK}", found).predicted
        np.testing.assert_allclose(guess, by_hand(values, steps, found.turns[:, np.newaxis], WEEK), rtol=1e-5)
        assert naive.stand_ins(f"seasonal_{WEEK}", found) == 0
    assert dataset.known_before.tolist() == [start]


@pytest.mark.parametrize("form", ["next", "horizon", "change"])
def test_a_file_of_its_own_says_where_other_values_stand_in(tmp_path, form):
    values, other = load(), load(8)
    write(tmp_path / "t.csv", table({"load": values}))
    write(tmp_path / "v.csv", table({"load": other[: 2 * WEEK]}))
    write(tmp_path / "short.csv", table({"load": other[: WEEK - 6]}))
    data = {"inputs": ["load"], "window": 9, "valid": "v.csv", "test": "short.csv", **FORMS[form]}
    naive, scored = opened(tmp_path, "t.csv", data)
    target = scored["valid"].dataset.schema.target
    origin = int(form == "change")  # of the first forecast: a difference needs a value before
    steps = np.arange(origin + 1, 2 * WEEK - target.horizon + 1)[:, np.newaxis] + np.arange(target.horizon)
    ahead = np.broadcast_to(1 + np.arange(target.horizon), steps.shape)
    found = scored_by_name(naive, scored, "valid")
    for name, period in zip(NAMES, (0, DAY, WEEK), strict=True):
        guess = by_hand(other, steps, ahead, period)
        assert found[name].metrics["rmse"] == pytest.approx(rmse(other, steps, guess), rel=1e-5), name
    assert found[f"seasonal_{WEEK}"].title == PARTLY
    assert f"seasonal_{WEEK}" not in scored_by_name(naive, scored, "test")  # no value is a week after another
    assert f"seasonal_{DAY}" in scored_by_name(naive, scored, "test")


def test_backtest_says_where_a_series_is_too_short_for_a_season():
    short, long = [WEEK - 12, WEEK - 6], [WEEK, 2 * WEEK]
    for origins, title in (([long, short], PARTLY), ([long], EXACT), ([short], None)):
        plan = Plan(ahead=1, steps=DAY, periods=(DAY, WEEK), origins=origins, earlier=[])
        titles = backtest_titles(plan)
        assert titles["seasonal_6"] == "the value 6 steps ago"
        assert titles.get("seasonal_42") == title
