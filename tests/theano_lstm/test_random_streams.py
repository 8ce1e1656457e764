"""What Theano's two classes of random streams offer beside the draws themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lstm_cli import theano
from lstm_cli.theano.sandbox.rng_mrg import MRG_RandomStreams
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

T = theano.tensor


def drawn(*variables):
    return theano.function([], list(variables))()


def test_the_old_arguments_of_streams():
    old = MRG_RandomStreams(seed=4, use_cuda=False)
    new = MRG_RandomStreams(4)
    draws = [
        old.uniform(size=(2, 3), low=-1.0, high=1.0, ndim=2, dtype="float32", nstreams=8),
        old.normal(size=(2, 3), avg=0.0, std=1.0, ndim=2, dtype="float32", nstreams=8),
        old.binomial(size=(2, 3), n=1, p=0.5, ndim=2, dtype="int8", nstreams=8),
        old.multinomial(size=None, n=1, pvals=np.full((2, 3), 1 / 3), ndim=2, dtype="int32", nstreams=8),
    ]
    same = [
        new.uniform((2, 3), -1.0, 1.0),
        new.normal((2, 3)),
        new.binomial((2, 3)),
        new.multinomial(pvals=[[1, 1, 1]] * 2),
    ]
    got, expected = drawn(*draws), drawn(*same)
    assert [str(value.dtype) for value in got] == ["float32", "float32", "int8", "int32"]
    for value, other in zip(got, expected, strict=True):
        assert_allclose(value, other, rtol=1e-6)
    assert old.n_streams((2, 3)) == 1


def test_only_the_stream_of_mrg_has_a_seed_of_its_own():
    assert_array_equal(drawn(MRG_RandomStreams().uniform((3,))), drawn(MRG_RandomStreams(12345).uniform((3,))))
    assert (drawn(RandomStreams().uniform((3,)))[0] != drawn(RandomStreams().uniform((3,)))[0]).all()


def test_the_state_of_a_stream_is_read_and_set():
    """As scripts do that repeat a draw, or let two graphs draw the same."""
    streams, others = RandomStreams(1), RandomStreams(2)
    x, y = streams.uniform((3,)), others.uniform((3,))
    draw, other = theano.function([], x), theano.function([], y)
    state = x.rng.get_value(borrow=True)
    first, second = draw(), draw()
    x.rng.set_value(state, borrow=True)
    assert_array_equal(draw(), first)
    for (held, _), (copied, _) in zip(streams.state_updates, others.state_updates, strict=True):
        copied.set_value(held.get_value())
    assert_array_equal(other(), second)
    assert x.update == streams.updates()[0] == streams.state_updates[0]


def test_draws_without_updates_are_repeated():
    x = RandomStreams(3).normal((2,))
    draw = theano.function([], x, no_default_updates=True)
    assert_array_equal(draw(), draw())


def test_the_number_of_axes_serves_where_the_length_of_the_size_is_unknown():
    size = T.lvector()
    x = RandomStreams(3).uniform(size, ndim=2)
    assert theano.function([size], x)([2, 3]).shape == (2, 3)
    with pytest.raises(TypeError, match="size: its length must be known; give ndim"):
        RandomStreams(3).uniform(size)


def test_no_choice_is_made_twice():
    streams = RandomStreams(5)
    some = streams.choice(size=(2, 3), a=6, replace=False)
    weighted = streams.choice(size=3, a=np.array([10, 20, 30, 40]), replace=False, p=np.array([0.2, 0.0, 0.4, 0.4]))
    rows = streams.choice(size=2, replace=False, p=np.array([[0.0, 0.5, 0.5], [0.9, 0.1, 0.0]]))
    same = streams.multinomial_wo_replacement(n=2, pvals=np.array([[0.0, 0.5, 0.5], [0.9, 0.1, 0.0]]))
    for _ in range(5):
        one, other, by_row, by_row_too = drawn(some, weighted, rows, same)
        assert_array_equal(np.sort(one.ravel()), range(6))
        assert sorted(other) == [10, 30, 40]
        assert_array_equal(np.sort(by_row, axis=1), [[1, 2], [0, 1]])
        assert_array_equal(np.sort(by_row_too, axis=1), [[1, 2], [0, 1]])


def test_choices_without_repeats_follow_their_probabilities():
    """The first of two from (0.5, 0.3, 0.2) is the most likely one in half of the draws."""
    p = np.tile([0.5, 0.3, 0.2], (6000, 1))
    (chosen,) = drawn(RandomStreams(6).choice(size=1, replace=False, p=p))
    assert_allclose(np.bincount(chosen[:, 0]) / 6000, [0.5, 0.3, 0.2], atol=0.03)


def test_truncated_normal_numbers():
    streams = MRG_RandomStreams(7)
    both = drawn(streams.truncated_normal((4000,), avg=1.0, std=2.0), streams.normal((4000,), 1.0, 2.0, truncate=True))
    for x in both:
        assert abs(x - 1).max() <= 4
        assert_allclose([x.mean(), x.std()], [1, 2 * 0.8796], atol=0.1)  # 0.8796: scipy.stats.truncnorm(-2, 2).std()


def test_rows_are_shuffled_by_their_permutation():
    x = np.arange(12.0).reshape(3, 4)
    shuffled = RandomStreams(8).shuffle_row_elements(T.as_tensor_variable(x))
    rows, order = drawn(shuffled, shuffled.permutation)
    assert_array_equal(rows, np.take_along_axis(x, order, axis=1))
