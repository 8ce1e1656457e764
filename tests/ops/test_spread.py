"""Curves that never cross, and the losses of quantiles and of Gaussians, beside their formulas in float64."""

from statistics import NormalDist

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.ops.spread import gaussian_loss, ordered, pinball_loss
from tests.support.ops import check_gradient, compiled

LEVELS = (0.05, 0.25, 0.5, 0.9)


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def evaluated(loss, *arrays):
    """Return loss, losses and gradient of a function of output, target and weight."""
    types = [pt.tensor(dtype=str(array.dtype), shape=(None,) * array.ndim) for array in arrays]
    total, each = loss(*types)
    return compiled(types, [total, each, pytensor.grad(total, types[0])])(*arrays)


def case(curves, *, rows=7, values=3, dtype="float64"):
    rng = np.random.default_rng(curves)
    output = np.sort(rng.normal(size=(rows, curves, values)), axis=1).reshape(rows, -1)
    return (array.astype(dtype) for array in (output, rng.normal(size=(rows, values)), rng.uniform(0.1, 2, rows)))


@pytest.mark.parametrize("middle", [0, 2, 3])
def test_curves_are_sums_of_softplus_from_the_middle_one(middle):
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    expected = np.empty_like(x)
    for k in range(4):
        between = range(middle + 1, k + 1) if k > middle else range(k, middle)
        sign = 1 if k > middle else -1
        expected[:, k] = x[:, middle] + sign * sum((0.01 + softplus(x[:, j]) for j in between), np.zeros((2, 3)))
    variable = pt.matrix(dtype="float64")
    found = compiled([variable], ordered(variable, curves=4, middle=middle, floor=0.01))(x.reshape(2, -1))
    np.testing.assert_allclose(found, expected.reshape(2, -1), rtol=1e-12)
    check_gradient(lambda x: ordered(x, curves=4, middle=middle, floor=0.01), x.reshape(2, -1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_curves_never_cross(dtype):
    x = np.random.default_rng(1).normal(size=(1000, 15)) * np.geomspace(1e-3, 1e6, 1000)[:, np.newaxis]
    variable = pt.matrix(dtype=dtype)
    found = compiled([variable], ordered(variable, curves=5, middle=2))(x.astype(dtype)).reshape(1000, 5, 3)
    assert np.isfinite(found).all() and (np.diff(found, axis=1) >= 0).all()


@pytest.mark.parametrize("levels", [LEVELS, (0.5,)], ids=str)
def test_the_pinball_loss_is_its_formula(levels):
    output, target, weight = case(len(levels))
    loss, losses, gradient = evaluated(lambda *given: pinball_loss(*given, levels=levels), output, target, weight)
    error = target[:, np.newaxis] - output.reshape(7, len(levels), 3)
    p = np.array(levels)[:, np.newaxis]
    each = np.where(error >= 0, p * error, (p - 1) * error)
    np.testing.assert_allclose(losses, each.mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(loss, np.dot(weight, losses), rtol=1e-12)
    slopes = np.where(error > 0, -np.array(levels)[:, None], 1 - np.array(levels)[:, None]) / error[0].size
    np.testing.assert_allclose(gradient, (slopes * weight[:, None, None]).reshape(7, -1), rtol=1e-12)


def test_the_best_constant_is_the_quantile():
    """Of all levels at once, as curves do not depend on each other here."""
    target, levels = np.random.default_rng(2).gamma(2.0, size=(501, 1)), (0.1, 0.5, 0.8)
    grid = np.linspace(0, 8, 401)
    output, weight = (pt.tensor(dtype="float64", shape=(None,) * ndim) for ndim in (2, 1))
    slope = pytensor.grad(pinball_loss(output, pt.constant(target), weight, levels=levels)[0], output).sum(axis=0)
    slopes_at = compiled([output, weight], slope)
    slopes = np.array([slopes_at(np.full((501, 3), q), np.ones(501)) for q in grid])
    best = grid[(slopes < 0).sum(axis=0)]  # where the loss no longer falls
    np.testing.assert_allclose(best, np.quantile(target, levels), atol=0.03)


def test_the_likelihood_is_that_of_a_gaussian():
    output, target, weight = case(2)
    loss, losses, _ = evaluated(gaussian_loss, output, target, weight)
    mean, above = output.reshape(7, 2, 3).swapaxes(0, 1)
    expected = [
        [-np.log(NormalDist(m, a - m).pdf(y)) for y, m, a in zip(*row, strict=True)]
        for row in zip(target, mean, above, strict=True)
    ]
    np.testing.assert_allclose(losses, np.mean(expected, axis=1), rtol=1e-10)
    np.testing.assert_allclose(loss, np.dot(weight, losses), rtol=1e-12)


def test_gradients_of_the_losses():
    output, target, weight = case(4)
    fixed = [pt.constant(target), pt.constant(weight)]
    check_gradient(lambda x: pinball_loss(x, *fixed, levels=LEVELS)[0], output)
    output, target, weight = case(2)
    fixed = [pt.constant(target), pt.constant(weight)]
    check_gradient(lambda x: gaussian_loss(x, *fixed)[0], output)


@pytest.mark.parametrize(("loss", "curves"), [(lambda *g: pinball_loss(*g, levels=LEVELS), 4), (gaussian_loss, 2)])
def test_what_does_not_fit_or_is_not_finite_shows(loss, curves):
    output, target, weight = case(curves, dtype="float32")
    output[1, 0] = np.nan
    total, losses, gradient = evaluated(loss, output.copy(), target, weight)
    assert np.isnan(losses[1]) and np.isnan(total) and np.isfinite(np.delete(losses, 1)).all()
    assert np.isnan(gradient[1]).any() and np.isfinite(np.delete(gradient, 1, axis=0)).all()
    with pytest.raises(ValueError, match="curves of"):
        evaluated(loss, output[:, 1:].copy(), target, weight)
    empty = evaluated(loss, output[:0].copy(), target[:0].copy(), weight[:0].copy())
    assert empty[0] == 0 and empty[2].shape == output[:0].shape
