import numba
import numpy as np
import pytest

from lstm_cli.kernels.simd.scalar import exp_nonpositive, larger, log1p_unit


@numba.njit
def exponentials(x, y):
    for i in range(x.size):
        y[i] = exp_nonpositive(x[i])


@numba.njit
def logarithms(x, y):
    for i in range(x.size):
        y[i] = log1p_unit(x[i])


@numba.njit
def largest(x):
    result = x[0]
    for i in range(x.size):
        result = larger(result, x[i])
    return result


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-7), ("float64", 1e-15)])
def test_exponential_is_accurate_to_the_last_bit_or_so(dtype, tolerance):
    x = np.concatenate([np.linspace(-87.3, 0, 200_001), -np.logspace(-12, 0, 10_001)]).astype(dtype)
    y = np.empty_like(x)
    exponentials(x, y)
    assert np.abs(y / np.exp(x.astype(np.longdouble)) - 1).max() < tolerance


def test_exponential_ends_in_a_tiny_normal_number():
    x = np.array([-88, -1e4, -3e38], np.float32)
    y = np.empty_like(x)
    exponentials(x, y)
    assert (y >= np.finfo(np.float32).tiny).all() and (y < 2e-38).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-7), ("float64", 1e-15)])
def test_logarithm_is_accurate_where_its_result_is_tiny_too(dtype, tolerance):
    u = np.concatenate([np.linspace(1e-6, 1, 200_001), np.logspace(-38, 0, 10_001)]).astype(dtype)
    y = np.empty_like(u)
    logarithms(u, y)
    assert np.abs(y / np.log1p(u.astype(np.longdouble)) - 1).max() < tolerance


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_larger(dtype):
    x = np.random.default_rng(0).normal(size=101).astype(dtype)
    assert largest(x) == x.max()
