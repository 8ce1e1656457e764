"""Variables in conditions of Python."""

import pytest

from lstm_cli import theano

T = theano.tensor


def test_a_variable_is_true():
    x, shared = T.vector(), theano.shared(0.0)
    assert bool(x) and bool(shared) and bool(x + 1) and bool(T.constant(0)) and not bool(None)


def test_a_comparison_has_no_value_yet():
    x = T.scalar()
    for compared in (x < 1, x >= 1):
        with pytest.raises(TypeError, match="Variables do not support boolean operations"):
            bool(compared)
    with pytest.raises(TypeError, match="no value before its function is called"):
        0 < x < 1
