"""Cutting sequences: nothing is lost or repeated, and every state is carried to the right window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_cli.data.batching.windows import cut, in_pieces, streams, whole

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=8).map(np.array)


def covered(windows, *, warm_up=False):
    """All steps of windows as pairs (sequence, step)."""
    return [
        (int(windows.sequences[m]), int(windows.starts[m] + step))
        for m in range(len(windows))
        if windows.warm_up[m] == warm_up
        for step in range(windows.lengths[m])
    ]


def all_steps(lengths):
    return sorted((s, t) for s, length in enumerate(lengths) for t in range(length))


@given(LENGTHS, st.integers(1, 20))
def test_windows_partition_every_sequence(lengths, window):
    windows = cut(lengths, window)
    assert sorted(covered(windows)) == all_steps(lengths)
    assert windows.lengths.max() <= window
    assert sorted(covered(whole(lengths))) == all_steps(lengths)


@given(LENGTHS, st.integers(1, 20), st.integers(1, 25))
def test_windows_begin_every_stride_until_one_reaches_the_end(lengths, window, stride):
    windows = cut(lengths, window, stride)
    expected = []
    for sequence, length in enumerate(lengths.tolist()):
        for start in range(0, length, stride):
            expected.append((sequence, start, min(window, length - start)))
            if start + window >= length:
                break
    places = zip(windows.sequences.tolist(), windows.starts.tolist(), windows.lengths.tolist(), strict=True)
    assert list(places) == expected
    if stride <= window:
        assert set(covered(windows)) == set(all_steps(lengths))


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6), st.integers(0, 12), st.randoms())
def test_streams_partition_every_sequence(lengths, window, count, warm_up, random):
    order = np.array(random.sample(range(len(lengths)), len(lengths)))
    plan = streams(lengths, window, count, order=order, warm_up=warm_up)
    assert sorted(covered(plan.windows)) == all_steps(lengths)
    assert plan.windows.lengths.min() >= 1
    assert plan.windows.lengths.max() <= window
    assert np.bincount(plan.batches).max() <= count


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6), st.integers(0, 12))
def test_a_state_is_carried_exactly_where_the_sequence_continues(lengths, window, count, warm_up):
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
    plan = streams(lengths, window, count, order=np.arange(len(lengths)), warm_up=2)
    carried = [(b, row) for b, row in zip(plan.batches, plan.carry, strict=True) if row >= 0]
    assert len(carried) == len(set(carried))


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6))
def test_each_batch_has_its_longest_window_first(lengths, window, count):
    plan = streams(lengths, window, count, order=np.arange(len(lengths)), warm_up=2)
    same = plan.batches[1:] == plan.batches[:-1]
    assert (np.diff(plan.windows.lengths)[same] <= 0).all()


def test_one_long_series_becomes_equal_streams():
    plan = streams(np.array([1000]), 10, 4, order=np.arange(1), warm_up=0)
    assert plan.batches[-1] + 1 == 25
    assert set(plan.windows.lengths) == {10}
    assert plan.windows.starts[:4].tolist() == [0, 250, 500, 750]


@pytest.mark.parametrize(("windows", "first"), [(1, 40), (3, 20), (5, 0), (9, 0)])
def test_warm_up_is_the_windows_before_a_stream(windows, first):
    plan = streams(np.array([100]), 10, 2, order=np.arange(1), warm_up=windows)
    assert sorted(covered(plan.windows, warm_up=True)) == [(0, t) for t in range(first, 50)]


def test_warm_up_does_not_reach_into_the_sequence_before():
    plan = streams(np.array([30, 95, 30]), 10, 3, order=np.arange(3), warm_up=10)
    warm = covered(plan.windows, warm_up=True)
    assert {sequence for sequence, _ in warm} == {1}
    assert min(step for _, step in warm) == 0
    assert sorted(covered(plan.windows)) == all_steps([30, 95, 30])


@given(LENGTHS, st.integers(1, 20), st.integers(1, 6), st.booleans())
def test_pieces_partition_whole_sequences_and_only_what_should_counts(lengths, piece, size, only_last):
    lengths = -np.sort(-lengths)
    bounds = np.array([*range(0, len(lengths), size), len(lengths)])
    plan = in_pieces(whole(lengths), bounds, piece, only_last=only_last)
    windows = plan.windows
    every = covered(windows) + covered(windows, warm_up=True)
    assert sorted(every) == all_steps(lengths)
    assert windows.lengths.max() <= piece
    last = windows.starts + windows.lengths == lengths[windows.sequences]
    assert (windows.warm_up == (~last if only_last else np.zeros(len(last), bool))).all()
    same = plan.batches[1:] == plan.batches[:-1]
    assert (np.diff(windows.lengths)[same] <= 0).all()
    first = np.searchsorted(plan.batches, np.arange(plan.batches[-1] + 2))
    for m in range(len(windows)):
        assert (plan.carry[m] < 0) == (windows.starts[m] == 0)
        if plan.carry[m] >= 0:
            before = first[plan.batches[m] - 1] + plan.carry[m]
            assert plan.batches[before] == plan.batches[m] - 1
            assert windows.sequences[before] == windows.sequences[m]
            assert windows.starts[before] + windows.lengths[before] == windows.starts[m]


def test_short_sequences_are_not_cut():
    lengths = np.full(50, 7)
    plan = streams(lengths, 8, 4, order=np.arange(50), warm_up=2)
    assert set(plan.windows.lengths) == {7}
    assert (plan.carry == -1).all()
