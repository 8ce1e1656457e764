"""Several steps predicted at once: which steps count, and what their targets are."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from lstm_cli.data import Batches, encode, evaluation_batches, raw_sequences
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, open_jsonl

X, Y = np.arange(20.0) ** 1.5, np.cos(np.arange(20.0)) * 7


def counted(data, **options):
    """The restored truth (H * D,) of each counted step, by sequence and step."""
    found = {}
    for batch in Batches(data.train, batch_size=2, shuffle=False, **options).epoch(0):
        starts = batch.starts[batch.counted_sequences]
        places = zip(
            batch.sequences[batch.counted_sequences].tolist(), (starts + batch.counted_times).tolist(), strict=True
        )
        found.update(zip(places, data.train.truth(batch), strict=True))
    return found


@pytest.mark.parametrize("window", [None, 4])
def test_a_step_counts_where_all_of_its_values_exist(tmp_path, window):
    rows = [{"x": X.tolist(), "y": Y.tolist()}, {"x": X[:6].tolist(), "y": Y[:6].tolist()}]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "horizon": 5})
    target = data.schema.target
    assert (target.size, target.horizon, target.ahead, target.output_columns) == (5, 5, 1, ("y",) * 5)
    expected = {(0, t): Y[t + 1 : t + 6] for t in range(15)} | {(1, 0): Y[1:6]}
    found = counted(data, window=window)
    assert found.keys() == expected.keys()
    for place, values in found.items():
        np.testing.assert_allclose(values, expected[place], rtol=1e-5, atol=1e-5)


def test_vectors_and_several_columns_are_ordered_step_by_step(tmp_path):
    v = np.stack([X, -Y], axis=1)
    rows = [{"x": X.tolist(), "v": v.tolist()}] * 2
    target = {"next": True, "ahead": 2, "horizon": 3}
    data = open_jsonl(tmp_path, rows, inputs=["v", "x"], target=target)
    assert data.schema.target.output_columns == ("v", "v", "x") * 3
    assert data.train.lengths.tolist() == [16, 16]
    (batch,) = evaluation_batches(data_config(tmp_path, train="a", target=target), data.train).epoch(0)
    assert batch.target.shape == (32, 9)
    table = np.concatenate([v, X[:, np.newaxis]], axis=1)
    for (_, t), values in counted(data).items():
        np.testing.assert_allclose(values, table[t + 2 : t + 5].ravel(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "chain", ["log", "difference", "seasonal_difference(3)", "log difference seasonal_difference(4)"]
)
def test_transforms_are_undone_in_every_step_of_the_horizon(tmp_path, chain):
    values = np.exp(np.sin(np.arange(40.0)))
    data = open_jsonl(
        tmp_path, [{"x": values.tolist()}] * 2, inputs=["x"], transform={"x": chain.split()},
        target={"next": True, "horizon": 6},
    )  # fmt: skip
    lag = data.schema.layout.lag
    for (_, t), found in counted(data).items():
        np.testing.assert_allclose(found, values[t + lag + 1 : t + lag + 7], rtol=1e-4)


def test_a_restorer_undoes_the_horizon_as_a_dataset_does(tmp_path):
    values = np.exp(np.sin(np.arange(40.0)))
    data = open_jsonl(
        tmp_path, [{"x": values.tolist()}] * 2, inputs=["x"], transform={"x": ["log", "difference"]},
        target={"next": True, "horizon": 3},
    )  # fmt: skip
    (sequence,) = (encode(data.schema, raw) for raw in raw_sequences([{"x": values.tolist()}], data.schema))
    outputs = np.random.default_rng(0).normal(size=(sequence.steps, 3))
    restored = data.schema.restorer(sequence).restore_all(outputs)
    scaling = data.schema.scaling["x"]
    changes = outputs * scaling.spread + scaling.center
    expected = np.log(values[1:])[:, np.newaxis] + np.cumsum(changes, axis=1)
    np.testing.assert_allclose(restored, np.exp(expected), rtol=1e-9)


def test_held_out_ends_predict_held_out_steps_only(tmp_path):
    rows = [{"x": X.tolist()}]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target={"next": True, "horizon": 3}, valid=6)
    assert {t for _, t in counted(data)} == set(range(11))  # 14 steps to train on, the last predicted is the 14th
    found = [data.valid.truth(batch) for batch in Batches(data.valid, batch_size=1).epoch(0)]
    np.testing.assert_allclose(np.concatenate(found), sliding_window_view(X[14:], 3), rtol=1e-5)


def test_a_step_of_weight_zero_does_not_count(tmp_path):
    rows = [{"x": X.tolist(), "y": Y.tolist(), "w": [1.0] * 4 + [0.0] + [1.0] * 15}] * 2
    data = open_jsonl(
        tmp_path, rows, {"loss": {"weight": "w"}}, inputs=["x"], target={"column": "y", "horizon": 3}
    )  # fmt: skip
    assert {t for _, t in counted(data)} == set(range(17)) - {4}


def test_whole_numbers_are_numbers_where_a_horizon_is_predicted(tmp_path):
    data = open_jsonl(
        tmp_path, [{"x": X.tolist(), "y": [1, 2] * 10}] * 2, inputs=["x"], target={"column": "y", "horizon": 2}
    )
    assert (data.schema.target.kind, data.schema.target.per) == ("number", "step")


@pytest.mark.parametrize(
    ("chain", "ahead", "horizon", "message"),
    [
        ("difference", 2, 2, "a difference of 1 step cannot be undone 3 steps ahead"),
        ("seasonal_difference(3)", 2, 3, "undone 4 steps ahead: use seasonal_difference.4."),
    ],
)
def test_differences_that_need_values_nobody_knows_are_refused(tmp_path, chain, ahead, horizon, message):
    target = {"next": True, "ahead": ahead, "horizon": horizon}
    with pytest.raises(ConfigError, match=message):
        open_jsonl(tmp_path, [{"x": X.tolist()}] * 2, inputs=["x"], transform={"x": chain}, target=target)


def test_only_numbers_have_a_horizon(tmp_path):
    with pytest.raises(ConfigError, match="only for numbers, but x holds tokens"):
        open_jsonl(tmp_path, [{"x": ["a", "b"] * 4}] * 2, inputs=["x"], target={"next": True, "horizon": 2})


def test_a_held_out_end_shorter_than_the_horizon_is_refused(tmp_path):
    rows = [{"x": X.tolist(), "y": Y.tolist()}] * 2
    message = r"valid has no step with a target that counts: .*; all 5 values that a step predicts must be in it"
    with pytest.raises(DataError, match=message):
        target = {"column": "y", "horizon": 5}
        open_jsonl(tmp_path, rows, inputs=["x"], target=target, valid={"share": 4, "by": "time"})


@pytest.mark.parametrize("target", [{"next": True}, {"column": "y", "kind": "number"}])
def test_more_steps_at_once_than_any_sequence_has(tmp_path, target):
    rows = [{"x": X.tolist(), "y": Y.tolist()}, {"x": X[:6].tolist(), "y": Y[:6].tolist()}]
    problem = r"data\.target\.horizon: 2147483647 steps at once, but the longest sequence of train has 20: set fewer$"
    with pytest.raises(ConfigError, match=problem):
        open_jsonl(tmp_path, rows, inputs=["x"], target={**target, "horizon": 2**31 - 1})
