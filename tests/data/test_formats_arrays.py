"""Arrays: pairs of .npy, and the splits of one .npz."""

import numpy as np
import pytest

from lstm_cli.data import open_data
from lstm_cli.errors import DataError
from tests.support.data import data_config
from tests.support.reading import read_file

X = np.arange(12.0).reshape(3, 4) + 0.5
Y = np.array(["a", "b", "a"])


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("X_train.npy", "y_train.npy"), ("x_train.npy", "y_train.npy"), ("train-x.npy", "train-y.npy"),
        ("X.npy", "Y.npy"), ("x.npy", "y.npy"), ("X_TRAIN.npy", "y_TRAIN.npy"),
    ],
)  # fmt: skip
def test_the_target_is_read_from_the_file_beside(tmp_path, x, y):
    np.save(tmp_path / x, X)
    np.save(tmp_path / y, Y)
    data = open_data(data_config(tmp_path, train=x, inputs=["x"], target="y", scale="none"))
    np.testing.assert_array_equal(data.train.numbers.reshape(3, 4), X.astype(np.float32))
    assert [data.schema.labels.names[index] for index in data.train.target.ravel()] == Y.tolist()


def test_lengths_ids_and_other_inputs_stand_beside_too(tmp_path):
    arrays = {"sensor_a": X, "phase_a": X * 2, "lengths_a": [4, 2, 1], "id_a": ["p", "q", "r"]}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    rows = read_file(tmp_path / "sensor_a.npy", input="sensor", columns=frozenset(["sensor", "phase"]))
    assert [row.id for row in rows] == ["p", "q", "r"]
    assert [len(row.columns["phase"]) for row in rows] == [4, 2, 1]
    np.testing.assert_array_equal(rows[1].columns["phase"], 2 * X[1, :2])


def test_inputs_alone_need_nothing_beside(tmp_path):
    np.save(tmp_path / "x_new.npy", X)
    assert [row.names for row in read_file(tmp_path / "x_new.npy", columns=frozenset(["x"]))] == [("x",)] * 3


SPLIT = {"X_train": X, "y_train": Y, "X_test": X[:2] + 100, "y_test": Y[:2], "X_val": X[:1] - 50, "y_val": Y[:1]}


def test_the_splits_of_one_file_are_read_by_name(tmp_path):
    np.savez(tmp_path / "Trace.npz", **SPLIT)
    parts = {"train": "Trace.npz", "valid": "Trace.npz", "test": "Trace.npz"}
    data = open_data(data_config(tmp_path, **parts, inputs=["x"], target="y", scale="none"))
    for part, x in ((data.train, X), (data.valid, X[:1] - 50), (data.test, X[:2] + 100)):
        np.testing.assert_array_equal(part.numbers.reshape(x.shape), x.astype(np.float32))


@pytest.mark.parametrize("names", ["{}_{}", "{}{}", "{}.{}"])
@pytest.mark.parametrize("turned", [False, True])
def test_splits_are_named_in_many_ways(tmp_path, names, turned):
    arrays = {
        names.format(*((split, column) if turned else (column, split))): array
        for split, array in (("train", X), ("test", X[:2] + 100))
        for column in ["x"]
    }
    np.savez(tmp_path / "a.npz", **arrays)
    assert len(read_file(tmp_path / "a.npz", split="train")) == 3
    for split in ("test", None):  # at prediction, the test data
        rows = read_file(tmp_path / "a.npz", split=split)
        assert [row.columns["x"][0] for row in rows] == [100.5, 104.5]


def test_a_split_that_is_not_there_is_an_error_and_one_alone_is_read_at_prediction(tmp_path):
    np.savez(tmp_path / "a.npz", X_train=X, y_train=Y)
    assert len(read_file(tmp_path / "a.npz")) == 3
    with pytest.raises(DataError, match=r"a.npz: no arrays of test \(there are X_train, y_train\): add them, or give"):
        read_file(tmp_path / "a.npz", split="test")
    np.savez(tmp_path / "b.npz", X_train=X, X_valid=X)
    with pytest.raises(DataError, match=r"b.npz: no arrays of test \(there are X_train, X_valid\)"):
        read_file(tmp_path / "b.npz")


def test_arrays_without_a_split_are_read_for_each(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    for split in ("train", "test", None):
        rows = read_file(tmp_path / "a.npz", split=split)
        assert [(*row.columns["x"][:1], row.columns["y"]) for row in rows] == [(0.5, "a"), (4.5, "b"), (8.5, "a")]


def test_one_value_per_sequence_may_have_an_axis_of_one(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.array([[3], [5], [3]]), z=np.array([["u"], ["v"], ["u"]]))
    assert [(row.columns["y"], row.columns["z"]) for row in read_file(tmp_path / "a.npz")] == [
        (3, "u"), (5, "v"), (3, "u"),
    ]  # fmt: skip
    data = open_data(data_config(tmp_path, train="a.npz", target={"column": "y", "kind": "category"}))
    assert data.schema.labels.names == (3, 5) and data.schema.layout.target.per == "sequence"


def test_missing_numbers_are_kept_for_the_policy(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.where(X == 1.5, np.nan, X), y=Y)
    assert np.isnan(read_file(tmp_path / "a.npz")[0].columns["x"]).tolist() == [False, True, False, False]
