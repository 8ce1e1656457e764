"""The closed loop as one Op: against plain numpy, PyTensor's scan, numeric slopes, and itself without padding."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.ops.activations import ACTIVATIONS
from lstm_cli.theano.compiling import fast_start
from tests.support.closed_loop import (
    SIZE,
    check_forward,
    check_gradients,
    check_seen_gradient,
    gradients,
    plain,
    problem,
    weights_of_cost,
)
from tests.support.theano_lstm import on_joined_weights

CELLS = ("lstm", "gru", "rnn")


PROBLEMS = {
    **{f"{cell}, system": problem(plain(cell, cell)) for cell in CELLS},
    **{f"{cell}, alone": problem(plain(cell), system=False) for cell in CELLS},
    "residual": problem(plain("lstm", "gru"), system=False, residual=True),
    "further inputs": problem(plain("lstm", "rnn"), extra=2),
    "dropout": problem(plain("gru", "lstm", masked=True, dropped=True), extra=1),
    "forced": problem(plain("lstm"), system=False, forced=True),
    "linear": problem(plain("lstm", activation="linear")),
    "one row": problem(plain("lstm"), lengths=(5,), observed=(2,)),
    "long warm-up": problem(plain("gru", "lstm"), lengths=(9, 5, 8), observed=(4, 4, 5)),
}
every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))


@every_problem
def test_forward_is_what_numpy_computes(problem):
    check_forward(problem)


@every_problem
def test_gradients_are_slopes(problem):
    check_gradients(problem)


@every_problem
def test_the_gradient_of_what_the_network_sees_is_a_slope(problem):
    check_seen_gradient(problem)


def scanned(problem, given):
    """The states that follow by PyTensor's scan of one step, made of the layers' own steps."""
    layers, starts, rest = [], [], list(given)
    for kind in problem.kinds:
        W, b, *states = rest[: kind.arrays]
        rest = rest[kind.arrays :]
        units, inputs = states[0].type.shape[1], W.type.shape[1] - states[0].type.shape[1]
        activation = ACTIVATIONS[kind.activation]
        layers.append(on_joined_weights(kind.cell, W, b, units=units, inputs=inputs, activation=activation))
        starts.append(pt.concatenate(states[::-1], axis=1))  # [c, h]
    W, b = rest

    def step(numbers, feed, state, *before):
        state = pt.switch(feed[:, None], numbers[:, :SIZE], state)
        x, after = pt.concatenate([state, numbers[:, SIZE:]], axis=1), []
        for layer, own in zip(layers, before, strict=True):
            after.append(layer.activate(x, own))
            x = layer.postprocess_activation(after[-1]) if layer.cell == "lstm" else after[-1]
        y = x @ W.T + b
        y = y / (1 + abs(y))
        return [problem.system.symbolic(state, y) if problem.system else state + y if problem.residual else y, *after]

    start = pt.zeros((len(problem.lengths), SIZE))
    sequences = [pt.constant(problem.numbers), pt.constant(problem.feed)]
    return pytensor.scan(step, sequences=sequences, outputs_info=[start, *starts], return_updates=False)[0]


# A scan takes seconds to compile: by default only that of the largest loop. The other tests have all problems.
SCANNED = ["residual"]
SLOW = ("lstm, system", "lstm, alone", "further inputs", "linear", "gru, system", "rnn, system")
SCANNED += [pytest.param(name, marks=pytest.mark.slow) for name in SLOW]


@pytest.mark.parametrize("name", SCANNED)
def test_states_and_gradients_are_those_of_a_scan(name):
    problem = PROBLEMS[name]
    direction = weights_of_cost(problem)
    cost, *found = gradients(problem, direction)
    given = [pt.tensor(dtype="float64", shape=a.shape) for a in problem.arrays]
    scan_cost = (scanned(problem, given) * pt.constant(direction)).sum()
    function = pytensor.function(given, [scan_cost, *pytensor.grad(scan_cost, given)], mode=fast_start())
    for one, other in zip([cost, *found], function(*problem.arrays), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@every_problem
def test_a_padded_batch_is_its_rows_one_by_one(problem):
    direction = weights_of_cost(problem)
    cost, *found = gradients(problem, direction)
    parts = []
    for row in range(len(problem.lengths)):
        steps = problem.lengths[row]
        parts.append(gradients(problem.member(row), direction[:steps, row : row + 1]))
    np.testing.assert_allclose(cost, sum(part[0] for part in parts), rtol=1e-10)
    states = [flow for kind in problem.kinds for flow in [False, False] + [True] * kind.states] + [False, False]
    for number, (gradient, is_state) in enumerate(zip(found, states, strict=True)):
        pieces = [part[1 + number] for part in parts]
        expected = np.concatenate(pieces) if is_state else sum(pieces)
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-12)
