"""Loops over recurrent layers run as one Op a layer, with the values and gradients of the scan that was written."""

import pickle

import numpy as np
import pytensor
import pytest
from numpy.testing import assert_allclose
from pytensor.scan.op import Scan
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot

from lstm_cli import GRU, LSTM, RNN, Dropout, Embedding, GatedInput, Layer, StackedCells
from lstm_cli.ops.activations import ACTIVATIONS
from lstm_cli.theano_lstm import theano
from lstm_cli.theano_lstm.loops.by_scan import scanned_layer
from lstm_cli.theano_lstm.loops.gru_loop import CELL, GRULoop, gru_loop
from lstm_cli.theano_lstm.loops.loop import Loop, loop
from tests.support.loops import assert_loop_is_its_scan, built, has, scanned
from tests.support.theano_lstm import randomize, sigmoid

T = theano.tensor
STEPS, ROWS, INPUTS = 5, 2, 3
rng = np.random.default_rng(14)
X = rng.normal(size=(STEPS, ROWS, INPUTS))
WORDS = rng.integers(0, 9, size=(STEPS, ROWS)).astype("int32")


def reset_after(*arguments, **options):
    return GRU(*arguments, reset_after=True, **options)


def softmax(x):
    return T.nnet.softmax(x.T).T if x.ndim > 1 else T.nnet.softmax(x)[0]


def stack(cell=LSTM, layers=(4,), inputs=INPUTS, **options):
    return StackedCells(inputs, celltype=cell, layers=list(layers), activation=T.tanh, **options)


def starts(model, rows=None):
    """The initial state of every layer that has one, in every row of a batch."""
    states = [layer.initial_hidden_state for layer in model.layers if hasattr(layer, "initial_hidden_state")]
    return states if rows is None else [T.repeat(T.shape_padleft(state), rows, axis=0) for state in states]


def learned(model):
    return [*model.params, *starts(model)]


def over(model, x, step=None, extra=(), **options):
    """The outputs of a loop over x of a model's `forward`, or of another step; `extra` ones are no states."""
    infos = [*starts(model, x.shape[1] if x.ndim > 2 else None), *[None] * len(extra)]

    def forward(x, *states):
        new = model.forward(x, states)
        return [*new, *(function(x, new, states) for function in extra)]

    outputs, updates = theano.scan(step or forward, sequences=x, outputs_info=infos, **options)
    assert updates == {}
    return outputs if isinstance(outputs, list) else [outputs]


def plain(cell, layers, batch):
    def build():
        model, x = stack(cell, layers), T.dtensor3() if batch else T.dmatrix()
        model.layers.append(Layer(layers[-1], 6, softmax))
        infos = [*starts(model, x.shape[1] if batch else None), None]
        outputs, _ = theano.scan(lambda x, *h: model.forward(x, [*h, None]), sequences=[x], outputs_info=infos)
        return [x], outputs, [x, *learned(model)]

    return build


CELLS = {"lstm": LSTM, "rnn": RNN, "gru": GRU, "gru_reset_after": reset_after}
slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("cell", "layers", "batch"),
    [
        pytest.param("lstm", (4, 5), True, marks=slow),
        ("lstm", (4,), False),
        pytest.param("rnn", (4, 5), True, marks=slow),
        pytest.param("rnn", (4,), False, marks=slow),
        pytest.param("gru", (4,), True, marks=slow),
        pytest.param("gru", (4, 5), False, marks=slow),
        pytest.param("gru_reset_after", (4,), True, marks=slow),
    ],
)
def test_stacked_layers_with_a_softmax(cell, layers, batch, monkeypatch):
    assert_loop_is_its_scan(plain(CELLS[cell], layers, batch), [X if batch else X[:, 0]], monkeypatch)


def test_lstm_follows_its_equations():
    model, x = stack(layers=(4,)), T.dtensor3()
    randomize(learned(model))
    (states,) = over(model, x)
    assert has(Loop, [states])
    c, h = np.split(np.repeat(starts(model)[0].get_value()[None], ROWS, axis=0), 2, axis=1)
    gates = [gate.params for gate in model.layers[0].internal_layers]
    for got, row in zip(theano.function([x], states)(X), X, strict=True):
        joined = np.concatenate([row, h], axis=1)
        i, f, z, o = (joined @ W.get_value().T + b.get_value() for W, b in gates)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
        h = sigmoid(o) * np.tanh(c)
        assert_allclose(got, np.concatenate([c, h], axis=1), rtol=1e-12)


def test_only_the_hidden_part_of_a_state_is_taken_for_it():
    model, x = stack(LSTM), T.dtensor3()
    randomize(learned(model))
    parts = [lambda x, new, old, start=start: new[0][:, start:] for start in (4, 3)]
    states, *taken = theano.function([x], over(model, x, extra=parts))(X)
    for start, part in zip((4, 3), taken, strict=True):
        assert_allclose(part, states[..., start:], rtol=1e-12)


def words(batch):
    def build():
        model, x = stack(RNN), T.imatrix() if batch else T.ivector()
        model.layers.insert(0, Embedding(9, INPUTS))
        model.layers.append(Layer(4, 9, softmax))
        infos = [*starts(model, x.shape[1] if batch else None), None]
        step = lambda word, h: model.forward(word, [None, h, None])[1:]  # noqa: E731
        outputs, _ = theano.scan(step, sequences=x, outputs_info=infos)
        return [x], outputs, learned(model)

    return build


def option(cell=RNN, step=None, extra=(), **options):
    def build():
        model, x = stack(cell), T.dtensor3()
        return [x], over(model, x, step and step(model), extra, **options), [x, *learned(model)]

    return build


def losses():
    model, x, y = stack(RNN), T.dtensor3(), T.imatrix()
    W, b = theano.shared(np.ones((4, 9)), "W"), theano.shared(np.ones(9), "b")

    def step(x, y, h):
        (new,) = model.forward(x, [h])
        p = T.nnet.softmax(T.dot(new, W) + b)
        return new, T.nnet.categorical_crossentropy(p, y).mean(), T.argmax(p, axis=1)

    outputs, _ = theano.scan(step, sequences=[x, y], outputs_info=[*starts(model, x.shape[1]), None, None])
    return [x, y], outputs, [x, W, b, *learned(model)]


def several_sequences():
    model, x, y = stack(LSTM, inputs=8), T.dtensor3(), T.dtensor3()

    def step(before, now, y, h):
        return model.forward(T.concatenate([before, now, y], axis=1), [h])

    sequences = [{"input": x, "taps": [-1, 0]}, y]  # y is the shorter one
    outputs, _ = theano.scan(step, sequences=sequences, outputs_info=starts(model, x.shape[1]), go_backwards=True)
    return [x, y], [outputs], [x, y, *learned(model)]


def masks_from_outside():
    model, x = stack(RNN, (4, 5)), T.dtensor3()
    masks = [T.constant(np.array([1.0, 0, 1])), T.constant(np.array([[1.0, 0, 1, 1], [0, 1, 1, 1]]))]
    step = lambda x, a, b, *masks: model.forward(x, [a, b], list(masks))  # noqa: E731
    outputs, _ = theano.scan(step, sequences=x, outputs_info=starts(model, x.shape[1]), non_sequences=masks)
    return [x], outputs, [x, *learned(model)]


def previous_of_the_layer_below():
    below, above, x = RNN(INPUTS, 4), RNN(8, 5), T.dtensor3()

    def step(x, upper, lower):
        new = below.activate(x, lower)
        return above.activate(T.concatenate([new, lower], axis=1), upper), new

    states = [below.initial_hidden_state, above.initial_hidden_state]
    infos = [{"initial": T.repeat(state[None], x.shape[1], axis=0)} for state in reversed(states)]
    outputs, _ = theano.scan(step, sequences=x, outputs_info=infos)
    return [x], outputs, [x, *below.params, *above.params, *states]


def steps_without_a_sequence():
    model, x, n = stack(RNN), T.dmatrix(), T.iscalar()
    infos = starts(model, x.shape[0])
    outputs, _ = theano.scan(lambda h, x: model.forward(x, [h]), outputs_info=infos, non_sequences=x, n_steps=n)
    return [x, n], [outputs], [x, *learned(model)]


def batch_of_one():
    model, x = stack(RNN), T.dtensor3()
    outputs, _ = theano.scan(lambda x, h: model.forward(x, [h]), sequences=x, outputs_info=[T.zeros((1, 4))])
    assert outputs.broadcastable == (False, True, False)
    return [x], [outputs], [x, *model.params]


def one_hot_words():
    """Places that each step sets, of its own: the word before as an input, elements, rows and increments of outputs."""
    model, words, marked = stack(RNN, inputs=9), T.ivector(), T.ivector()

    def step(word, mark, h):
        (new,) = model.forward(T.set_subtensor(T.zeros([9])[word], 1), [h])
        rows = T.set_subtensor(T.zeros((3, 4))[mark % 3], new)
        return new, T.inc_subtensor(rows[1, mark % 4], new.sum()), T.set_subtensor(T.ones((9, 2))[word], mark)

    outputs, _ = theano.scan(step, sequences=[words, marked], outputs_info=[*starts(model), None, None])
    return [words, marked], outputs, learned(model)


FUNCTIONS = (
    lambda x, new, old: 2 * old[0] + new[0] - x.sum(),
    lambda x, new, old: T.dot(new[0].T, x),
    lambda x, new, old: T.set_subtensor(new[0][:, 1], x[:, 0]),
    lambda x, new, old: T.alloc(new[0][0, 0], 3, x.shape[1]),
    lambda x, new, old: T.zeros((2,)),
    lambda x, new, old: new[0].flatten(),
    lambda x, new, old: new[0].norm(2) + T.max(x, axis=1),
)
RECOGNISED = {
    "words": (words(True), [WORDS]),
    "words of one sentence": (words(False), [WORDS[:, 0]]),
    "one-hot words": (one_hot_words, [WORDS[:, 0] - 4, WORDS[:, 1]]),
    "losses": (losses, [X, WORDS]),
    "several sequences": (several_sequences, [X, rng.normal(size=(3, ROWS, 2))]),
    "masks": (masks_from_outside, [X]),
    "previous state of the layer below": (previous_of_the_layer_below, [X]),
    "constant input": (steps_without_a_sequence, [X[0], np.int32(4)]),
    "batch of one": (batch_of_one, [X[:, :1]]),
    "fewer steps": (option(n_steps=3), [X]),
    "options without effect": (option(strict=False, allow_gc=False, name="loop"), [X]),
    "functions of states": (option(extra=FUNCTIONS), [X]),
    "one sequence": (option(), [X[:, :1]]),
    "no sequence": (option(LSTM), [X[:, :0]]),
}
LONG = set(RECOGNISED) - {"words", "batch of one"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=slow if name in LONG else ()) for name in RECOGNISED])
def test_program(name, monkeypatch):
    assert_loop_is_its_scan(*RECOGNISED[name], monkeypatch)


def test_nothing_of_a_common_program_loops_over_time():
    inputs, outputs, _ = built(losses)
    nodes = theano.function(inputs, [*outputs, T.grad(outputs[1].sum(), inputs[0])]).maker.fgraph.toposort()
    assert not [node.op for node in nodes if isinstance(node.op, Blockwise | Scan)]


def test_no_step_is_no_output_and_no_gradient():
    model, x = stack(LSTM), T.dtensor3()
    (states,) = over(model, x)
    start = starts(model)[0]
    function = theano.function([x], [states, *T.grad(states.sum(), [x, start, *model.params])])
    outputs, *gradients = function(X[:0])
    assert outputs.shape == (0, ROWS, 8)
    assert not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("short", ["used", "unused"])
def test_more_steps_than_a_sequence_has_are_an_error(short):
    model, x, y = stack(RNN), T.dtensor3(), T.dvector()
    step = lambda x, y, h: model.forward(x, [h])  # noqa: E731
    outputs, _ = theano.scan(step, sequences=[x, y], outputs_info=starts(model, x.shape[1]), n_steps=STEPS)
    function = theano.function([x, y], outputs)
    assert function(X, X[:, 0, 0]).shape == (STEPS, ROWS, 4)
    with pytest.raises(ValueError, match="scan: n_steps is larger than the number of elements of a sequence"):
        function(*((X[1:], X[:, 0, 0]) if short == "used" else (X, X[1:, 0, 0])))


def own_layer(model):
    class Doubled(RNN):
        def activate(self, x, h, mask=None):
            return 2 * super().activate(x, h, mask)

    layer = Doubled(INPUTS, 4)
    return lambda x, h: layer.activate(x, h)


def weights_of_the_step(model):
    layer, b = model.layers[0], model.layers[0].bias_matrix

    def step(x, h):
        layer.bias_matrix = b + x.sum()
        new = layer.activate(x, h)
        layer.bias_matrix = b
        return new

    return step


def without_bias(model):
    model.layers[0].bias_matrix = T.zeros((1,))
    return lambda x, h: model.forward(x, [h])


class Halved(Dot):
    """Not what the rule for PyTensor's own Op computes."""

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0].dot(inputs[1]) / 2


def noisy(x, new, old):
    return pytensor.tensor.random.normal(x, rng=pytensor.shared(np.random.default_rng(1)), return_next_rng=True)[1]


STAYS = {
    "one bias for all units": option(step=without_bias),
    "clipped gradients": lambda: ([], over(stack(LSTM, clip_gradients=1.0), T.dtensor3()), []),
    "replaced activation": option(step=lambda m: lambda x, h: RNN(3, 4, T.sin).activate(x, h)),
    "own layer": option(step=own_layer),
    "weights of the step": option(step=weights_of_the_step),
    "copy of a step": option(step=lambda m: lambda x, h: theano.clone(m.forward(x, [h])[0], replace={x: 2 * x})),
    "kept state": option(step=lambda m: lambda x, h: T.switch(x[:, :1].sum() > 0, m.forward(x, [h])[0], h)),
    "input from the state": option(step=lambda m: lambda x, h: m.forward(x + h[:, :3], [h])),
    "another state": option(step=lambda m: lambda x, h: m.forward(x, [2 * h])),
    "mask of the state": option(step=lambda m: lambda x, h: m.layers[0].activate(x, h, np.array([1.0, 0, 1, 1]))),
    "decomposition": option(extra=(lambda x, new, old: T.slinalg.cholesky(T.dot(x, x.T)),)),
    "an Op of its own": option(extra=(lambda x, new, old: Halved()(new[0], T.eye(4)),)),
    "generator": option(extra=(noisy,)),
    "truncated gradient": option(truncate_gradient=2),
    "condition": option(step=lambda m: lambda x, h: (m.forward(x, [h]), theano.scan_module.until(x.sum() > 9))),
    "own mode": option(mode="FAST_COMPILE"),
}


@pytest.mark.parametrize("name", STAYS)
@pytest.mark.filterwarnings("ignore:The `mode` argument of `scan` is deprecated:FutureWarning")
def test_other_loops_stay_scans(name, monkeypatch):
    assert_loop_is_its_scan(STAYS[name], [X], monkeypatch, recognised=False)


def test_gates_of_another_kind_stay_in_a_scan():
    model = stack(LSTM)
    model.layers[0].out_gate.clip_gradients = 1.0
    assert has(Scan, over(model, T.dtensor3()))


def test_gated_input_stays_in_a_scan():
    model, x = stack(RNN), T.dtensor3()
    model.layers.insert(0, GatedInput(INPUTS, 4))
    assert has(Scan, over(model, x, lambda x, h: model.forward(x, [h, h])[1]))


def test_mask_drawn_inside_stays_in_a_scan():
    model, x = stack(RNN), T.dtensor3()
    step = lambda x, h: model.forward(x * Dropout(x.shape, 0.5), [h])  # noqa: E731
    output, updates = theano.scan(step, sequences=x, outputs_info=starts(model, x.shape[1]))
    assert updates
    assert has(Scan, [output])


def test_two_taps_stay_in_a_scan():
    layer, x = RNN(INPUTS, 4), T.dmatrix()
    info = {"initial": T.zeros((2, 4)), "taps": [-2, -1]}
    output, _ = theano.scan(lambda x, a, b: layer.activate(x, b) + 0 * a, sequences=x, outputs_info=info)
    assert has(Scan, [output])


def test_loop_inside_a_loop():
    """The inner one is an Op of the outer one's step."""
    inner, outer, x = RNN(INPUTS, 3), RNN(3, 4), T.dtensor3()
    randomize([*inner.params, *outer.params])

    def step(row, h):
        below, _ = theano.scan(inner.activate, sequences=row, outputs_info=inner.initial_hidden_state)
        return outer.activate(below[-1], h)

    output, _ = theano.scan(step, sequences=x, outputs_info=outer.initial_hidden_state)
    node = output.owner.inputs[0].owner
    assert isinstance(node.op, Scan)
    assert any(isinstance(inside.op, Loop) for inside in node.op.fgraph.apply_nodes)
    function = theano.function([x], [output, T.grad(output.sum(), x)])
    up, down = (function(X + d)[0] for d in (1e-6, -1e-6))
    values, gradient = function(X)
    assert_allclose(gradient.sum(), (up - down).sum() / 2e-6, rtol=1e-6)
    h = outer.initial_hidden_state.get_value()
    for row, got in zip(X, values, strict=True):
        below = inner.initial_hidden_state.get_value()
        for element in row:
            below = one_step(inner, element, below)
        h = one_step(outer, below, h)
        assert_allclose(got, h, rtol=1e-12)


def one_step(layer, x, h):
    W, b = (param.get_value() for param in layer.params)
    return np.tanh(W @ np.concatenate([x, h]) + b)


def test_step_is_called_once():
    model, calls = stack(RNN), []
    over(model, T.dtensor3(), lambda x, h: calls.append(1) or model.forward(x, [h]))
    assert calls == [1]


def test_gradients_do_not_flow_from_one_output_to_another():
    """Each output of a scan depends on the loop, not on another output."""
    model, x = stack(RNN), T.dtensor3()
    states, above = over(model, x, extra=(lambda x, new, old: 2 * new[0],))
    assert not theano.function([x], T.grad(above.sum(), states, disconnected_inputs="ignore"))(X).any()


def test_weights_can_be_replaced():
    model, x = stack(RNN), T.dtensor3()
    (states,) = over(model, x)
    b = model.params[1]
    shifted = theano.clone(states, replace={b: b + 1})
    expected = theano.function([x], states, givens={b: b + 1})(X)
    assert_allclose(theano.function([x], shifted)(X), expected, rtol=1e-12)
    assert (theano.function([x], states)(X) != expected).any()


def test_compiled_function_is_pickled():
    model, x = stack(LSTM), T.dtensor3()
    model.layers[0].in_gate2.activation = lambda x: x  # which could not be
    function = theano.function([x], over(model, x)[0])
    assert_allclose(pickle.loads(pickle.dumps(function))(X), function(X), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Numba will use object mode:UserWarning")
@pytest.mark.parametrize("mode", ["NUMBA", "DebugMode"])
def test_other_modes(mode):
    model, x = stack(RNN), T.dtensor3()
    (states,) = over(model, x)
    outputs = [states, T.grad(states.sum(), model.params[0])]
    expected = theano.function([x], outputs)(X)
    for got, value in zip(theano.function([x], outputs, mode=mode)(X), expected, strict=True):
        assert_allclose(got, value, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_second_derivatives(cell, monkeypatch):
    def build():
        model, x = stack(CELLS[cell]), T.dtensor3()
        (states,) = over(model, x)
        wrt = [x, *learned(model)]
        gradients = T.grad((states**2).sum(), wrt)
        again = T.grad(sum(T.sin(g).sum() for g in gradients), wrt)
        return [x], [states, *again, T.Rop(states, wrt, [T.ones_like(v) for v in wrt])], []

    fused, looped = (theano.function(*program[:2])(X) for program in (built(build), scanned(build, monkeypatch)))
    for got, expected in zip(fused, looped, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-12 * abs(expected).max())


@pytest.mark.parametrize("cell", ["lstm", "gru", CELL])
def test_scan_of_the_second_derivatives_computes_what_the_op_does(cell):
    blocks, units = 4 if cell == "lstm" else 3, 4
    W, b = rng.normal(size=(blocks * units, INPUTS + units)), rng.normal(size=(3 if cell == CELL else 4) * units)
    initial = [T.constant(rng.normal(size=(ROWS, units))) for _ in range(2 if cell == "lstm" else 1)]
    arguments = [T.constant(v) for v in (X, W, b)]
    if cell == CELL:
        h = gru_loop(*arguments, *initial, "tanh")
    else:
        h = loop(*arguments, initial, cell=cell, activation="tanh")
    expected, _ = scanned_layer(cell, T.tanh, *arguments, tuple(initial))
    assert_allclose(*theano.function([], [h, expected])(), rtol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_of_a_gru(activation):
    """The gradients, along one direction in the input and all weights, against differences."""
    model, x = stack(GRU), T.dtensor3()
    weights = learned(model)
    randomize(weights)
    model.layers[0].memory_to_memory_layer.activation = ACTIVATIONS[activation]
    (states,) = over(model, x)
    assert has(GRULoop, [states])
    function = theano.function([x], [(states**2).sum(), *T.grad((states**2).sum(), [x, *weights])])
    generator, start = np.random.default_rng(2), [v.get_value() for v in weights]
    along = [generator.normal(size=value.shape) for value in (X, *start)]
    slope = sum((g * d).sum() for g, d in zip(function(X)[1:], along, strict=True))

    def at(scale):
        for v, value, d in zip(weights, start, along[1:], strict=True):
            v.set_value(value + scale * d)
        return function(X + scale * along[0])[0]

    assert_allclose(slope, (at(1e-6) - at(-1e-6)) / 2e-6, rtol=1e-6)


def test_gru_of_shapes_that_do_not_fit_is_an_error():
    model, x = stack(GRU), T.dtensor3()
    function = theano.function([x], over(model, x)[0])
    with pytest.raises(ValueError, match=r"GRU: got x \(5, 2, 2\), W \(12, 7\) and a state \(2, 4\), which do not fit"):
        function(X[:, :, :2])
