"""The output of an ensemble against the mean of its members' predictions in numpy."""

import numpy as np
import pytensor.tensor as pt
import pytest

from lstm_cli.graph.ensemble import mean
from lstm_cli.ops.mode import compiled

RNG = np.random.default_rng(5)
OUTPUTS = [RNG.normal(scale=4, size=(7, 3)) for _ in range(4)]


def softmax(y):
    shares = np.exp(y - y.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def sigmoid(y):
    return 1 / (1 + np.exp(-y))


PREDICTIONS = {"category": softmax, "set": sigmoid, "number": lambda y: y}


def of_ensemble(kind, outputs):
    variables = [pt.matrix(dtype=each.dtype) for each in outputs]
    (found,) = compiled(variables, [mean(kind, variables)])(*outputs)
    return found


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_predicts_the_mean_of_its_members(kind):
    predict = PREDICTIONS[kind]
    expected = np.mean([predict(each) for each in OUTPUTS], axis=0)
    np.testing.assert_allclose(predict(of_ensemble(kind, OUTPUTS)), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_keeps_the_precision(kind):
    assert of_ensemble(kind, [each.astype(np.float32) for each in OUTPUTS]).dtype == np.float32


@pytest.mark.parametrize("kind", ["category", "set"])
def test_members_that_are_certain_of_different_things(kind):
    certain = np.array([[900.0, -900.0]])
    np.testing.assert_allclose(PREDICTIONS[kind](of_ensemble(kind, [certain, -certain])), [[0.5, 0.5]])


def test_gaussians_become_the_moments_of_their_mixture():
    means, deviations = RNG.normal(size=(3, 5, 2)), RNG.uniform(0.1, 2, size=(3, 5, 2))
    outputs = [np.concatenate([m, m + s], axis=1) for m, s in zip(means, deviations, strict=True)]
    found = of_ensemble("gaussian", outputs)
    drawn = means + deviations * RNG.normal(size=(40_000, 3, 5, 2))
    np.testing.assert_allclose(found[:, :2], means.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found[:, 2:] - found[:, :2], drawn.std(axis=(0, 1)), rtol=0.02)
