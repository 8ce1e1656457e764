"""What is in an epoch: everything once, in an order that seed and epoch fix."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_cli.data import Batches, evaluation_batches, open_data, training_batches
from tests.support.data import data_config, numbered, open_text

SINGLE = ("mask", "numbers", "target", "weight")
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=30)
SETTINGS = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 7),
        "bucket": st.booleans(),
        "shuffle": st.booleans(),
        "window": st.sampled_from([None, 3, 10]),
        "carry_state": st.booleans(),
        "warm_up": st.integers(0, 3),
        "seed": st.integers(0, 3),
    }
)


def targets(batches, epoch=0):
    """The counted targets of an epoch; in `numbered` data every step has its own."""
    return np.concatenate([batch.target[:, 0] for batch in batches.epoch(epoch)])


def same(one, other):
    for field in fields(one):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if isinstance(first, dict):
            assert first.keys() == second.keys()
            assert all((first[name] == second[name]).all() for name in first)
        else:
            assert np.array_equal(first, second)


@given(LENGTHS, SETTINGS, st.integers(0, 2))
def test_every_step_counts_exactly_once_in_an_epoch(lengths, settings, epoch):
    dataset = numbered(lengths)
    assert sorted(targets(Batches(dataset, **settings), epoch)) == sorted(dataset.target[:, 0])


@given(LENGTHS, st.integers(1, 200), st.booleans(), st.booleans())
def test_every_step_counts_once_in_batches_by_steps_and_none_is_larger_than_it_must(lengths, steps, bucket, shuffle):
    dataset = numbered(lengths)
    batches = Batches(dataset, batch_steps=steps, bucket=bucket, shuffle=shuffle)
    assert sorted(targets(batches)) == sorted(dataset.target[:, 0])
    for batch in batches.epoch(0):
        assert batch.mask.size <= steps or len(batch.lengths) == 1


@given(LENGTHS, SETTINGS, st.data())
def test_starting_in_the_middle_gives_the_same_batches(lengths, settings, data):
    batches = Batches(numbered(lengths), **settings)
    start = data.draw(st.integers(0, batches.count(1)))
    rest = list(Batches(numbered(lengths), **settings).epoch(1, start=start))
    whole = list(batches.epoch(1))
    assert len(whole) == batches.count(1)
    for one, other in zip(rest, whole[start:], strict=True):
        same(one, other)


@given(LENGTHS, SETTINGS)
def test_arrays_are_what_kernels_take(lengths, settings):
    dataset = numbered(lengths)
    for batch in Batches(dataset, **settings).epoch(0):
        assert (np.diff(batch.lengths) <= 0).all()
        for field in fields(batch):
            value = getattr(batch, field.name)
            if isinstance(value, np.ndarray):
                kept = (dataset.numbers, dataset.target, dataset.lengths)
                assert value.flags.c_contiguous and value.flags.writeable
                assert not any(np.shares_memory(value, array) for array in kept)
                assert value.dtype == (np.float32 if field.name in SINGLE else np.int64)


@given(LENGTHS, SETTINGS)
def test_real_steps_come_back_out_of_the_padding(lengths, settings):
    dataset = numbered(lengths)
    for batch in Batches(dataset, **settings).epoch(0):
        for row, (sequence, start, length) in enumerate(zip(batch.sequences, batch.starts, batch.lengths, strict=True)):
            real = dataset[sequence].numbers[start : start + length]
            assert np.array_equal(batch.numbers[:length, row], real)
            assert not batch.numbers[length:, row].any()
            assert batch.mask[:, row].sum() == length
        steps, rows = np.divmod(batch.counted, len(batch.lengths))
        assert np.array_equal(batch.numbers[steps, rows], batch.target)


def test_order_differs_between_epochs_and_seeds_and_not_between_runs():
    dataset = numbered([5] * 40)

    def order(seed, epoch):
        return targets(Batches(dataset, batch_size=4, seed=seed), epoch).tolist()

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6


def test_who_is_together_differs_between_epochs_even_when_bucketed():
    lengths = np.random.default_rng(0).integers(1, 40, 500)
    batches = Batches(numbered(lengths), batch_size=8)
    companions = [{tuple(sorted(batch.sequences)) for batch in batches.epoch(epoch)} for epoch in range(2)]
    assert not companions[0] & companions[1]


def test_bucketing_wastes_less():
    lengths = np.random.default_rng(0).integers(1, 100, 2000)
    waste = {bucket: Batches(numbered(lengths), batch_size=16, bucket=bucket).waste() for bucket in (True, False)}
    assert waste[True] < 0.05 < 0.4 < waste[False]


def test_the_largest_batch_is_found():
    batches = Batches(numbered([3, 3, 3, 50, 2]), batch_size=2, bucket=False, shuffle=False)
    assert batches.largest().lengths.tolist() == [50, 3]
    assert batches.most_steps() == 100
    carried = Batches(numbered([100]), batch_size=4, window=10, carry_state=True).largest()
    assert (carried.carry == -1).all()


def test_without_shuffling_and_bucketing_the_order_is_that_of_the_data():
    batches = Batches(numbered([3, 5, 2, 4]), batch_size=2, bucket=False, shuffle=False)
    assert [sorted(batch.sequences) for batch in batches.epoch(0)] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("normalize", ["step", "sequence"])
def test_the_total_is_the_sum_of_weights_or_the_number_of_sequences(normalize):
    weights = [np.array([1, 0, 2], np.float32), np.array([0.5, 0.5], np.float32)]
    (batch,) = Batches(numbered([3, 2], weights), batch_size=2, normalize=normalize).epoch(0)
    assert batch.loss_divisor == (4 if normalize == "step" else 2)
    assert sorted(batch.weight) == [0.5, 0.5, 1, 2]


def test_what_counts_nowhere_is_left_out_but_for_states_that_flow_through_it():
    weights = [np.ones(4, np.float32), np.zeros(6, np.float32)]
    alone = list(Batches(numbered([4, 6], weights), batch_size=1).epoch(0))
    assert [batch.sequences.tolist() for batch in alone] == [[0]]
    weights = [np.array([0] * 4 + [1] * 2, np.float32)]
    first, second, third = Batches(numbered([6], weights), batch_size=1, window=2, carry_state=True).epoch(0)
    assert (len(first.counted), len(second.counted), len(third.counted)) == (0, 0, 2)
    assert (first.loss_divisor, first.target.shape) == (0, (0, 1))


def test_a_text_is_trained_on_in_streams_and_evaluated_as_one(tmp_path):
    text = "abcdefghij" * 20
    given = data_config(tmp_path, {"train": {"batch_size": 4}}, train="train.txt", window=10, carry_state=True)
    data = open_text(tmp_path, text, {"train": {"batch_size": 4}}, window=10, carry_state=True)
    trained = list(training_batches(given, data.train).epoch(0))
    assert [batch.mask.shape for batch in trained] == [(10, 4)] * 5
    (batch,) = evaluation_batches(given, data.train).epoch(0)
    assert (batch.lengths.tolist(), len(batch.counted)) == ([199], 199)
    for batch in trained:
        steps, rows = np.divmod(batch.counted, 4)
        follower = (batch.tokens["text"][steps, rows] % 10) + 1
        assert np.array_equal(batch.target, follower)


def test_backward_layers_are_evaluated_on_whole_sequences(tmp_path):
    rows = "".join(f"{t % 7},{t % 3}\n" for t in range(50))
    (tmp_path / "a.csv").write_text("x,y\n" + rows)
    given = data_config(
        tmp_path, {"model": {"bidirectional": True}}, train="a.csv", inputs=["x"], target="y", window=10
    )
    (batch,) = evaluation_batches(given, open_data(given).train).epoch(0)
    assert batch.lengths.tolist() == [50]


@pytest.mark.parametrize("settings", [{}, {"window": 3}, {"window": 3, "carry_state": True}, {"bucket": False}])
@pytest.mark.parametrize("size", [{"batch_size": 4}, {"batch_steps": 9}])
def test_no_sequences_make_no_batches(settings, size):
    batches = Batches(numbered([]), **size, **settings)
    assert (list(batches.epoch(0)), batches.count(0), batches.waste()) == ([], 0, 1)
