"""Forecasts are what feeding predictions back one by one gives."""

import numpy as np
import pytest

import lstm_cli
from lstm_cli.errors import ConfigError, DataError

STEPS = 6


def forecast_step_by_step(run, row, columns):
    """Predict, append the last prediction to the row, and so on."""
    found = []
    for _ in range(STEPS):
        (predicted,) = run.predict([row])
        found.append(predicted["prediction"][-1])
        values = found[-1] if len(columns) > 1 else [found[-1]]
        row = row | {name: [*row[name], value] for name, value in zip(columns, values, strict=True)}
    return found


def test_a_series_with_transforms(loaded):
    run = loaded("passengers")
    rows = [{"count": [float(50 + k + 9 * (k % 4)) for k in range(steps)]} for steps in (30, 17)]
    for row, forecast in zip(rows, run.forecast(rows, STEPS), strict=True):
        np.testing.assert_allclose(forecast["prediction"], forecast_step_by_step(run, row, ["count"]), rtol=1e-5)
        assert all(10 < value < 1000 for value in forecast["prediction"])


def test_several_numbers(loaded):
    run = loaded("pendulum")
    rows = [{"run": k, "a": np.sin(np.arange(n) / 5).tolist(), "b": np.cos(np.arange(n) / 5).tolist()}
            for k, n in enumerate((12, 30, 5))]  # fmt: skip
    forecasts = run.forecast(rows, STEPS)
    assert [forecast["id"] for forecast in forecasts] == [0, 1, 2]
    for row, forecast in zip(rows, forecasts, strict=True):
        np.testing.assert_allclose(
            forecast["prediction"], forecast_step_by_step(run, row, ["a", "b"]), rtol=1e-4, atol=1e-5
        )


def test_sets(loaded, raw_sequences):
    run, rows = loaded("sets"), raw_sequences("sets")[:3]
    for row, forecast in zip(rows, run.forecast(rows, STEPS), strict=True):
        assert forecast["prediction"] == forecast_step_by_step(run, row, ["notes"])


def test_tokens(loaded):
    run = loaded("plays")
    rows = [{"text": "abca"}, {"text": "b"}]
    for row, forecast in zip(rows, run.forecast(rows, STEPS), strict=True):
        text = row["text"]
        for _ in range(STEPS):
            text += run.predict([{"text": text}])[0]["prediction"][-1]
        assert forecast["prediction"] == list(text[len(row["text"]) :])


def test_the_least_random_text_is_the_most_likely(loaded):
    run = loaded("plays")
    (forecast,) = run.forecast([{"text": "abc a"}], 30)
    assert "".join(run.generate("abc a", 30, temperature=0)) == "".join(forecast["prediction"])


@pytest.mark.parametrize("kind", ["classifier", "numbered", "regression"])
def test_only_a_model_of_its_own_next_input_continues(loaded, raw_sequences, kind):
    for use in (lambda run: run.forecast(raw_sequences(kind), 3), lambda run: run.generate("a", 3)):
        with pytest.raises(ConfigError, match="needs a model that predicts its next input"):
            use(loaded(kind))


@pytest.mark.parametrize("target", [{"next": True, "ahead": 2}, {"column": "b", "ahead": 1}])
def test_only_what_comes_right_after_the_input_is_fed_back(tmp_path, target):
    """Neither its own input two steps later, nor another column one step later."""
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{k % 5}.5,{k % 3}.5\n" for k in range(40)))
    config = {"data": {"train": str(tmp_path / "a.csv"), "inputs": ["a"], "target": target, "valid": None}}
    config |= {"model": {"layers": [2]}, "train": {"epochs": 1, "monitor": "train.loss"}}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    run = lstm_cli.load(tmp_path / "run")
    assert len(run.predict([{"a": [0.5, 1.5, 2.5]}])[0]["prediction"]) == 3
    for use in (lambda: run.forecast([{"a": [0.5, 1.5]}], 3), lambda: run.generate("a", 3)):
        with pytest.raises(ConfigError, match="needs a model that predicts its next input"):
            use()


def test_only_a_model_of_text_writes_text(loaded):
    with pytest.raises(ConfigError, match="--generate needs a text model"):
        loaded("pendulum").generate("a", 3)


def test_a_model_that_reads_both_ways_does_not_continue(loaded, monkeypatch):
    """No config trains one with target next, but one could be made."""
    run = loaded("both_ways")
    target = run.schema.target
    monkeypatch.setitem(target.__dict__, "is_next", True)
    monkeypatch.setitem(target.__dict__, "ahead", 1)
    with pytest.raises(ConfigError, match="--steps needs a model that reads forward only"):
        run.forecast([{"x": [[1, 2]]}], 3)


def test_train_refuses_to_read_the_target(tmp_path):
    (tmp_path / "a.txt").write_text("abc")
    with pytest.raises(ConfigError, match="a bidirectional layer sees the next step, which it should predict"):
        config = {"data": {"train": str(tmp_path / "a.txt")}, "model": {"bidirectional": True}}
        lstm_cli.train(config, run=tmp_path / "run")


def test_more_steps_than_fit_into_memory(loaded):
    run = loaded("passengers")
    with pytest.raises(DataError, match=r"^--steps 2000000000: forecasts of 1 sequence would take about .* give fewer"):
        run.forecast([{"count": [float(50 + k) for k in range(30)]}], 2_000_000_000)
