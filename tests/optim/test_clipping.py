import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.optim.build import build
from lstm_cli.optim.clipping import bounds, measure
from tests.support.ops import compiled
from tests.support.optim import optimizer_section

SEGMENTS = [("W", 0, 20_000), ("b", 20_000, 20_003), ("empty", 20_003, 20_003), ("V", 20_003, 20_010)]
SIZE = 20_010


def gradient_of(scale=1.0, dtype="float64"):
    return (scale * np.random.default_rng(0).normal(size=SIZE)).astype(dtype)


def reference(gradient, clip_norm=None, clip_norm_each=None, clip_value=None):
    """The three kinds of clipping one after the other, as they are documented."""
    gradient = gradient.astype(np.float64)
    if clip_value is not None:
        gradient = np.clip(gradient, -clip_value, clip_value)
    if clip_norm_each is not None:
        for _, start, stop in SEGMENTS:
            norm = np.linalg.norm(gradient[start:stop])
            gradient[start:stop] *= min(clip_norm_each, norm) / (norm + 1e-6)
    if clip_norm is not None and np.linalg.norm(gradient) > clip_norm:
        gradient *= clip_norm / np.linalg.norm(gradient)
    return gradient


def one_step(gradient, **clips):
    """Return the norm that the loop sees, and the clipped gradient, from a step of gradient descent."""
    spec = optimizer_section("sgd", **{"clip_norm": None, **clips})
    flat = pytensor.shared(np.zeros(SIZE, gradient.dtype))
    buffer, rate = pytensor.shared(gradient), pt.scalar(dtype=gradient.dtype)
    optimizer = build(spec, flat, buffer, rate, SEGMENTS)
    norm = compiled([], optimizer.gradient_norm, updates=optimizer.measurement)()
    compiled([rate], [], updates=optimizer.updates)(np.asarray(1, gradient.dtype))
    np.testing.assert_array_equal(buffer.get_value(), gradient)
    return norm, -flat.get_value()


@pytest.mark.parametrize(
    "clips",
    [
        {},
        {"clip_norm": 5.0},
        {"clip_norm": 1e3},
        {"clip_norm_each": 2.0},
        {"clip_value": 0.5},
        {"clip_norm": 3.0, "clip_norm_each": 2.0, "clip_value": 0.5},
        {"clip_norm": 1e3, "clip_norm_each": 1e3, "clip_value": 1e3},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_is_what_it_says(clips, dtype):
    gradient = gradient_of(dtype=dtype)
    norm, clipped = one_step(gradient, **clips)
    np.testing.assert_allclose(norm, np.linalg.norm(gradient.astype(np.float64)), rtol=1e-12)
    np.testing.assert_allclose(clipped, reference(gradient, **clips), rtol=1e-6 if dtype == "float32" else 1e-12)


def test_a_gradient_of_zeros_stays():
    norm, clipped = one_step(np.zeros(SIZE), clip_norm=1.0, clip_norm_each=1.0)
    assert norm == 0 and (clipped == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 16_383, 20_001, SIZE - 1])
def test_the_norm_is_not_finite_where_the_gradient_is_not(bad, place):
    gradient = gradient_of(dtype="float32")
    gradient[place] = bad
    assert not np.isfinite(one_step(gradient, clip_value=1.0, clip_norm=5.0)[0])


def test_the_norm_of_huge_numbers_is_no_false_alarm():
    assert np.isfinite(one_step(np.full(SIZE, 1e30, np.float32))[0])


def test_the_norm_does_not_depend_on_the_threads():
    gradient, before, norms = gradient_of(dtype="float32"), threads(), []
    vector = pt.fvector()
    function = compiled([vector], measure(vector, SEGMENTS, clip_norm=1.0))
    try:
        for count in (1, before):
            set_threads(count)
            norms.append(function(gradient))
    finally:
        set_threads(before)
    assert norms[0][0] == norms[1][0]
    np.testing.assert_array_equal(norms[0][1], norms[1][1])


def test_segments_follow_one_another():
    assert bounds(SEGMENTS) == (0, 20_000, 20_003, 20_003, 20_010)
    with pytest.raises(ValueError, match="segments must adjoin, but W stops at 3 and the next starts at 4"):
        bounds([("W", 0, 3), ("b", 4, 5)])


def test_the_state_is_named():
    optimizer = build(optimizer_section("nadam"), pytensor.shared(np.zeros(SIZE)), pt.dvector(), pt.dscalar(), SEGMENTS)
    assert list(optimizer.state) == ["m", "v", "step", "product"]
