"""The seven cases that theano-lstm itself was run on, built with the layers of this project.

`theano_lstm.npz` holds, for each case, the inputs, the starting parameters (one vector, in the order of `named`), what
theano-lstm 0.0.15 computed from them on Theano 1.0.5 in float64 (the first output, the costs of five updates), and a
digest of each parameter's first gradient and of its value after the updates. `shrink.py` made it from the full numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lstm_cli import LSTM, RNN, Embedding, GatedInput, Layer, StackedCells, create_optimization_updates
from lstm_cli.theano_lstm import theano
from tests.support.paths import ROOT

T = theano.tensor
NUMBERS = ROOT / "tests" / "theano_lstm" / "theano_lstm.npz"
DOUBLE_PENDULUM = {"M1": 1.0, "M2": 0.7, "L1": 1.0, "L2": 0.8, "G": 9.81, "dt": 0.02}


def softmax(x):
    return T.nnet.softmax(x.T).T  # a layer's activation gets a batch as (units, batch)


def identity(x):
    return x


def stacked(celltype, identity_gate=False, **options):
    model = StackedCells(5, celltype=celltype, layers=[7, 6], activation=T.tanh, **options)
    if identity_gate:
        model.layers[0].in_gate2.activation = identity
    model.layers.append(Layer(6, 3, softmax))
    return model


def gated():
    model = stacked(LSTM)
    model.layers.insert(0, GatedInput(5, 7, T.tanh))
    return model


def with_embedding():
    model = StackedCells(4, celltype=LSTM, layers=[6], activation=T.tanh)
    model.layers.insert(0, Embedding(11, 4))
    model.layers.append(Layer(6, 3, softmax))
    return model


def controller():
    model = StackedCells(4, celltype=LSTM, layers=[20, 20], activation=T.tanh)
    model.layers[0].in_gate2.activation = identity
    model.layers.append(Layer(20, 1, identity))
    return model


def named(model):
    """Return every parameter, the initial states too, by the names of the full numbers."""
    parameters = {}
    for k, layer in enumerate(model.layers):
        gates = ("in_gate", "forget_gate", "in_gate2", "out_gate")
        for gate in [gate for gate in gates if hasattr(layer, gate)]:
            W, b = getattr(layer, gate).params
            parameters |= {f"{k}.{gate}.W": W, f"{k}.{gate}.b": b}
        if isinstance(layer, Embedding):
            parameters[f"{k}.E"] = layer.embedding_matrix
        elif hasattr(layer, "linear_matrix"):
            parameters |= {f"{k}.W": layer.linear_matrix, f"{k}.b": layer.bias_matrix}
        if hasattr(layer, "initial_hidden_state"):
            parameters[f"{k}.initial"] = layer.initial_hidden_state
    return parameters


def start(layer, rows):
    return T.repeat(T.shape_padleft(layer.initial_hidden_state), rows, axis=0)


def over_time(model, x):
    """Return the last layer's activation (T, B, K) in a loop over x (T, B, …)."""
    recurrent = [layer for layer in model.layers if hasattr(layer, "initial_hidden_state")]

    def step(x, *states):
        states = list(states)
        if isinstance(model.layers[0], GatedInput):
            states.insert(0, recurrent[0].postprocess_activation(states[0]))
        elif isinstance(model.layers[0], Embedding):
            states.insert(0, None)
        activations = model.forward(x, states)
        kept = [a for layer, a in zip(model.layers, activations, strict=True) if layer in recurrent]
        return [*kept, activations[-1]]

    outputs_info = [{"initial": start(layer, x.shape[1]), "taps": [-1]} for layer in recurrent]
    results, _ = theano.scan(step, sequences=[x], outputs_info=[*outputs_info, None])
    return results[-1]


def fused(model, x, lengths):
    """Return the same as `over_time`, each recurrent layer as one Op."""
    for layer in model.layers[:-1]:
        x = layer.sequence(x) if isinstance(layer, Embedding) else layer.sequence(x, lengths)[0]
    return model.layers[-1].activate(x.reshape((-1, x.shape[2]))).reshape((x.shape[0], x.shape[1], -1))


def tagging_graph(model, run=over_time, ids=False):
    """Every step has a target: inputs, cost, output (T, B, K)."""
    x, y, lengths = T.dtensor3("x"), T.imatrix("y"), T.lvector("lengths")
    steps, rows = T.arange(x.shape[0])[:, None], T.arange(x.shape[1])[None, :]
    mask = T.cast(steps < lengths[None, :], "float64")
    probabilities = run(model, x, lengths) if run is fused else run(model, x)
    cost = -(T.log(probabilities[steps, rows, y]) * mask).sum() / mask.sum()
    return [x, y, lengths], cost, probabilities * mask[:, :, None]


def labelling_graph(model, run=over_time):
    """Each sequence has one target, at its last step: inputs, cost, output (B, K)."""
    x, y, lengths = T.imatrix("x"), T.ivector("y"), T.lvector("lengths")
    probabilities = run(model, x, lengths) if run is fused else run(model, x)
    rows = T.arange(x.shape[1])
    last = probabilities[lengths - 1, rows]
    return [x, y, lengths], -T.log(last[rows, y]).mean(), last


def pendulum(state, u, M1, M2, L1, L2, G, dt):
    """Return the next state (B, 4) of a double pendulum whose second angle is accelerated by u (B,)."""
    th1, w1, th2, w2 = state[:, 0], state[:, 1], state[:, 2], state[:, 3]
    sin, cos = T.sin(th2 - th1), T.cos(th2 - th1)
    den1 = (M1 + M2) * L1 - M2 * L1 * cos**2
    pull = M2 * L1 * w1**2 * sin * cos + M2 * G * T.sin(th2) * cos + M2 * L2 * w2**2 * sin
    a1 = (pull - (M1 + M2) * G * T.sin(th1)) / den1
    swing = (M1 + M2) * (G * T.sin(th1) * cos - L1 * w1**2 * sin - G * T.sin(th2))
    a2 = (-M2 * L2 * w2**2 * sin * cos + swing) / (L2 / L1 * den1) + u
    return state + dt * T.stack([w1, a1, w2, a2], axis=1)


def closed_loop_graph(model):
    """The output drives the pendulum, whose next state is the next input: inputs, cost, states (T, B, 4)."""
    x0, target = T.dmatrix("x0"), T.dmatrix("target")

    def step(state, *states):
        *states, u = model.forward(state, states)
        return [pendulum(state, u[:, 0], **DOUBLE_PENDULUM), *states]

    outputs_info = [x0, *(start(layer, x0.shape[0]) for layer in model.layers[:-1])]
    results, _ = theano.scan(step, outputs_info=outputs_info, n_steps=15)
    error = results[0][:, :, [0, 2]] - target[:, [0, 2]]
    return [x0, target], T.sqr(error).sum() / (15 * x0.shape[0]), results[0]


@dataclass
class Case:
    """How a case is built: its model, the graph of its cost, and the optimizer's options."""

    model: Callable
    optimizer: dict
    graph: Callable = tagging_graph
    inputs: tuple[str, ...] = ("x", "y", "lengths")
    model_options: dict = field(default_factory=dict)

    def build(self):
        return self.model(**self.model_options)


ADADELTA, ADAGRAD, SGD = {"method": "adadelta"}, {"method": "adagrad", "lr": 0.05}, {"method": "sgd", "lr": 0.1}

CASES = {
    "lstm_adadelta": Case(stacked, ADADELTA, model_options={"celltype": LSTM}),
    "lstm_identity_gate_sgd": Case(stacked, SGD, model_options={"celltype": LSTM, "identity_gate": True}),
    "rnn_adagrad": Case(stacked, ADAGRAD, model_options={"celltype": RNN}),
    "lstm_clip_elementwise": Case(stacked, SGD, model_options={"celltype": LSTM, "clip_gradients": 0.002}),
    "gated_input_sgd": Case(gated, SGD),
    "embedding_adagrad": Case(with_embedding, {"method": "adagrad", "lr": 0.05}, labelling_graph),
    "closed_loop_adadelta": Case(controller, ADADELTA, closed_loop_graph, ("x0", "target")),
}


def digest(array):
    """Return three numbers on which every element has its own weight."""
    return np.cos(np.outer([1, 2, 3], np.arange(1, array.size + 1))) @ np.ravel(array)


def of_case(numbers, name):
    """Return the numbers of one case by their own names."""
    return {key.partition("/")[2]: value for key, value in numbers.items() if key.startswith(f"{name}/")}


def assert_close(arrays, expected):
    """Compare the digests, each to 1e-9 of the length of its array."""
    for (name, array), digits in zip(arrays.items(), expected, strict=True):
        np.testing.assert_allclose(digest(array), digits, rtol=1e-9, atol=1e-9 * np.linalg.norm(array), err_msg=name)


def set_vector(parameters, vector):
    """Set parameters from one vector that holds them one after the other."""
    for parameter in parameters.values():
        shape = parameter.get_value().shape
        part, vector = np.split(vector, [int(np.prod(shape))])
        parameter.set_value(part.reshape(shape))
    assert not vector.size


def train(case, numbers, graph=None):
    """Return the first output, the first gradients by name, five costs, and the parameters after five updates."""
    model = case.build()
    parameters = named(model)
    set_vector(parameters, numbers["p0"])
    inputs, cost, output = (graph or case.graph)(model)
    gradients = T.grad(cost, list(parameters.values()))
    updates, *_ = create_optimization_updates(cost, list(parameters.values()), gradients=gradients, **case.optimizer)
    function = theano.function(inputs, [cost, output, *gradients], updates=updates)
    calls = [function(*(numbers[name] for name in case.inputs)) for _ in range(5)]
    _, first_output, *first_gradients = calls[0]
    after = {name: parameter.get_value() for name, parameter in parameters.items()}
    return first_output, dict(zip(parameters, first_gradients, strict=True)), [call[0] for call in calls], after
