"""LAMB and LARS against the algorithms of their papers, written out in numpy: every matrix and bias by itself."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.optim.build import build
from tests.support.ops import compiled
from tests.support.optim import optimizer_section

SEGMENTS = [("a", 0, 6), ("zero", 6, 9), ("long", 9, 9 + (1 << 14) + 3), ("still", 9 + (1 << 14) + 3, (1 << 14) + 16)]
SIZE, RATE = SEGMENTS[-1][2], 0.05
FACTORS = (1.0, 1.0, 0.5, 0.0)


def start():
    flat = np.random.default_rng(1).normal(size=SIZE)
    flat[6:9] = 0.0  # as biases are at first: the trust ratio is 1
    return flat


def gradients(steps):
    draw = np.random.default_rng(2)
    found = [draw.normal(0.2, 1, SIZE) for _ in range(steps)]
    found[-1][:6] = 0.0
    return found


def norm(values):
    return np.sqrt(np.sum(values**2))


def ratio(weights, step):
    return weights / step if weights > 0 and step > 0 else 1.0


def lamb(x, given, rate, *, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0):
    """Algorithm 2 of You et al. (2020), arXiv:1904.00962, with the identity for phi."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t, g in enumerate(given, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        r = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        step = r + weight_decay * x
        x = x - rate * ratio(norm(x), norm(step)) * step
    return x


def lars(w, given, rate, *, momentum=0.9, trust=0.001, weight_decay=0.0):
    """Algorithm 1 of You, Gitman and Ginsburg (2017), arXiv:1708.03888."""
    v = np.zeros_like(w)
    for g in given:
        local = ratio(trust * norm(w), norm(g) + weight_decay * norm(w))
        v = momentum * v + rate * local * (g + weight_decay * w)
        w = w - v
    return w


CASES = {
    "lamb": (lamb, {}),
    "lamb with decay": (lamb, {"weight_decay": 0.1, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-4}),
    "lars": (lars, {}),
    "lars with decay": (lars, {"weight_decay": 0.1, "momentum": 0.5, "trust": 0.02}),
}


def stepped(name, options, steps, dtype="float64", **clipping):
    """The parameters after some steps."""
    section = optimizer_section(name.split()[0], **{"weight_decay": 0.0, "clip_norm": None, **options, **clipping})
    flat, buffer = pytensor.shared(start().astype(dtype)), pytensor.shared(np.zeros(SIZE, dtype))
    rate = pt.scalar(dtype=dtype)
    optimizer = build(section, flat, buffer, rate, SEGMENTS, factors=FACTORS)
    measure = compiled([], [optimizer.gradient_norm], updates=optimizer.measurement)
    update = compiled([rate], [], updates=optimizer.updates)
    for gradient in gradients(steps):
        buffer.set_value(gradient.astype(dtype))
        measure()
        update(np.asarray(RATE, dtype))
    return flat.get_value()


def expected(algorithm, options, given):
    """The parameters, segment by segment."""
    parts = []
    for (_, begin, stop), factor in zip(SEGMENTS, FACTORS, strict=True):
        own = start()[begin:stop]
        parts.append(algorithm(own, [g[begin:stop] for g in given], RATE * factor, **options) if factor else own)
    return np.concatenate(parts)


@pytest.mark.parametrize("case", CASES)
def test_five_updates_are_those_of_the_paper(case):
    algorithm, options = CASES[case]
    np.testing.assert_allclose(stepped(case, options, 5), expected(algorithm, options, gradients(5)), rtol=1e-11)


@pytest.mark.parametrize("case", ["lamb with decay", "lars with decay"])
def test_norms_are_those_of_the_clipped_gradient(case):
    algorithm, options = CASES[case]
    clipped = [np.clip(gradient, -0.7, 0.7) for gradient in gradients(4)]
    clipped = [gradient * min(1, 3 / norm(gradient)) for gradient in clipped]
    found = stepped(case, options, 4, clip_value=0.7, clip_norm=3.0)
    np.testing.assert_allclose(found, expected(algorithm, options, clipped), rtol=1e-10)


@pytest.mark.parametrize("case", ["lamb with decay", "lars with decay"])
def test_single_precision_is_close(case):
    algorithm, options = CASES[case]
    found = stepped(case, options, 4, "float32")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(algorithm, options, gradients(4)), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["lamb", "lars"])
def test_a_step_is_in_proportion_to_the_weights(name):
    """A parameter ten times as large takes a step ten times as large, whatever the scale of its gradient."""
    steps = []
    for scale in (1.0, 10.0):
        section = optimizer_section(name, weight_decay=0.0, clip_norm=None)
        flat, gradient = pytensor.shared(scale * start()), pt.dvector()
        before = flat.get_value()
        optimizer = build(section, flat, gradient, pt.constant(RATE), SEGMENTS)
        compiled([gradient], [], updates=optimizer.updates)(gradients(2)[0] * scale**3)
        steps.append((flat.get_value() - before)[:6])
    np.testing.assert_allclose(steps[1], 10 * steps[0], rtol=1e-6)
