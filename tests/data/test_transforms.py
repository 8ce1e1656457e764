"""Logarithms and differences, and their way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lstm_cli.data.formats.raw import ValueProblem
from lstm_cli.data.schema.preprocessing import Chain, Trail, Transform

LOG, DIFFERENCE = Transform("log"), Transform("difference", 1)
CHAINS = st.lists(st.integers(1, 4).map(lambda lag: Transform("seasonal_difference", lag)), max_size=3).flatmap(
    lambda links: st.sampled_from([Chain(tuple(links)), Chain((LOG, *links))])
)
VALUES = arrays(np.float64, st.tuples(st.integers(13, 30), st.just(2)), elements=st.floats(0.5, 100))


@given(CHAINS, VALUES)
def test_undoing_a_chain_gives_the_values_back(chain, values):
    steps = np.arange(chain.lag, len(values))
    restored = chain.undo(chain.apply(values)[:, np.newaxis], chain.past(values), steps)
    np.testing.assert_allclose(restored[:, 0], values[chain.lag :], rtol=1e-9)


@given(CHAINS, VALUES, st.integers(1, 9))
def test_several_steps_at_once_are_undone_from_the_values_before_the_first(chain, values, horizon):
    horizon = min(horizon, len(values) - chain.lag)
    steps = np.arange(chain.lag, len(values) - horizon + 1)
    outputs = np.stack([chain.apply(values)[step - chain.lag :][:horizon] for step in steps])
    for n, step in enumerate(steps):  # nothing from the first predicted step on is known
        known = values.copy()
        known[step:] = np.nan
        with np.errstate(invalid="ignore"):
            restored = chain.undo(outputs[n : n + 1], chain.past(known), steps[n : n + 1])
        np.testing.assert_allclose(restored[0], values[step : step + horizon], rtol=1e-7)


@given(CHAINS, VALUES, st.integers(1, 10))
def test_appending_one_by_one_continues_the_past(chain, values, count):
    count = min(count, len(values) - chain.lag)
    known, outputs = values[: len(values) - count], chain.apply(values)[-count:]
    trail = Trail(chain, known)
    np.testing.assert_allclose([trail.append(output) for output in outputs], values[-count:], rtol=1e-7)


def test_the_airline_chain_step_by_step():
    values = np.exp(np.arange(20.0) ** 2 / 40)[:, None]
    chain = Chain((LOG, DIFFERENCE, Transform("seasonal_difference", 12)))
    difference = np.diff(np.arange(20.0) ** 2 / 40)
    np.testing.assert_allclose(chain.apply(values)[:, 0], difference[12:] - difference[:-12])
    assert (chain.lag, chain.shortest_lag) == (13, 1)


def test_a_value_without_logarithm_is_named_by_its_step():
    values = np.array([[3.0], [2.0], [5.0], [4.0]])
    with pytest.raises(ValueProblem, match="log of -1") as caught:
        Chain((DIFFERENCE, LOG)).apply(values)
    assert caught.value.step == 1


def test_a_forecast_too_large_for_a_float_is_infinite_and_no_error():
    assert Trail(Chain((LOG,)), np.ones((1, 1))).append(np.array([1e4]))[0] == np.inf
