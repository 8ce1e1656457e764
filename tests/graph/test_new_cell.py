"""Cells that a test declares, in a few lines each, serve everywhere a cell does: no file of the package knows them."""

import numpy as np
import pytest

from lstm_cli.kernels.cells import CELLS
from lstm_cli.kernels.cells.activations import sigmoid, tanh
from lstm_cli.kernels.cells.cell import Cell
from lstm_cli.kernels.cells.compiled import constants_of, constants_of_several, numbered
from tests.support import closed_loop, reference
from tests.support import recurrent_problem as layers
from tests.support.graph import EXACT, members, network, random_batch
from tests.support.recurrent_problem import RAGGED, Kind


def update_gate_forward(activation, sums, before):
    """u = sigmoid(…), n = a(…);  h' = u h + (1 - u) n (Collins, Sohl-Dickstein and Sussillo 2016)."""
    u, n = sigmoid(sums[0]), activation(sums[1])
    return (u, n), (n + u * (before[0] - n),)


def update_gate_backward(activation, kept, before, after, gradients):
    (u, n), (dh,) = kept, gradients
    return (dh * (before[0] - n) * u * (1.0 - u), dh * (1.0 - u) * activation.slope(n)), (dh * u,)


UPDATE_GATE = Cell(
    name="update_gate",
    gates=("update", "candidate"),
    biases=("update", "candidate"),
    states=("h",),
    kept=("u", "n"),
    forward=update_gate_forward,
    backward=update_gate_backward,
    reads_previous_h=True,
    initial_bias={"update": 1.0},
)


def traces_forward(activation, sums, before):
    """r = sigmoid(W_r [x, h] + b_r);  n = a(W_n x + b_n + r (U_n h + b_m));  two traces of n, slow and fast.

    slow' = slow + r (n - slow);  fast' = fast / 2 + n;  h' = tanh(slow' + fast')
    """
    r, m = sigmoid(sums[0]), sums[2]
    n = activation(sums[1] + r * m)
    slow, fast = before[1] + r * (n - before[1]), 0.5 * before[2] + n
    h = tanh(slow + fast)
    return (r, n, m, h), (h, slow, fast)


def traces_backward(activation, kept, before, after, gradients):
    r, n, m, h = kept
    through_h = gradients[0] * (1.0 - h * h)
    dslow, dfast = gradients[1] + through_h, gradients[2] + through_h
    dn = (dslow * r + dfast) * activation.slope(n)
    dr = (dslow * (n - before[1]) + dn * m) * r * (1.0 - r)
    return (dr, dn, dn * r), (None, dslow * (1.0 - r), dfast * 0.5)


TRACES = Cell(
    name="traces",
    gates=("rate", "candidate"),
    biases=("rate", "candidate", "candidate_hidden"),
    states=("h", "slow", "fast"),
    kept=("r", "n", "m", "h"),
    forward=traces_forward,
    backward=traces_backward,
)


def update_gate_step(x, state, hidden, W, b, act):
    """The first one in numpy."""
    u, n = np.split(np.concatenate([x, hidden], axis=1) @ W.T + b, 2, axis=1)
    u, n = 1 / (1 + np.exp(-u)), act(n)
    return [u * state[0] + (1 - u) * n]


def traces_step(x, state, hidden, W, b, act):
    """The second one in numpy."""
    (_, units), inputs = hidden.shape, x.shape[1]
    from_x, from_h = x @ W[:, :inputs].T + b[: 2 * units], hidden @ W[:, inputs:].T
    r = 1 / (1 + np.exp(-from_x[:, :units] - from_h[:, :units]))
    n = act(from_x[:, units:] + r * (from_h[:, units:] + b[2 * units :]))
    slow, fast = (1 - r) * state[1] + r * n, state[2] / 2 + n
    return [np.tanh(slow + fast), slow, fast]


STEPS = {UPDATE_GATE: update_gate_step, TRACES: traces_step}
# Each compiles for ten seconds, as its machine code is not cached.
NAMES = [pytest.param(name, marks=pytest.mark.slow) for name in ("update_gate", "traces")]


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    for cell, step in STEPS.items():
        monkeypatch.setitem(CELLS, cell.name, cell)
        monkeypatch.setitem(reference.STEPS, cell.name, step)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_outputs_are_the_equations_and_gradients_their_slopes(name, activation, reverse, masked):
    layers.check_against_reference(layers.make(Kind(name, activation, reverse, masked), 6, 5, 3, 7, RAGGED))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_padded_batch_is_each_sequence_alone(name, reverse, masked):
    layers.check_sequences_alone(layers.make(Kind(name, "tanh", reverse, masked), 6, 5, 3, 20, RAGGED))


@pytest.mark.slow
@pytest.mark.parametrize("system", [False, True])
def test_closed_loops_are_what_numpy_computes(system):
    """In one network with a cell of the package's."""
    problem = closed_loop.problem(closed_loop.plain("traces", "lstm", "update_gate", masked=True), system=system)
    closed_loop.check_forward(problem)
    closed_loop.check_gradients(problem)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_model_has_the_same_outputs_and_gradients_for_each_sequence_alone(name, bidirectional):
    net = network(further_cell=name, bidirectional=bidirectional, initial_state="learned", layers=[5, 7])
    assert {direction.cell for direction in net.model.directions} == {CELLS[name]}
    batch = random_batch(net, RAGGED)
    outputs, (loss, gradient) = net.outputs(batch), net.gradient(batch)
    parts = [members(net, batch, [column]) for column in range(len(RAGGED))]
    for part, mine in parts:
        np.testing.assert_allclose(net.outputs(part), outputs[mine], **EXACT)
    results = [net.gradient(part) for part, _ in parts]
    np.testing.assert_allclose(sum(result[0] for result in results), loss, **EXACT)
    np.testing.assert_allclose(sum(result[1] for result in results), gradient, **EXACT)


def test_biases_start_from_what_the_cell_declares():
    weights = network(further_cell="update_gate").model.parameters
    (bias,) = [p for p in weights.parameters if p.name == "layers.0.b"]
    assert bias.initializer(np.random.default_rng(0), bias.shape).tolist() == [1.0] * 5 + [0.0] * 5
    assert bias.blocks == ("update", "candidate")


def test_machine_code_of_a_cell_outside_the_package_is_not_cached():
    """The cache's version is a hash of the package's sources: after a change to the cell it would serve old code."""
    assert constants_of(CELLS["lstm"]).cached and not constants_of(UPDATE_GATE).cached
    assert not constants_of_several(numbered([CELLS["lstm"], TRACES])).cached
