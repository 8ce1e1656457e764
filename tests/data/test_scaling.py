"""Scaling fitted piece by piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.errors import DataError
from tests.support.data import open_jsonl

VALUES = arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-1e6, 1e6, width=32))


@given(VALUES, st.sampled_from(["none", "standard", "minmax"]), st.integers(1, 5))
def test_scaling_round_trips_and_does_not_depend_on_the_pieces(values, method, pieces):
    scaling = Scaling.fit(method, np.array_split(values, pieces), 2)
    whole = Scaling.fit(method, [values], 2)
    np.testing.assert_allclose(scaling.center, whole.center, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(scaling.undo(scaling.apply(values)), values, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_standard_has_mean_0_and_deviation_1_and_minmax_lies_in_0_to_1(offset):
    values = np.random.default_rng(0).normal(size=(100, 3)) + offset
    standard = Scaling.fit("standard", np.array_split(values, 7), 3).apply(values)
    np.testing.assert_allclose([standard.mean(axis=0), standard.std(axis=0)], [[0] * 3, [1] * 3], atol=1e-6)
    minmax = Scaling.fit("minmax", np.array_split(values, 7), 3).apply(values)
    np.testing.assert_allclose([minmax.min(axis=0), minmax.max(axis=0)], [[0] * 3, [1] * 3])


@pytest.mark.parametrize("method", ["standard", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_constant_column_becomes_0(method, value):
    values = np.full((50, 1), value)
    assert not Scaling.fit(method, np.array_split(values, 3), 1).apply(values).any()


def test_a_scaling_survives_json():
    scaling = Scaling.fit("standard", [np.random.default_rng(0).normal(size=(9, 4))], 4)
    again = Scaling.from_json(scaling.to_json())
    assert (again.center == scaling.center).all()
    assert (again.spread == scaling.spread).all()


def test_numbers_whose_squares_are_beyond_float64_are_reported(tmp_path):
    rows = [{"x": [[1e300], [-1e300]], "y": 0}, {"x": [[1.0]], "y": 1}]
    with pytest.raises(DataError, match="column x: its numbers are too large for data"):
        open_jsonl(tmp_path, rows, inputs=["x"], target="y", scale="standard")
