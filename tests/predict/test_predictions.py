"""Predictions from Python: in the order, the words and the units of the data."""

import math
import re

import numpy as np
import pytest

from lstm_cli.data import UnknownCounts, encode, read_dataset
from lstm_cli.data import raw_sequences as encodable
from lstm_cli.data.batching import whole as limits
from tests.support.data import read_jsonl, write_jsonl


def raw_outputs(run, rows):
    """Return the network's outputs for each row."""
    return list(run.outputs(encode(run.schema, row) for row in encodable(rows, run.schema)))


def test_rows_come_out_in_the_order_of_the_input_with_their_ids(loaded, raw_sequences):
    run, rows = loaded("classifier"), raw_sequences("classifier")
    np.random.default_rng(0).shuffle(rows)
    predicted = run.predict(rows)
    assert [row["id"] for row in predicted] == [row["id"] for row in rows]
    assert predicted == [run.predict([row])[0] for row in rows]


def test_a_prediction_needs_no_label_and_no_id(loaded, raw_sequences):
    run = loaded("classifier")
    predicted = run.predict([{"x": row["x"]} for row in raw_sequences("classifier")])
    assert [row["id"] for row in predicted] == list(range(1, 31))
    labels = [row["prediction"] for row in predicted]
    assert labels == [row["prediction"] for row in run.predict(raw_sequences("classifier"))]
    assert set(labels) <= {"low", "mid", "high"}


def test_arrays_are_as_good_as_lists(loaded, raw_sequences):
    run = loaded("classifier")
    rows = [{"x": row["x"]} for row in raw_sequences("classifier")]
    assert run.predict([{"x": np.array(row["x"])} for row in rows]) == run.predict(rows)
    assert run.predict([]) == []


def test_labels_keep_their_type_and_there_is_one_a_step(loaded, raw_sequences):
    for row, given in zip(
        loaded("numbered").predict(raw_sequences("numbered")), raw_sequences("numbered"), strict=True
    ):
        assert len(row["prediction"]) == len(given["x"])
        assert set(row["prediction"]) <= {2, 10}


@pytest.mark.parametrize("kind", ["classifier", "numbered", "both_ways", "tagger"])
def test_probabilities_sum_to_one_and_the_prediction_is_the_most_likely(loaded, raw_sequences, kind):
    rows = loaded(kind).predict(raw_sequences(kind), probabilities=True)
    assert [row["prediction"] for row in rows] == [
        row["prediction"] for row in loaded(kind).predict(raw_sequences(kind))
    ]
    for row in rows:
        per_step = isinstance(row["prediction"], list)
        steps = zip(row["prediction"], row["probabilities"], strict=True) if per_step else [tuple(row.values())[1:]]
        for prediction, probabilities in steps:
            assert sum(probabilities.values()) == pytest.approx(1, abs=1e-12)
            assert max(probabilities, key=probabilities.get) == str(prediction)


def test_probabilities_of_sets_are_of_each_label(loaded, raw_sequences):
    run = loaded("sets")
    for row in run.predict(raw_sequences("sets"), probabilities=True):
        for prediction, probabilities in zip(row["prediction"], row["probabilities"], strict=True):
            assert prediction == [label for label in range(60, 66) if probabilities[str(label)] > 0.5]
    logits = raw_outputs(run, raw_sequences("sets"))[0].values
    found = run.predict(raw_sequences("sets")[:1], probabilities=True)[0]["probabilities"][0]
    np.testing.assert_allclose(list(found.values()), 1 / (1 + np.exp(-logits[0])), rtol=1e-6)


def test_numbers_are_in_original_units(loaded, raw_sequences):
    run = loaded("regression")
    scaling = run.schema.target.scaling
    raw = raw_outputs(run, raw_sequences("regression"))
    for row, outputs in zip(run.predict(raw_sequences("regression")), raw, strict=True):
        np.testing.assert_allclose(row["prediction"], outputs.values[0] * scaling.spread + scaling.center, rtol=1e-12)
        assert 30 < row["prediction"][0] < 60 and 14_000 < row["prediction"][1] < 27_000


def test_transforms_are_undone(loaded, trained):
    """Of month t + 1: exp(z + log x_t + (log x_t-3 - log x_t-4)), z the output for the seasonal difference."""
    run = loaded("passengers")
    lines = (trained("passengers") / "series.csv").read_text().splitlines()[1:]
    values = np.array([float(line.split(",")[1]) for line in lines])
    (row,) = run.predict([{"count": values}])
    (raw,) = raw_outputs(run, [{"count": values}])
    scaling, logs = run.schema.target.scaling, np.log(values)
    assert len(row["prediction"]) == len(values)
    assert row["prediction"][:5] == [None] * 5
    for step, (prediction, output) in enumerate(zip(row["prediction"][5:], raw.values[:, 0], strict=True), start=5):
        z = output * scaling.spread[0] + scaling.center[0]
        assert prediction == pytest.approx(math.exp(z + logs[step] + logs[step - 3] - logs[step - 4]), rel=1e-6)


def test_the_last_step_of_a_series_has_its_forecast_too(loaded, trained):
    """Trained on all steps but the last, which has no next; used on all, labelled or not."""
    run = loaded("pendulum")
    rows = [{"run": 1, "a": np.sin(np.arange(30) / 5), "b": np.cos(np.arange(30) / 5)}]
    (row,) = run.predict(rows)
    assert len(row["prediction"]) == 30
    assert row["prediction"][-1] == run.forecast(rows, 1)[0]["prediction"][0]
    dataset = read_dataset(trained("pendulum") / "series.csv", run.schema)
    assert {sequence.steps for sequence in dataset} == {39}


def test_a_line_of_text_has_a_prediction_for_its_end_too(loaded):
    (row,) = loaded("names").predict([{"text": "anna"}])
    assert len(row["prediction"]) == 1 + 4  # from what may come first to what may follow the last letter


@pytest.mark.parametrize("kind", ["classifier", "numbered", "pendulum"])
def test_a_long_sequence_in_pieces_is_as_in_one(loaded, monkeypatch, kind):
    run, series = loaded(kind), np.sin(np.arange(500) / 7)
    rows = [{"a": series, "b": series + 1}] if kind == "pendulum" else [{"x": np.stack([series, series + 1], axis=1)}]
    whole = raw_outputs(run, rows)
    monkeypatch.setattr(limits, "PIECE_STEPS", 64)
    pieces = raw_outputs(run, rows)
    np.testing.assert_allclose(pieces[0].values, whole[0].values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pieces[0].state, whole[0].state, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["averaged", "both_ways"])
def test_what_needs_all_steps_is_never_run_in_pieces(loaded, raw_sequences, monkeypatch, kind):
    whole = loaded(kind).predict(raw_sequences(kind), probabilities=True)
    monkeypatch.setattr(limits, "PIECE_STEPS", 2)
    assert loaded(kind).predict(raw_sequences(kind), probabilities=True) == whole


def test_small_batches_and_chunks_give_what_large_ones_give(loaded, raw_sequences, monkeypatch):
    run, rows = loaded("numbered"), raw_sequences("numbered")
    whole = raw_outputs(run, rows)
    for name, value in (("BATCH_STEPS", 20), ("STEPS_HELD", 60), ("SEQUENCES_HELD", 7)):
        monkeypatch.setattr(limits, name, value)
    for one, other in zip(whole, raw_outputs(run, rows), strict=True):
        np.testing.assert_allclose(other.values, one.values, rtol=1e-5, atol=1e-6)


def test_evaluation_is_that_of_training(loaded, trained):
    """On the test data it finds the scores that training reported at its end, and counts what `predict` gets right."""
    folder, run = trained("classifier"), loaded("classifier")
    reported = read_jsonl(folder / "run" / "metrics.jsonl")[-1]
    scores = run.evaluate(folder / "test.jsonl")
    assert reported["split"] == "test"
    assert scores == {name: pytest.approx(reported[name]) for name in ("loss", "accuracy", "macro_f1")}
    rows = read_jsonl(folder / "test.jsonl")
    right = [row["prediction"] == given["label"] for row, given in zip(run.predict(rows), rows, strict=True)]
    assert scores["accuracy"] == pytest.approx(np.mean(right))


def test_a_label_that_training_never_saw_counts_as_an_error_and_is_reported(loaded, trained, tmp_path):
    """Of a file where some true labels are renamed: what was right about these is wrong now, no more, no less."""
    folder, run = trained("classifier"), loaded("classifier")
    rows = read_jsonl(folder / "test.jsonl")
    predicted = [row["prediction"] for row in run.predict(rows)]
    known = [row for row, label in zip(rows, predicted, strict=True) if row["label"] == label]
    renamed = [row | {"label": "other"} if row in (*known[:2], rows[0], rows[-1]) else row for row in rows]
    write_jsonl(tmp_path / "test.jsonl", renamed)
    unknown_counts = UnknownCounts()
    scores = run.evaluate(tmp_path / "test.jsonl", unknown_counts=unknown_counts)
    right = [label == row["label"] for label, row in zip(predicted, renamed, strict=True)]
    assert scores["accuracy"] == pytest.approx(np.mean(right))
    assert scores["accuracy"] <= run.evaluate(folder / "test.jsonl")["accuracy"] - 2 / 12
    assert math.isfinite(scores["loss"])
    (note,) = unknown_counts.notes("test")
    pattern = r"test: targets that training never saw, each an error: [234] of 12 \(.*%\), such as 'other'"
    assert re.fullmatch(pattern, note)
