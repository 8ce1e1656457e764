"""Numbers scaled by the statistics of each series, or of each window, computed here again with numpy."""

import numpy as np
import pytest

from lstm_cli.data import Batches, encode, evaluation_batches, raw_sequences, training_batches
from lstm_cli.data.batching.windows import full, sliding
from lstm_cli.errors import ConfigError
from tests.support.data import data_config, open_jsonl

LEVELS = (3.0, 500.0, -80.0)


def drifting(steps, level=20.0, seed=0):
    """A seasonal series that drifts and grows."""
    t = np.arange(steps)
    noise = np.random.default_rng(seed).normal(size=steps) / 5
    return level + t / 3 + (1 + t / 20) * np.sin(t * np.pi / 4) + noise


def rows(lengths=(30, 22, 40)):
    return [
        {
            "id": f"s{k}",
            "x": (y := drifting(n, LEVELS[k], k)).tolist(),
            "z": (-3 * y[::-1]).tolist(),
            "y": (y * 2).tolist(),
        }
        for k, n in enumerate(lengths)
    ]


def standard(values):
    values = np.concatenate(values)
    return values.mean(), values.std()


def test_every_series_has_its_own_mean_and_deviation(tmp_path):
    given = rows()
    data = open_jsonl(tmp_path, given, inputs=["x", "z"], target="next", scale="series")
    for row, sequence in zip(given, data.train, strict=True):
        table = np.stack([row["x"], row["z"]], axis=1)
        expected = (table - table.mean(axis=0)) / table.std(axis=0)
        np.testing.assert_allclose(sequence.numbers, expected[:-1], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(sequence.target, expected[1:], rtol=1e-4, atol=1e-5)
    for batch in Batches(data.train, batch_size=2).epoch(0):
        columns = batch.counted_sequences
        truth = [given[s]["x"][t + 1] for s, t in zip(batch.sequences[columns], batch.counted_times, strict=True)]
        present = [given[s]["x"][t] for s, t in zip(batch.sequences[columns], batch.counted_times, strict=True)]
        np.testing.assert_allclose(data.train.truth(batch)[:, 0], truth, rtol=1e-4)
        np.testing.assert_allclose(
            data.train.values_at(batch.sequences[columns], batch.counted_times)[:, 0], present, rtol=1e-4
        )


def test_a_target_that_is_no_input_is_scaled_by_train(tmp_path):
    given = rows()
    data = open_jsonl(tmp_path, given, inputs=["x"], target={"column": "y", "horizon": 2}, scale="series")
    mean, deviation = standard([row["y"] for row in given])
    for row, sequence in zip(given, data.train, strict=True):
        expected = (np.array(row["y"][1:-1]) - mean) / deviation
        np.testing.assert_allclose(sequence.target[: len(expected), 0], expected, rtol=1e-4, atol=1e-5)
        assert sequence.scaling is None


def test_a_held_out_end_is_scaled_by_the_steps_before_it(tmp_path):
    values = drifting(60)
    data = open_jsonl(tmp_path, [{"x": values.tolist()}], inputs=["x"], target="next", scale="series", valid=15)
    before = values[:45]
    np.testing.assert_allclose(data.train[0].numbers[:, 0], ((before - before.mean()) / before.std())[:-1], rtol=1e-4)
    np.testing.assert_allclose(data.valid[0].numbers[:, 0], ((values - before.mean()) / before.std())[:-1], rtol=1e-4)


def test_a_constant_series_has_deviation_one(tmp_path):
    data = open_jsonl(tmp_path, [{"x": [5.0] * 6}, {"x": [1.5, 2.5, 3.5]}], inputs=["x"], target="next", scale="series")
    assert data.train[0].numbers.ravel().tolist() == [0] * 5
    assert data.train[0].scaling.spread.tolist() == [1]


def test_series_are_scaled_after_their_transforms(tmp_path):
    values = np.exp(drifting(30) / 10)
    data = open_jsonl(
        tmp_path,
        [{"x": values.tolist()}] * 2,
        inputs=["x"],
        target="next",
        scale="series",
        transform={"x": ["log", "difference"]},
    )
    changes = np.diff(np.log(values))
    np.testing.assert_allclose(
        data.train[0].numbers[:, 0], ((changes - changes.mean()) / changes.std())[:-1], rtol=1e-3, atol=1e-5
    )
    outputs = np.zeros((29, 1))
    (sequence,) = (encode(data.schema, raw) for raw in raw_sequences([{"x": values.tolist()}], data.schema))
    restored = data.schema.restorer(sequence).restore_all(outputs)
    np.testing.assert_allclose(restored[:, 0], values[1:] * np.exp(changes.mean()), rtol=1e-9)


WINDOW = 8


def deviation(window, train):
    """That of the window; steps that it lacks count with the deviation of train."""
    lacking = WINDOW - len(window)
    return np.sqrt((len(window) * window.var() + lacking * standard(train)[1] ** 2) / WINDOW)


def windowed(folder, given, target, sections=None, **data):
    options = {"inputs": ["x", "z"], "target": target, "scale": "window", "window": WINDOW, **data}
    return data_config(folder, sections, train="train.jsonl", **options), open_jsonl(folder, given, sections, **options)


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize(("stride", "batch_size"), [(None, 4), (3, 1), (20, 7)])
def test_windows_are_relative_to_their_last_value(tmp_path, horizon, stride, batch_size):
    """In original units: (value - last value) / deviation of the window, for inputs and target alike."""
    given = rows((30, 5, 40))
    config, data = windowed(
        tmp_path,
        given,
        {"column": "z", "ahead": 1, "horizon": horizon},
        {"train": {"batch_size": batch_size}},
        stride=stride,
    )
    origins = []
    for batch in training_batches(config, data.train).epoch(0):
        assert (batch.counted_times == batch.lengths[batch.counted_sequences] - 1).all()
        columns = batch.counted_sequences
        places = batch.starts[columns] + batch.counted_times
        truth, present = data.train.truth(batch), data.train.values_at(batch.sequences[columns], places)
        for n, b in enumerate(batch.counted_sequences):
            row, start, size = given[batch.sequences[b]], int(batch.starts[b]), int(batch.lengths[b])
            x, z = (np.array(row[name][start : start + size]) for name in ("x", "z"))
            later = np.array(row["z"][start + size : start + size + horizon])
            origins.append((int(batch.sequences[b]), start + size - 1))
            dx, dz = (deviation(v, [row[name] for row in given]) for v, name in ((x, "x"), (z, "z")))
            expected = np.stack([(x - x[-1]) / dx, (z - z[-1]) / dz], axis=1)
            np.testing.assert_allclose(batch.numbers[:size, b], expected, rtol=1e-3, atol=1e-4)
            assert not batch.numbers[size:, b].any()
            np.testing.assert_allclose(batch.target[n], (later - z[-1]) / dz, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(truth[n], later, rtol=1e-5, atol=1e-3)
            np.testing.assert_allclose(present[n], [z[-1]], rtol=1e-5, atol=1e-3)
    expected = [
        (s, end)
        for s, row in enumerate(given)
        for end in range(min(WINDOW, len(row["x"])) - 1, len(row["x"]), stride or 1)
        if end + horizon < len(row["x"])
    ]
    assert sorted(origins) == expected


def test_every_origin_is_scored_whatever_the_batch(tmp_path, monkeypatch):
    given = rows((30, 5, 40))
    config, data = windowed(tmp_path, given, "next")
    places = []
    for batch in evaluation_batches(config, data.train).epoch(0):
        ends = batch.starts[batch.counted_sequences] + batch.counted_times
        places += list(zip(batch.sequences[batch.counted_sequences].tolist(), ends.tolist(), strict=True))
        sizes = batch.lengths[batch.counted_sequences]
        np.testing.assert_array_equal(sizes, np.minimum(ends + 1, WINDOW))
        np.testing.assert_allclose(
            data.train.truth(batch)[:, 0], [given[s]["x"][t + 1] for s, t in places[-len(ends) :]], rtol=1e-4, atol=1e-3
        )
    assert sorted(places) == [(s, t) for s, row in enumerate(given) for t in range(len(row["x"]) - 1)]


@pytest.mark.parametrize("ahead", [1, 4])
def test_the_first_window_of_a_held_out_end_is_full(tmp_path, ahead):
    given = [{"x": drifting(60).tolist()}]
    target = {"next": True, "ahead": ahead, "horizon": 2}
    config, data = windowed(tmp_path, given, target, inputs=["x"], valid=12)
    truth = []
    for batch in evaluation_batches(config, data.valid).epoch(0):
        assert batch.lengths.tolist() == [WINDOW] * len(batch.lengths)
        truth += data.valid.truth(batch).tolist()
    np.testing.assert_allclose(truth, [given[0]["x"][t : t + 2] for t in range(48, 59)], rtol=1e-4)


def test_a_constant_window_keeps_the_scale_of_train(tmp_path):
    x = [1.0, 4.0] + [7.25] * 10 + [9.0]
    config, data = windowed(tmp_path, [{"x": x, "z": x}] * 2, "next")
    _, deviation = standard([x, x])
    found = {}
    for batch in evaluation_batches(config, data.train).epoch(0):
        for n, b in enumerate(batch.counted_sequences):
            found[int(batch.starts[b] + batch.lengths[b] - 1)] = batch.target[n, 0]
    assert found[11] == pytest.approx((9 - 7.25) / deviation, rel=1e-5)
    assert found[10] == 0


def test_differences_within_windows(tmp_path):
    values = np.exp(drifting(40) / 20)
    config, data = windowed(
        tmp_path, [{"x": values.tolist()}] * 2, {"next": True, "horizon": 3}, inputs=["x"],
        transform={"x": ["log", "difference"]},
    )  # fmt: skip
    for batch in evaluation_batches(config, data.train).epoch(0):
        ends = batch.starts[batch.counted_sequences] + batch.counted_times + 1  # a difference removes the first step
        for end, truth in zip(ends, data.train.truth(batch), strict=True):
            np.testing.assert_allclose(truth, values[end + 1 : end + 4], rtol=1e-4)


def test_the_windows_themselves():
    lengths = np.array([5, 2, 3])
    windows = full(lengths, 3, 2)
    assert list(zip(windows.sequences, windows.starts, windows.lengths, strict=True)) == [
        (0, 0, 3),
        (0, 2, 3),
        (1, 0, 2),
        (2, 0, 3),
    ]
    windows = sliding(lengths, 3)
    assert windows.sequences.tolist() == [0] * 5 + [1] * 2 + [2] * 3
    assert windows.lengths.tolist() == [1, 2, 3, 3, 3, 1, 2, 1, 2, 3]
    assert (windows.starts + windows.lengths).tolist() == [1, 2, 3, 4, 5, 1, 2, 1, 2, 3]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("tag", "window: only for a target of numbers per step, but tag is a category per step"),
        (
            {"column": "end", "kind": "number"},
            "window: only for a target of numbers per step, but end is a number per seq",
        ),
    ],
)
def test_a_window_scales_numbers_per_step(tmp_path, target, message):
    given = [{"x": [1.5, 2.5, 3.5], "tag": ["a", "b", "a"], "end": 2.5}] * 3
    with pytest.raises(ConfigError, match=message):
        windowed(tmp_path, given, target, inputs=["x"])


@pytest.mark.parametrize(
    ("scale", "inputs"),
    [
        ({"scale": "series"}, {"w": {}}),
        ({"scale": "series"}, {"w": {}, "level": {"static": True}}),
        ({"scale": "window", "window": 5}, {"z": {"known": True}}),
    ],
)
def test_an_own_scale_of_nothing_is_refused(tmp_path, scale, inputs):
    given = [{**row, "w": ["a", "b"] * (len(row["x"]) // 2), "level": LEVELS[0]} for row in rows()]
    with pytest.raises(ConfigError, match=rf"data\.scale: {scale['scale']}: there is no input of numbers that changes"):
        open_jsonl(tmp_path, given, inputs=inputs, target={"column": "y", "ahead": 1}, **scale)
