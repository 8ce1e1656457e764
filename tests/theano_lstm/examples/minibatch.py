"""A minibatch of sequences of equal length: every row of a matrix is one of them.

As a theano-lstm script of 2015 would be written; only its imports differ. The original README's own text could not run:
the model has two names, observations are integers, the system takes one row, initial states have none. That is mended.
"""

# ruff: noqa: C408, RUF005, UP031 (as such scripts are written)

import numpy as np

from lstm_cli import LSTM, Layer, StackedCells, create_optimization_updates
from lstm_cli.theano_lstm import theano

T = theano.tensor

M1, M2, L1, L2, G, dt = 1.0, 0.7, 1.0, 0.8, 9.81, 0.02

stacked_rnn = StackedCells(4, layers=[20, 20], activation=T.tanh, celltype=LSTM)
stacked_rnn.layers[0].in_gate2.activation = lambda x: x
stacked_rnn.layers.append(Layer(20, 1, lambda x: x))


def dynamics(x, u):
    """A double pendulum; x has a row for each pendulum: two angles, each with its velocity after it."""
    x, u = x.T, u[:, 0]
    dydx = T.alloc(0.0, 4, x.shape[1])
    dydx = T.set_subtensor(dydx[0], x[1])
    del_ = x[2] - x[0]
    den1 = (M1 + M2) * L1 - M2 * L1 * T.cos(del_) * T.cos(del_)
    dydx = T.set_subtensor(
        dydx[1],
        (
            M2 * L1 * x[1] * x[1] * T.sin(del_) * T.cos(del_)
            + M2 * G * T.sin(x[2]) * T.cos(del_)
            + M2 * L2 * x[3] * x[3] * T.sin(del_)
            - (M1 + M2) * G * T.sin(x[0])
        )
        / den1,
    )
    dydx = T.set_subtensor(dydx[2], x[3])
    den2 = (L2 / L1) * den1
    dydx = T.set_subtensor(
        dydx[3],
        (
            -M2 * L2 * x[3] * x[3] * T.sin(del_) * T.cos(del_)
            + (M1 + M2) * G * T.sin(x[0]) * T.cos(del_)
            - (M1 + M2) * L1 * x[1] * x[1] * T.sin(del_)
            - (M1 + M2) * G * T.sin(x[2])
        )
        / den2
        + u,
    )
    return (x + dydx * dt).T


def step(x, *prev_hiddens):
    new_states = stacked_rnn.forward(x, prev_hiddens, dropout=[])
    return [dynamics(x, new_states[-1])] + new_states[:-1]


# a matrix of observations, and as many rows of every initial state:
initial_obs = T.matrix()
timesteps = T.iscalar()


def initial_state(layer):
    return T.repeat(T.shape_padleft(layer.initial_hidden_state), initial_obs.shape[0], axis=0)


result, updates = theano.scan(
    step,
    n_steps=timesteps,
    outputs_info=[dict(initial=initial_obs, taps=[-1])]
    + [
        dict(initial=initial_state(layer), taps=[-1])
        for layer in stacked_rnn.layers
        if hasattr(layer, "initial_hidden_state")
    ],
)

target = T.matrix()

cost = (result[0][:, :, [0, 2]] - target[:, [0, 2]]).norm(L=2) / timesteps

updates, gsums, xsums, lr, max_norm = create_optimization_updates(cost, stacked_rnn.params, method="adadelta")

update_fun = theano.function([initial_obs, target, timesteps], cost, updates=updates, allow_input_downcast=True)

rng = np.random.RandomState(0)
minibatch, labels = rng.uniform(-1, 1, (5, 4)), np.zeros((5, 4))

costs = [float(update_fun(minibatch, labels, 10)) for epoch in range(20)]

if __name__ == "__main__":
    print("cost before %.4f, after %.4f" % (costs[0], costs[-1]))
