"""The blocks in which the numbers of many sequences are looked at."""

import numpy as np
import pytest

from lstm_cli.data.schema import blocks as module
from lstm_cli.data.schema.blocks import blocks


@pytest.mark.parametrize("lengths", [[], [0], [3], [25], [4, 4, 4, 0, 1], [1, 23, 9, 10, 2]])
def test_blocks_are_the_rows_in_order_and_of_bounded_size(lengths, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 10)
    values = np.arange(2 * sum(lengths)).reshape(-1, 2)
    found = list(blocks(np.split(values, np.cumsum(lengths)[:-1]) if lengths else []))
    assert all(1 <= len(block) <= 10 for block in found)
    assert len(found) <= 2 * sum(lengths) // 10 + 1
    np.testing.assert_array_equal(np.concatenate([values[:0], *found]), values)
