"""Missing values: which cells they are, what is filled in, and which targets do not count."""

import numpy as np
import pytest

from lstm_cli.data.formats.missing import MissingValues


@pytest.mark.parametrize(
    "cell", [None, "", " ", "NA", "N/A", " NaN ", "nan", "null", "?", float("nan"), np.float32("nan")]
)
def test_what_is_missing_by_default(cell):
    assert MissingValues().is_missing(cell)


@pytest.mark.parametrize("cell", ["0", 0, 0.0, False, "na", "NULL", "none", "-", "inf", float("inf"), [], 10**400])
def test_what_is_not_missing_by_default(cell):
    assert not MissingValues().is_missing(cell)


def test_a_list_replaces_the_default_and_numbers_are_compared_as_numbers():
    missing = MissingValues((-200, "x", "-9"))
    found = [
        cell
        for cell in [-200, -200.0, "-200", "-200.0", "-2e2", "x ", "X", "", "NA", -9, "-9.0", None]
        if missing.is_missing(cell)
    ]
    assert found == [-200, -200.0, "-200", "-200.0", "-2e2", "x ", -9, "-9.0", None]
    np.testing.assert_array_equal(
        missing.blanked(np.array([[-200.0, 1], [np.nan, -9]])), [[np.nan, 1], [np.nan, np.nan]]
    )
    np.testing.assert_array_equal(missing.among(["-200", "1", ""]), [True, False, False])
