"""From scaled and transformed numbers back to original units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_cli.data import Batches, encode, evaluation_batches, open_data, raw_sequences
from tests.support.data import data_config, open_jsonl, write

CHAINS = [
    "none",
    "log",
    "difference",
    "seasonal_difference(3)",
    "log difference",
    "log difference seasonal_difference(2)",
]


def positive_walk(length, seed=0):
    return (np.cumsum(np.random.default_rng(seed).normal(size=length)) ** 2 + 1).tolist()


def open_series(folder, chain, scale="standard", **data):
    transform = {"x": chain.split()} if chain != "none" else {}
    rows = [
        {"x": positive_walk(length, seed), "z": positive_walk(length, seed + 9)}
        for seed, length in enumerate((30, 12, 21))
    ]
    return rows, open_jsonl(folder, rows, scale=scale, transform=transform, **data)


@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("window", [None, 4])
def test_the_truth_is_the_data(tmp_path, chain, scale, window):
    rows, data = open_series(tmp_path, chain, scale, inputs=["x", "z"], target="next")
    present, truth = by_place(data, window)
    lag = data.schema.layout.lag
    values = {
        (s, t): (row["x"][t + lag], row["z"][t + lag]) for s, row in enumerate(rows) for t in range(len(row["x"]) - lag)
    }
    places = {(s, t) for s, t in values if (s, t + 1) in values}
    assert truth.keys() == present.keys() == places
    for s, t in places:
        np.testing.assert_allclose(truth[s, t], values[s, t + 1], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(present[s, t], values[s, t], rtol=1e-4, atol=1e-5)


def by_place(data, window):
    """What the step and its next are, by sequence and step."""
    present, truth = {}, {}
    for batch in Batches(data.train, batch_size=2, window=window, carry_state=True).epoch(0):
        steps, columns = np.divmod(batch.counted, len(batch.lengths))
        sequences, steps = batch.sequences[columns], batch.starts[columns] + steps
        places = list(zip(sequences.tolist(), steps.tolist(), strict=True))
        present.update(zip(places, data.train.values_at(sequences, steps), strict=True))
        truth.update(zip(places, data.train.truth(batch), strict=True))
    return present, truth


def test_the_present_is_of_the_predicted_columns_in_their_order(tmp_path):
    """Steps ahead change the truth, but not the present."""
    rows = [
        {"x": positive_walk(9), "v": [[value, -value] for value in positive_walk(9, 1)], "z": positive_walk(9, 2)}
    ] * 2
    data = open_jsonl(tmp_path, rows, inputs=["z", "v", "x"], target={"next": True, "ahead": 3})
    present, truth = by_place(data, None)
    values = [(z, *v, x) for z, v, x in zip(rows[0]["z"], rows[0]["v"], rows[0]["x"], strict=True)]
    assert present.keys() == {(s, t) for s in range(2) for t in range(6)}
    for s, t in present:
        np.testing.assert_allclose(present[s, t], values[t], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(truth[s, t], values[t + 3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("chain", CHAINS)
def test_a_dataset_and_a_restorer_say_the_same(tmp_path, chain):
    _, data = open_series(tmp_path, chain, inputs=["x", "z"], target="next")
    outputs = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    for batch in Batches(data.train, batch_size=1, bucket=False).epoch(0):
        sequence = data.train[batch.sequences[0]]
        given = outputs[: sequence.steps]
        together = data.train.restore(batch, given)
        np.testing.assert_allclose(data.schema.restorer(sequence).restore_all(given), together)


@settings(max_examples=15, deadline=None)
@given(chain=st.sampled_from(CHAINS), count=st.integers(1, 8))
def test_forecasts_beyond_the_end_are_exact_where_the_outputs_are(tmp_path_factory, chain, count):
    """A network that knew the future would, through the restorer, predict the future."""
    rows, data = open_series(tmp_path_factory.mktemp("data"), chain, inputs=["x"], target="next")
    (known,) = raw_sequences([{"x": rows[0]["x"][:-count]}], data.schema)
    outputs = data.train[0].target[-count:]
    restorer = data.schema.restorer(encode(data.schema, known))
    forecasts = [restorer.append(output)[0] for output in outputs]
    np.testing.assert_allclose(forecasts, rows[0]["x"][-count:], rtol=1e-3)


def test_the_last_of_all_outputs_is_the_first_forecast(tmp_path):
    rows, data = open_series(tmp_path, "log difference", inputs=["x"], target="next")
    (row,) = raw_sequences(rows[:1], data.schema)
    sequence = encode(data.schema, row)
    outputs = np.random.default_rng(0).normal(size=(sequence.steps, 1))
    restored = data.schema.restorer(sequence).restore_all(outputs)
    np.testing.assert_allclose(data.schema.restorer(sequence).append(outputs[-1]), restored[-1])


@pytest.mark.parametrize("transform", [{}, {"y": "log"}])
def test_a_target_that_is_no_input_has_its_own_scaling(tmp_path, transform):
    rows = [{"x": positive_walk(9), "y": [1e6 + value for value in positive_walk(9, 1)]}] * 3
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", transform=transform)
    (batch,) = Batches(data.train, batch_size=3).epoch(0)
    assert abs(batch.target.mean()) < 1e-2
    np.testing.assert_allclose(data.train.truth(batch)[::3, 0], rows[0]["y"], rtol=1e-6)


def test_a_number_per_sequence_is_restored(tmp_path):
    rows = [{"x": positive_walk(length), "y": 100.0 + length} for length in (5, 9, 3)]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", transform={"y": "log"}, scale="minmax")
    (batch,) = Batches(data.train, batch_size=3).epoch(0)
    np.testing.assert_allclose(data.train.truth(batch)[:, 0], [109, 105, 103], rtol=1e-6)
    assert batch.counted.tolist() == [0, 1, 2]


def test_a_target_that_is_an_input_can_be_a_difference(tmp_path):
    rows = [{"x": positive_walk(20), "z": positive_walk(20, 3)}] * 2
    target = {"column": "x", "ahead": 3, "kind": "number"}
    data = open_jsonl(tmp_path, rows, inputs=["x", "z"], target=target, transform={"x": "seasonal_difference(4)"})
    (batch,) = Batches(data.train, batch_size=2).epoch(0)
    np.testing.assert_allclose(data.train.truth(batch)[::2, 0], rows[0]["x"][7:], rtol=1e-5)


def test_pieces_of_a_split_sequence_are_restored(tmp_path):
    rows, data = open_series(tmp_path, "log difference", inputs=["x"], target="next", max_length=5, on_long="split")
    (batch,) = Batches(data.train, batch_size=99).epoch(0)
    truth = sorted(data.train.truth(batch)[:, 0])
    np.testing.assert_allclose(truth, sorted(value for row in rows for value in row["x"][2:]), rtol=1e-4)


def test_the_held_out_end_of_a_series_is_restored(tmp_path):
    values = positive_walk(60)
    write(tmp_path / "a.csv", "x\n" + "".join(f"{value!r}\n" for value in values))
    held = {"train": "a.csv", "valid": 10, "test": 12, "inputs": ["x"], "target": "next"}
    chain = {"x": ["log", "difference", "seasonal_difference(4)"]}
    for window in (None, 8):
        given = data_config(tmp_path, **held, transform=chain, window=window)
        data = open_data(given)
        for dataset, expected in ((data.test, values[48:]), (data.valid, values[38:48])):
            truth = [dataset.truth(batch) for batch in evaluation_batches(given, dataset).epoch(0)]
            np.testing.assert_allclose(sorted(np.concatenate(truth)[:, 0]), sorted(expected), rtol=1e-4)
