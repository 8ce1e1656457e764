"""Layer normalisation inside recurrent layers: the reference of `tests.support.reference`, slopes, padding, threads."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.cells import CELLS as DECLARED
from lstm_cli.kernels.cells import cell_of
from lstm_cli.kernels.recurrent import layer as kernels
from lstm_cli.kernels.runtime.memory import aligned
from lstm_cli.ops.recurrent import recurrent, recurrent_tokens
from tests.support import recurrent_problem as layers
from tests.support.ops import compiled
from tests.support.recurrent_problem import RAGGED, Kind, close

# The kernels of each compile for some seconds once: the gru's has all that the rnn's has.
CELLS = [pytest.param(cell, marks=pytest.mark.slow) if cell == "rnn" else cell for cell in DECLARED]
each_cell = pytest.mark.parametrize("cell", CELLS)
each_direction = pytest.mark.parametrize("reverse", [False, True])


@each_cell
@each_direction
@pytest.mark.parametrize("masked", [False, True])
def test_outputs_are_the_reference_and_gradients_its_slopes(cell, reverse, masked):
    layers.check_against_reference(layers.make(Kind(cell, "tanh", reverse, masked, True), 6, 5, 3, 7, RAGGED))


@each_cell
@each_direction
def test_a_padded_batch_is_each_sequence_alone(cell, reverse):
    layers.check_sequences_alone(layers.make(Kind(cell, "tanh", reverse, True, True), 6, 5, 3, 20, RAGGED))


@each_cell
def test_sizes_that_fit_no_vector(cell):
    for steps, batch, inputs, units in [(1, 1, 1, 1), (2, 3, 2, 17), (3, 17, 5, 33), (2, 2, 9, 100)]:
        problem = layers.make(Kind(cell, normalized=True), steps, batch, inputs, units)
        close(layers.run(problem)[0], layers.run_reference(problem))


@each_cell
@each_direction
def test_threads_share_the_work_in_memory_that_holds_anything(monkeypatch, cell, reverse):
    lengths = np.concatenate([[40, 31], np.full(30, 9), np.arange(1, 30)])
    problem = layers.make(Kind(cell, "tanh", reverse, True, True), 40, 61, 5, 21, lengths, scale=0.2)
    alone = layers.flat([a for part in layers.run(problem) for a in part])

    def not_numbers(name, count, dtype):
        memory = aligned(count, dtype)
        memory[:] = -1 if dtype.kind == "i" else np.nan
        return memory

    monkeypatch.setattr(kernels, "scratch", not_numbers)
    monkeypatch.setattr(kernels, "aligned", lambda count, dtype: not_numbers("", count, dtype))
    monkeypatch.setattr(kernels, "threads", lambda: 3)
    monkeypatch.setattr(kernels, "SMALL", 1)
    shared = [layers.flat([a for part in layers.run(problem) for a in part]) for _ in range(2)]
    np.testing.assert_allclose(shared[0], alone, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(*shared)


@each_cell
def test_tokens_are_the_rows_of_their_table(cell):
    kind = Kind(cell, normalized=True)
    problem = layers.make(kind, 6, 5, 9, 20, RAGGED)
    rng = np.random.default_rng(2)
    ids, table = rng.integers(0, 7, (6, 5)).astype(np.int32), rng.normal(size=(7, 9))
    _, lengths, W, b, *initial, gain = layers.graph(kind)[0]
    tokens, rows, dh = pt.imatrix(), pt.dmatrix(), pt.dtensor3()
    results = []
    for layer, source in ((recurrent_tokens, [tokens, lengths, rows]), (recurrent, [rows[tokens], lengths])):
        h, finals = layer(*source, W, b, initial, gain=gain, **kind.options)
        gradients = pytensor.grad(None, [rows, W, b, gain, *initial], known_grads={h: dh})
        function = compiled([tokens, rows, lengths, W, b, *initial, gain, dh], [h, *finals, *gradients])
        results.append(function(ids, table, *problem.inputs[1:], problem.dh))
    close(*results)


def test_what_moves_or_scales_all_sums_of_a_gate_changes_nothing():
    """The property that the equation is made for; beyond the small number under the root."""
    problem = layers.make(Kind(normalized=True), 6, 5, 3, 7, RAGGED, scale=1.0)
    outputs = layers.run(problem)[0]
    problem.W = 1e4 * problem.W
    close(layers.run(problem)[0], outputs, tolerance=1e-3)
    problem.W = problem.W + np.repeat(np.random.default_rng(0).normal(size=(4, 10)), 7, axis=0)
    close(layers.run(problem)[0], outputs, tolerance=1e-3)


def test_what_is_not_finite_stays_in_its_sequence():
    problem = layers.make(Kind(normalized=True), 3, 2, 2, 20)
    problem.x[1, 0, 0] = np.nan
    (h, *_), _ = layers.run(problem)
    assert np.isnan(h[1:, 0]).all()
    assert np.isfinite(h[:, 1]).all() and np.isfinite(h[0]).all()


def test_cells_without_it_keep_what_they_kept():
    kept = {name: (cell.kept_blocks, cell_of(name, normalized=True).kept_blocks) for name, cell in DECLARED.items()}
    assert kept == {"rnn": (1, 2), "lstm": (4, 8), "gru": (4, 8)}
