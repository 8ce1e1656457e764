"""The states that a batch starts from."""

import numpy as np
import pytensor.tensor as pt
import pytest

from lstm_cli.ops.initial import initial_states
from tests.support.ops import check_gradient, compiled, ops_of

WIDTHS = (2, 2, 3)


def random_inputs(dtype="float64"):
    rng = np.random.default_rng(0)
    state, fresh = rng.normal(size=(4, 7)), np.array([1, 0, 1, 0])
    return [array.astype(dtype) for array in (state, fresh, rng.normal(size=4), rng.normal(size=3))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("learned", [True, False])
def test_fresh_sequences_start_from_what_is_learned_others_from_their_state(dtype, learned):
    arrays = random_inputs(dtype)
    arrays = arrays if learned else arrays[:2]
    symbols = [pt.tensor(dtype=dtype, shape=(None,) * array.ndim) for array in arrays]
    states = compiled(symbols, initial_states(symbols[0], symbols[1], WIDTHS, symbols[2:]))(*arrays)
    state, fresh = arrays[:2]
    expected = state + fresh[:, None] * np.concatenate(arrays[2:]) if learned else state
    np.testing.assert_array_equal(np.concatenate(states, axis=1), expected)
    assert all(array.flags.c_contiguous and array.dtype == dtype for array in states)


def test_gradient():
    state, fresh, *learned = random_inputs()
    check_gradient(lambda *learned: pt.concatenate(initial_states(state, fresh, WIDTHS, learned), axis=1), *learned)


def test_gradient_where_not_every_state_is_used():
    state, fresh, *learned = random_inputs()
    check_gradient(lambda *learned: initial_states(state, fresh, WIDTHS, learned)[1], *learned)


def test_it_is_one_op():
    symbols = [pt.matrix(), pt.vector(), pt.vector(), pt.vector()]
    assert len(ops_of(compiled(symbols, initial_states(symbols[0], symbols[1], WIDTHS, symbols[2:])))) == 1


def test_states_of_another_model_are_refused():
    state, fresh, *_ = random_inputs()
    symbols = [pt.dmatrix(), pt.dvector()]
    function = compiled(symbols, initial_states(*symbols, (2, 2), []))
    with pytest.raises(ValueError, match=r"states of shape \(4, 7\), expected \(4, 4\)"):
        function(state, fresh)
