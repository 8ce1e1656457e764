"""Forecasts and generated text are what feeding predictions back one by one gives."""

import numpy as np
import pytest

import lstm_cli
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict import feedback, predict_run

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


@pytest.mark.parametrize("kind", ["plays", "names", "words"])
def test_the_same_seed_writes_the_same_text(loaded, kind):
    texts = ["".join(loaded(kind).generate("", 60, seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_a_high_temperature_is_more_surprising(loaded):
    run = loaded("names")
    most_likely = "".join(run.generate("", 200, temperature=0))
    cool, hot = (len(set("".join(run.generate("", 200, temperature=t)).split("\n"))) for t in (0.05, 5))
    assert len(set(most_likely.split("\n"))) <= 2 <= cool < hot


def test_symbols_come_as_often_as_the_model_says(loaded):
    run = loaded("plays")
    probabilities = run.predict([{"text": "ab"}], probabilities=True)[0]["probabilities"][-1]
    drawn = [next(run.generate("ab", 1, seed=seed)) for seed in range(400)]
    known = {label: p for label, p in probabilities.items() if label != "<unk>"}
    for label, p in known.items():
        share = p / sum(known.values())
        assert drawn.count(label) / 400 == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 400))


def test_each_line_begins_afresh_where_lines_were_learned(loaded, monkeypatch):
    """Whatever the line before was, what may follow its end is what may begin a text."""
    run, script, seen = loaded("names"), iter("na\nim\n"), []
    labels = run.schema.target.labels

    def choose(output):
        seen.append(output[0])
        return np.array([labels.index(next(script))])

    monkeypatch.setattr(feedback, "sampled", lambda random, temperature: choose)
    assert "".join(run.generate("an", 6)) == "na\nim\n"
    start = run.predict([{"text": "a"}], probabilities=True)[0]["probabilities"][0]
    shares, expected = np.exp(seen[3]), np.array([p * (label != "<unk>") for label, p in start.items()])
    np.testing.assert_allclose(shares / shares.sum(), expected / expected.sum(), rtol=1e-5)
    assert not np.allclose(seen[0][1:], seen[3][1:])


def test_words_are_set_apart(loaded):
    run = loaded("words")
    text = "to be" + "".join(run.generate("to be", 20))
    words = text.split(" ")
    assert len(words) == 22
    assert set(words) <= {"to", "be", "or", "not"}
    assert not "".join(run.generate("", 5)).startswith(" ")


def test_the_count_is_of_symbols(loaded):
    assert len(list(loaded("plays").generate("a", 17))) == 17
    assert len(list(loaded("names").generate("a", 17))) == 17


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


@pytest.mark.parametrize("temperature", [float("nan"), float("inf"), -1.0])
def test_a_temperature_that_is_none(loaded, temperature):
    with pytest.raises(ConfigError, match=r"^temperature: got .*, expected a number of 0 or more$"):
        loaded("plays").generate("a", 3, temperature=temperature)


def test_next_to_zero_a_temperature_is_zero(loaded):
    run = loaded("plays")
    coldest = "".join(run.generate("a", 20, temperature=0))
    assert "".join(run.generate("a", 20, temperature=1e-320)) == coldest
    assert "".join(run.generate("a", 20, temperature=-0.0)) == coldest


def test_more_steps_than_fit_into_memory(loaded):
    run = loaded("passengers")
    with pytest.raises(DataError, match=r"^--steps 2000000000: forecasts of 1 sequence would take about .* give fewer"):
        run.forecast([{"count": [float(50 + k) for k in range(30)]}], 2_000_000_000)


def test_what_training_never_saw_of_a_prompt_is_named(trained, tmp_path):
    notes = []
    for prompt in ("a cab", "a♥b♥Ü"):
        predict_run(
            trained("plays") / "run", None, prompt=prompt, generate=3, out=tmp_path / "text.txt", note=notes.append
        )
    assert notes == ["--prompt: unknown tokens: '♥', 'Ü'"]
    assert (tmp_path / "text.txt").read_text().startswith("a♥b♥Ü")
