"""What the tests of Ops share: compile as the product does, and numeric gradients in float64."""

from collections.abc import Callable, Sequence

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.ops.mode import python_mode


def compiled(inputs: Sequence[Variable], outputs: object, **options: object) -> pytensor.compile.executor.Function:
    return pytensor.function(inputs, outputs, mode=python_mode(), **options)


def check_gradient(function: Callable[..., Variable], *values: np.ndarray, step: float = 1e-5) -> None:
    """Compare the gradient of a function of float64 arrays, projected at random, with central differences."""
    rng = np.random.default_rng(0)
    inputs = [pt.tensor(dtype="float64", shape=(None,) * value.ndim) for value in values]
    output = function(*inputs)
    direction = rng.normal(size=compiled(inputs, output)(*values).shape)
    cost = (output * direction).sum()
    cost_of = compiled(inputs, cost)
    gradients = compiled(inputs, pytensor.grad(cost, inputs))(*values)
    for number, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
        numeric = np.empty_like(value)
        for place in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                moved = value.copy()
                moved[place] += sign * step
                sides.append(cost_of(*values[:number], moved, *values[number + 1 :]))
            numeric[place] = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-8)


def ops_of(function: pytensor.compile.executor.Function) -> list[object]:
    return [node.op for node in function.maker.fgraph.toposort()]
