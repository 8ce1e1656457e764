import itertools

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.cells import CELLS as DECLARED
from lstm_cli.kernels.recurrent import layer as kernels
from lstm_cli.kernels.recurrent.arguments import Shape
from lstm_cli.kernels.recurrent.layout import NEARBY
from lstm_cli.kernels.runtime import threads as runtime
from lstm_cli.kernels.runtime.memory import aligned
from lstm_cli.kernels.simd.tile import ROWS
from lstm_cli.ops.recurrent import recurrent, recurrent_tokens
from lstm_cli.theano.compiling import fast_start
from tests.support import recurrent_problem as layers
from tests.support.ops import compiled
from tests.support.recurrent_problem import CELLS, KINDS, RAGGED, Kind, close


def relative_error(got, expected):
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_outputs_are_the_reference_and_gradients_its_slopes(kind):
    layers.check_against_reference(layers.make(kind, 6, 5, 3, 7, RAGGED))


def scan_layer(kind, x, lengths, W, b, initial, mask):
    """The layer as a scan of one step over time, frozen beyond each sequence's end."""
    inputs = x.shape[2]

    def act(z):
        return pt.tanh(z)

    def step(t, x_t, *state):
        hidden = state[0] * mask
        if kind.cell == "gru":
            units = state[0].shape[1]
            blocks = [slice(i * units, (i + 1) * units) for i in range(3)]
            rx, ux, nx = (x_t @ W[block, :inputs].T + b[block] for block in blocks)
            rh, uh, nh = (hidden @ W[block, inputs:].T for block in blocks)
            r, u = pt.sigmoid(rx + rh), pt.sigmoid(ux + uh)
            n = act(nx + r * (nh + b[3 * units :]))
            after = [(1 - u) * n + u * state[0]]
        else:
            z = pt.concatenate([x_t, hidden], axis=1) @ W.T + b
            if kind.cell == "rnn":
                after = [act(z)]
            else:
                units = state[0].shape[1]
                i, f, o, g = (z[:, k * units : (k + 1) * units] for k in range(4))
                c = pt.sigmoid(f) * state[1] + pt.sigmoid(i) * act(g)
                after = [pt.sigmoid(o) * pt.tanh(c), c]
        running = (t < lengths)[:, None]
        return [*(pt.where(running, new, old) for new, old in zip(after, state, strict=True)), running * after[0]]

    sequences = [pt.arange(x.shape[0]), x]
    states = pytensor.scan(
        step, sequences=sequences, outputs_info=[*initial, None], go_backwards=kind.reverse, return_updates=False
    )
    h = states[-1][::-1] if kind.reverse else states[-1]
    return [h, *(s[-1] for s in states[:-1])]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_outputs_and_gradients_are_those_of_a_scan(cell, reverse):
    kind = Kind(cell, "tanh", reverse, True)
    problem = layers.make(kind, 6, 5, 3, 4, RAGGED)
    inputs, cotangents, *_ = layers.graph(kind)
    x, lengths, W, b, *initial, mask = inputs
    scanned = scan_layer(kind, x, lengths, W, b, initial, mask)
    cost = sum((a * d).sum() for a, d in zip(scanned, cotangents, strict=True))
    slopes = pytensor.grad(cost, [x, W, b, *initial])
    function = pytensor.function([*inputs, *cotangents], [*scanned, *slopes], mode=fast_start())
    close([*itertools.chain(*layers.run(problem))], function(*problem.inputs, *problem.cotangents))


WAYS = [Kind(cell, "tanh", reverse, mask) for cell in CELLS for reverse in (False, True) for mask in (False, True)]


@pytest.mark.parametrize("kind", WAYS, ids=str)
def test_a_padded_batch_is_each_sequence_alone(kind):
    layers.check_sequences_alone(layers.make(kind, 6, 5, 3, 20, RAGGED))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_of_the_sequences_does_not_matter(cell, reverse):
    problem = layers.make(Kind(cell, "tanh", reverse, True), 9, 8, 3, 5, [2, 9, 9, 1, 5, 3, 9, 4])
    order = np.argsort(-problem.lengths, kind="stable")
    (h, *finals), (dx, dW, db, *dinitial) = layers.run(problem)
    (h_sorted, *finals_sorted), (dx_sorted, dW_sorted, db_sorted, *dinitial_sorted) = layers.run(problem.select(order))
    close([a[:, order] for a in (h, dx)], [h_sorted, dx_sorted])
    close([a[order] for a in (*finals, *dinitial)], [*finals_sorted, *dinitial_sorted])
    close([dW, db], [dW_sorted, db_sorted])


SIZES = [
    (1, 1, 1, 1), (1, 3, 2, 20), (4, 1, 1, 100), (3, 17, 5, 33), (2, 40, 7, 16), (30, 2, 1, 20), (7, 3, 64, 17),
    (5, 9, 33, 48), (2, 2, 100, 200), (3, 20, 3, 650),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_sizes_that_fit_no_vector(cell):
    for steps, batch, inputs, units in SIZES:
        for threads in (1, runtime.threads()):
            problem = layers.make(Kind(cell), steps, batch, inputs, units, scale=0.2)
            with limited(threads):
                outputs, gradients = layers.run(problem)
            close(outputs, layers.run_reference(problem))
            # the gradient along itself
            slope = layers.reference_slope(problem, 2, gradients[1] / np.linalg.norm(gradients[1]))
            np.testing.assert_allclose(slope, np.linalg.norm(gradients[1]), rtol=1e-6)


class limited:
    """A number of threads for a while."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.before = runtime.threads()
        runtime.set_threads(self.count)

    def __exit__(self, *_):
        runtime.set_threads(self.before)


def not_numbers(name, count, dtype):
    """Memory for kernels to work in, new in each call, whose former content would show in every result."""
    memory = aligned(count, dtype)
    memory[:] = -1 if dtype.kind == "i" else np.nan
    return memory


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("shards", [1, 2])
def test_steps_cut_into_parts_in_memory_that_holds_anything(monkeypatch, cell, reverse, shards):
    """Steps of more rows than a tile begin or end among steps of a few rows, which are taken together."""
    lengths = np.concatenate([[40, 31], np.full(30, 9), np.arange(1, 30)])
    problem = layers.make(Kind(cell, "tanh", reverse, True), 40, 61, 5, 21, lengths, scale=0.2)
    assert len(lengths) // 2 > ROWS and problem.W.size <= NEARBY
    problem.x[np.arange(40)[:, np.newaxis] >= lengths] = np.nan
    monkeypatch.setattr(kernels, "scratch", not_numbers)
    monkeypatch.setattr(kernels, "aligned", lambda count, dtype: not_numbers("", count, dtype))
    monkeypatch.setattr(kernels, "threads", lambda: shards)
    monkeypatch.setattr(kernels, "SMALL", 1)
    outputs, gradients = layers.run(problem)
    problem.x = np.nan_to_num(problem.x)
    close(outputs, layers.run_reference(problem))
    rng = np.random.default_rng(1)
    for number, gradient in zip([0, 2, 3, 4, 5], gradients, strict=False):
        direction = rng.normal(size=gradient.shape) / np.sqrt(gradient.size)
        slope = layers.reference_slope(problem, number, direction)
        np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("cell", "floats", "starts"), [("rnn", 1, 0), ("lstm", 5, 1), ("gru", 4, 0)])
def test_what_is_kept_for_the_gradient(cell, floats, starts):
    """The table in `lstm_cli.kernels.recurrent.forward`: floats per real step and unit, and per sequence and unit."""
    x, lengths, W, b, *initial = layers.make(Kind(cell), 6, 5, 3, 7, RAGGED).inputs
    nothing = W[:0, :0]
    inputs = kernels.Inputs(Shape(6, 5, 3, 7), x, nothing, nothing, lengths, W, b, initial, nothing, b[:0])
    reserve = kernels.new_reserve(kernels.Layer(DECLARED[cell], "tanh", False), inputs, keeps=True)
    assert reserve.gates.size + reserve.further.size == (floats * sum(RAGGED) + starts * len(RAGGED)) * 7
    reserve = kernels.new_reserve(kernels.Layer(DECLARED[cell], "tanh", False), inputs, keeps=False)
    assert reserve.gates.size + reserve.further.size == 0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_single_precision_is_close_after_a_hundred_steps(cell, reverse):
    problem = layers.make(Kind(cell, "tanh", reverse), 100, 16, 32, 64, np.linspace(100, 5, 16).astype(int), scale=0.1)
    exact, exact_gradients = layers.run(problem)
    outputs, gradients = layers.run(problem.astype("float32"))
    assert all(a.dtype == np.float32 for a in (*outputs, *gradients))
    assert max(map(relative_error, outputs, exact)) < 2e-6
    assert max(map(relative_error, gradients, exact_gradients)) < 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_two_runs_give_the_same_bits(cell):
    problem = layers.make(Kind(cell), 20, 9, 10, 40, [20, 20, 19, 15, 11, 9, 9, 3, 1]).astype("float32")
    first = [a.copy() for a in itertools.chain(*layers.run(problem))]
    for _ in range(3):
        assert all((a == b).all() for a, b in zip(first, itertools.chain(*layers.run(problem)), strict=True))


def test_saturated_gates_and_numbers_that_are_not_finite():
    problem = layers.make(Kind(), 3, 2, 2, 20, scale=100.0).astype("float32")
    outputs, gradients = layers.run(problem)
    assert all(np.isfinite(a).all() for a in (*outputs, *gradients))
    problem.x[1, 0, 0] = np.nan
    (h, *_), _ = layers.run(problem)
    assert np.isnan(h[1:, 0]).any()
    assert np.isfinite(h[:, 1]).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_tokens_are_the_rows_of_their_table(cell, reverse):
    kind = Kind(cell, "tanh", reverse, True)
    problem = layers.make(kind, 6, 40, 9, 20, RAGGED * 8)  # more rows than a tile
    rng = np.random.default_rng(2)
    ids, table = rng.integers(0, 7, (6, 40)).astype(np.int32), rng.normal(size=(7, 9))
    _, lengths, W, b, *initial, mask = layers.graph(kind)[0]
    tokens, rows, dh = pt.imatrix(), pt.dmatrix(), pt.dtensor3()
    results = []
    for layer, source in ((recurrent_tokens, [tokens, lengths, rows]), (recurrent, [rows[tokens], lengths])):
        h, finals = layer(*source, W, b, initial, mask=mask, **kind.options)
        gradients = pytensor.grad(None, [rows, W, b, *initial], known_grads={h: dh})
        function = compiled([tokens, rows, lengths, W, b, *initial, mask, dh], [h, *finals, *gradients])
        results.append(function(ids, table, *problem.inputs[1:], problem.dh))
    close(*results)


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch_agrees(cell):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    problem = layers.make(Kind(cell), 6, 5, 3, 7, [6, 6, 4, 3, 1])
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell](3, 7).double()
    blocks = {"lstm": [0, 1, 3, 2], "gru": [0, 1, 2], "rnn": [0]}[cell]  # their order: i f z o; r u n
    order = np.concatenate([np.arange(7) + 7 * block for block in blocks])
    with torch.no_grad():
        module.weight_ih_l0.copy_(torch.tensor(problem.W[order, :3]))
        module.weight_hh_l0.copy_(torch.tensor(problem.W[order, 3:]))
        module.bias_ih_l0.copy_(torch.tensor(problem.b[order]))
        module.bias_hh_l0.zero_()
        if cell == "gru":
            module.bias_hh_l0[14:] = torch.tensor(problem.b[21:])
    x = torch.tensor(problem.x, requires_grad=True)
    states = tuple(torch.tensor(s[None]) for s in problem.initial)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(problem.lengths))
    h = torch.nn.utils.rnn.pad_packed_sequence(module(packed, states if cell == "lstm" else states[0])[0])[0]
    (h * torch.tensor(problem.dh)).sum().backward()
    problem.dfinals = [np.zeros_like(d) for d in problem.dfinals]
    outputs, (dx, dW, *_) = layers.run(problem)
    close(
        [outputs[0], dx, dW[order, :3], dW[order, 3:]],
        [h.detach().numpy(), x.grad.numpy(), module.weight_ih_l0.grad.numpy(), module.weight_hh_l0.grad.numpy()],
    )
