"""Naive predictors and their scores, compared with scikit-learn's dummies and with forecasts made by hand."""

import json

import numpy as np
import pytest
from sklearn import dummy, metrics

from lstm_cli.api import train_run
from lstm_cli.data import load_schema
from lstm_cli.errors import CheckpointError
from lstm_cli.insight.naive_file import read_naives
from lstm_cli.scores.naive import Naive
from lstm_cli.typed_json import WrongValue
from tests.support.data import write, write_jsonl
from tests.support.naive import opened, positions, scores
from tests.support.runs import small_config, write_data

DRAW = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Every test draws the same numbers, whichever ran before it."""
    monkeypatch.setattr(f"{__name__}.DRAW", np.random.default_rng(7))


def labelled(folder, labels, name):
    rows = [{"id": k, "x": [[k / 7], [1.0]], "y": label} for k, label in enumerate(labels)]
    return write_jsonl(folder / name, rows)


def test_the_majority_is_that_of_sklearns_dummy(tmp_path):
    known, held = list("babcbbca"), list("abbcab")
    labelled(tmp_path, held, "v.jsonl")
    naive, scored = opened(tmp_path, labelled(tmp_path, known, "t.jsonl"), {"target": "y", "valid": "v.jsonl"})
    guess = dummy.DummyClassifier(strategy="most_frequent").fit(np.zeros((8, 1)), known).predict(np.zeros((6, 1)))
    found = scores(naive, scored)
    assert found == {
        "majority": {
            "accuracy": metrics.accuracy_score(held, guess),
            "macro_f1": pytest.approx(metrics.f1_score(held, guess, average="macro")),
        }
    }
    assert naive.predictors(scored["train"].dataset.schema) == {"majority": 'always "b"'}


def test_tags_have_one_majority_for_all_steps(tmp_path):
    rows = [{"id": k, "x": [[float(k)]] * 4, "y": list(tags)} for k, tags in enumerate(["aabc", "abaa", "cbca"])]
    naive, scored = opened(tmp_path, write_jsonl(tmp_path / "t.jsonl", rows), {"target": "y", "valid": "t.jsonl"})
    assert scores(naive, scored)["majority"]["accuracy"] == pytest.approx(6 / 12)
    guess = naive.positions("majority", positions(scored["valid"]))
    assert (guess.predicted == scored["train"].dataset.schema.target.labels.index("a")).all()
    np.testing.assert_allclose(guess.confidence, 7 / 15)  # one more of each label, so that none is impossible
    np.testing.assert_allclose(np.exp(-guess.nats), np.array([7, 4, 4])[guess.truth] / 15)


def test_symbol_frequencies_give_the_entropy(tmp_path):
    text = "".join(DRAW.choice(list("aaaabbc"), 4000))
    path = write(tmp_path / "t.txt", text)
    naive, scored = opened(tmp_path, path, {"target": "next", "valid": "t.txt"})
    shares = np.array([text[1:].count(symbol) for symbol in "abc"]) / (len(text) - 1)
    found = scores(naive, scored)["frequencies"]
    assert found["bits"] == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-3)
    assert found["perplexity"] == pytest.approx(2 ** found["bits"])


def test_a_symbol_missing_in_training_is_not_impossible(tmp_path):
    write(tmp_path / "v.txt", "ab")
    naive, scored = opened(tmp_path, write(tmp_path / "t.txt", "b" + "a" * 8), {"target": "next", "valid": "v.txt"})
    assert np.isfinite(scores(naive, scored)["frequencies"]["perplexity"])


def test_the_mean_is_that_of_sklearns_dummy_by_column(tmp_path):
    known, held = DRAW.normal(5, 2, (9, 2)).round(3), DRAW.normal(4, 2, (5, 2)).round(3)
    for name, values in (("t", known), ("v", held)):
        rows = [{"id": k, "x": [[1.0], [k / 3]], "y": pair} for k, pair in enumerate(values.tolist())]
        write_jsonl(tmp_path / f"{name}.jsonl", rows)
    naive, scored = opened(tmp_path, "t.jsonl", {"target": {"column": "y", "per": "sequence"}, "valid": "v.jsonl"})
    guess = dummy.DummyRegressor().fit(np.zeros((9, 1)), known).predict(np.zeros((5, 1)))
    found = scores(naive, scored)
    assert found.keys() == {"mean"}
    assert found["mean"]["mae"] == pytest.approx(metrics.mean_absolute_error(held, guess), rel=1e-5)
    assert found["mean"]["r2"] == pytest.approx(metrics.r2_score(held, guess), rel=1e-4)


def test_label_frequencies_of_sets(tmp_path):
    rows = [{"id": k, "x": [[0.5]], "y": [labels]} for k, labels in enumerate((["a"], ["a"], ["a", "b"], []))]
    write_jsonl(tmp_path / "t.jsonl", rows)
    data = {"target": {"column": "y", "kind": "set"}, "valid": "t.jsonl"}
    naive, scored = opened(tmp_path, tmp_path / "t.jsonl", data)
    found = scores(naive, scored)["frequencies"]
    assert found["frame_accuracy"] == 0.6  # the first label everywhere: 3 hits, 1 false, 1 missed
    guess = naive.positions("frequencies", positions(scored["valid"]))
    assert found["nll"] == pytest.approx(guess.nats.mean())
    assert guess.predicted.tolist() == [[True, False]] * 4


SEASON = np.array([1.0, 5.0, 9.0, 3.0])


def seasonal(count):
    """A season of four steps that drifts, all above 0."""
    return (np.resize(SEASON, count) * 4 + np.cumsum(DRAW.normal(0, 0.3, count)) + 20).round(3)


@pytest.mark.parametrize("scale", ["standard", "series", "window"])
@pytest.mark.parametrize("chain", [{}, {"a": ["log", "difference"]}, {"a": ["seasonal_difference(4)"]}])
@pytest.mark.parametrize("horizon", [1, 6])
def test_earlier_values_are_those_known_where_the_forecast_is_made(tmp_path, scale, chain, horizon):
    if chain and scale == "window":
        return  # the config refuses both
    values = seasonal(80)
    write(tmp_path / "s.csv", "\n".join(["a", *map(str, values)]) + "\n")
    data = {"inputs": ["a"], "target": {"column": "a", "ahead": 1, "horizon": horizon}, "scale": scale, "valid": 20}
    data |= {"transform": chain} | ({"window": 8} if scale == "window" else {})
    naive, scored = opened(tmp_path, tmp_path / "s.csv", data)
    assert naive.periods == (4,)
    origins = np.arange(59, 80 - horizon)
    steps = origins[:, np.newaxis] + 1 + np.arange(horizon)
    back = 4 * np.ceil((steps - origins[:, np.newaxis]) / 4).astype(int)
    guesses = {"last": np.tile(values[origins, np.newaxis], horizon), "seasonal_4": values[steps - back]}
    found = scores(naive, scored)
    for name, guess in guesses.items():
        assert found[name]["mae"] == pytest.approx(metrics.mean_absolute_error(values[steps], guess), rel=1e-4)
        error = metrics.root_mean_squared_error(values[steps].ravel(), guess.ravel())
        assert found[name]["rmse"] == pytest.approx(error, rel=1e-4)


def test_where_a_series_begins_the_season_falls_back_on_the_last_value(tmp_path):
    values = seasonal(60)
    write(tmp_path / "t.csv", "\n".join(["a", *map(str, values)]) + "\n")
    write(tmp_path / "v.csv", "a\n1.5\n2.5\n3.5\n4.5\n5.5\n6.5\n")
    naive, scored = opened(tmp_path, "t.csv", {"inputs": ["a"], "target": "next", "valid": "v.csv"})
    guess = naive.positions("seasonal_4", positions(scored["valid"]))
    np.testing.assert_allclose(guess.predicted.ravel(), [1.5, 2.5, 3.5, 1.5, 2.5], rtol=1e-6)


def test_a_closed_loop_knows_what_was_observed_before_it_closed(tmp_path):
    values = seasonal(60)
    write(tmp_path / "t.csv", "\n".join(["a", *map(str, values)]) + "\n")
    data = {"inputs": ["a"], "target": "next", "valid": 16, "window": 10}
    naive, scored = opened(tmp_path, "t.csv", data, rollout={"warmup": 5})
    found = positions(scored["valid"])
    origins = found.steps - found.turns + 1
    last = naive.positions("last", found).predicted
    shown = scored["valid"].dataset.values_at(found.sequences, origins)
    np.testing.assert_array_equal(last, shown)
    assert set(found.turns.tolist()) >= {1, 2, 3, 4, 5}
    guess = naive.positions("seasonal_4", found).predicted.ravel()
    whole = scored["valid"].dataset.values_at(np.zeros(10, int), np.arange(10)).ravel()
    for place, (step, origin) in enumerate(zip(found.steps.tolist(), origins.tolist(), strict=True)):
        earlier = step + 1 - 4 * -(-(step + 1 - origin) // 4)
        if step < 9:
            assert guess[place] == pytest.approx(whole[earlier])


@pytest.mark.parametrize("transform", [{}, {"a": ["log", "difference"]}])
@pytest.mark.parametrize("window", [None, 5])
def test_the_report_of_a_forecaster_compares_with_the_last_value(tmp_path, transform, window):
    values = np.exp(np.cumsum(np.random.default_rng(4).normal(size=60)) / 4).round(4)
    (tmp_path / "series.csv").write_text("\n".join(["a", *map(str, values)]) + "\n")
    data = {"train": "series.csv", "inputs": ["a"], "target": "next", "valid": 12, "test": 10}
    changes = {"data": data | {"transform": transform, "window": window}, "train": {"epochs": 1}}
    train_run(small_config(tmp_path, **changes), tmp_path / "run", verbosity=-1)
    report = json.loads((tmp_path / "run" / "report.json").read_text())["baselines"]
    shown = {(score["name"], score["split"]): score["metrics"] for score in report}
    changes = np.diff(values)
    for split, changed in (("test", changes[-10:]), ("valid", changes[-22:-10])):
        found = shown["last", split]
        assert found["mae"] == pytest.approx(np.abs(changed).mean(), rel=1e-5)
        assert found["rmse"] == pytest.approx(np.sqrt((changed**2).mean()), rel=1e-5)
    assert {(score["name"], score["title"]) for score in report} == {("mean", "the mean"), ("last", "the last value")}
    page = (tmp_path / "run" / "report.html").read_text()
    assert all(title in page for title in ("the mean", "the last value"))


def test_a_run_keeps_what_its_naive_predictors_know(tmp_path):
    config = small_config(write_data(tmp_path), train={"epochs": 1})
    result = train_run(config, tmp_path / "run", verbosity=-1)
    schema = load_schema(result.folder, config)
    kept = read_naives(result.folder, schema)[""]
    assert kept is not None and len(kept.totals) == schema.target.size
    assert Naive.from_json(json.loads(json.dumps(kept.to_json())), schema) == kept
    for damage in ("{", "[]", '{"totals": [1.0], "count": 1, "periods": []}', '{"totals": 1}'):
        (result.folder / "naive.json").write_text(damage)
        with pytest.raises(CheckpointError, match=r"naive\.json: damaged, or of another run: "):
            read_naives(result.folder, schema)
    (result.folder / "naive.json").unlink()
    assert read_naives(result.folder, schema) is None
    with pytest.raises(WrongValue, match=r"^odd: no such key$"):
        Naive.from_json({"odd": 1}, schema)
    with pytest.raises(WrongValue, match="periods"):
        Naive.from_json({"totals": list(kept.totals), "count": 1, "periods": [1]}, schema)
    for total in (-1.0, 1e300):
        with pytest.raises(WrongValue, match="how often each label occurs"):
            Naive.from_json({"totals": [total, *kept.totals[1:]], "count": 9, "periods": []}, schema)
