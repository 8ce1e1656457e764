"""Cutting sequences: nothing is lost, nothing comes twice, no state goes astray."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_cli.sequences.windows import cut, streams, whole

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=8).map(np.array)


def covered(windows, *, warm_up=False):
    """All steps of windows as pairs (sequence, step)."""
    return [
        (int(windows.sequences[m]), int(windows.starts[m] + step))
        for m in range(len(windows))
        if windows.warm_up[m] == warm_up
        for step in range(windows.lengths[m])
    ]


def steps_of(lengths):
    return sorted((s, t) for s, length in enumerate(lengths) for t in range(length))


@given(LENGTHS, st.integers(1, 20))
def test_windows_partition_every_sequence(lengths, window):
    windows = cut(lengths, window)
    assert sorted(covered(windows)) == steps_of(lengths)
    assert windows.lengths.max() <= window
    assert sorted(covered(whole(lengths))) == steps_of(lengths)


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6), st.booleans(), st.randoms())
def test_streams_partition_every_sequence(lengths, window, count, warm_up, random):
    order = np.array(random.sample(range(len(lengths)), len(lengths)))
    plan = streams(lengths, window, count, order=order, warm_up=warm_up)
    assert sorted(covered(plan.windows)) == steps_of(lengths)
    assert plan.windows.lengths.min() >= 1
    assert plan.windows.lengths.max() <= window
    assert np.bincount(plan.batches).max() <= count


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6), st.booleans())
def test_a_state_goes_on_exactly_where_the_sequence_does(lengths, window, count, warm_up):
    plan = streams(lengths, window, count, order=np.arange(len(lengths)), warm_up=warm_up)
    windows, bounds = plan.windows, np.searchsorted(plan.batches, np.arange(plan.batches[-1] + 2))
    for m in range(len(windows)):
        batch = plan.batches[m]
        if plan.carry[m] < 0:
            assert windows.starts[m] == 0 or windows.warm_up[m] or not warm_up
            continue
        before = bounds[batch - 1] + plan.carry[m]
        assert plan.batches[before] == batch - 1
        assert windows.sequences[before] == windows.sequences[m]
        assert windows.starts[before] + windows.lengths[before] == windows.starts[m]


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6))
def test_no_state_is_carried_twice(lengths, window, count):
    plan = streams(lengths, window, count, order=np.arange(len(lengths)), warm_up=True)
    carried = [(b, row) for b, row in zip(plan.batches, plan.carry, strict=True) if row >= 0]
    assert len(carried) == len(set(carried))


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6))
def test_each_batch_has_its_longest_window_first(lengths, window, count):
    plan = streams(lengths, window, count, order=np.arange(len(lengths)), warm_up=True)
    same = plan.batches[1:] == plan.batches[:-1]
    assert (np.diff(plan.windows.lengths)[same] <= 0).all()


def test_one_long_series_becomes_equal_streams():
    plan = streams(np.array([1000]), 10, 4, order=np.arange(1), warm_up=False)
    assert plan.batches[-1] + 1 == 25
    assert set(plan.windows.lengths) == {10}
    assert plan.windows.starts[:4].tolist() == [0, 250, 500, 750]


def test_warm_up_is_the_window_before_a_stream():
    plan = streams(np.array([100]), 10, 2, order=np.arange(1), warm_up=True)
    assert covered(plan.windows, warm_up=True) == [(0, t) for t in range(40, 50)]


def test_short_sequences_are_not_cut():
    lengths = np.full(50, 7)
    plan = streams(lengths, 8, 4, order=np.arange(50), warm_up=True)
    assert set(plan.windows.lengths) == {7}
    assert (plan.carry == -1).all()
