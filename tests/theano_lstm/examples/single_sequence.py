"""One sequence at a time: the network's output drives a system, whose next state is its next input.

As a theano-lstm script of 2015 would be written; only its imports differ. The original README leaves the system to the
reader; here it is a cart.
"""

# ruff: noqa: C408, RUF005, UP031 (as such scripts are written)

import numpy as np

from lstm_cli import LSTM, Layer, StackedCells, create_optimization_updates
from lstm_cli.theano_lstm import theano

T = theano.tensor

dropout = 0.0

model = StackedCells(4, layers=[20, 20], activation=T.tanh, celltype=LSTM)
# the modulation of the first layer's input is linear:
model.layers[0].in_gate2.activation = lambda x: x
# softmax makes a vector a matrix with one row:
model.layers.append(Layer(20, 2, lambda x: T.nnet.softmax(x)[0]))


def dynamics(x, u):
    """A cart with a spring and a drag, pulled in two directions by the output."""
    velocity = T.concatenate([x[2:], -0.5 * x[:2] - 0.1 * x[2:] + u])
    return x + 0.1 * velocity


def step(x, *prev_hiddens):
    new_states = model.forward(x, prev_hiddens, dropout)
    return [dynamics(x, new_states[-1])] + new_states[:-1]


initial_obs = T.vector()
timesteps = T.iscalar()

result, updates = theano.scan(
    step,
    n_steps=timesteps,
    outputs_info=[dict(initial=initial_obs, taps=[-1])]
    + [
        dict(initial=layer.initial_hidden_state, taps=[-1])
        for layer in model.layers
        if hasattr(layer, "initial_hidden_state")
    ],
)

target = T.vector()

cost = (result[0][:, [0, 2]] - target[[0, 2]]).norm(L=2) / timesteps

updates, gsums, xsums, lr, max_norm = create_optimization_updates(cost, model.params, method="adadelta")

update_fun = theano.function([initial_obs, target, timesteps], cost, updates=updates, allow_input_downcast=True)
predict_fun = theano.function([initial_obs, timesteps], result[0], allow_input_downcast=True)

rng = np.random.RandomState(0)
example, label = rng.uniform(-1, 1, 4), np.zeros(4)

costs = [float(update_fun(example, label, 10)) for epoch in range(20)]
trajectory = predict_fun(example, 10)

if __name__ == "__main__":
    print("cost before %.4f, after %.4f" % (costs[0], costs[-1]))
