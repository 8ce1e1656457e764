"""Forecasting: several sensors, one step ahead, one series at a time with states of one row."""

import numpy as np

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli import LSTM, RNN, GatedInput, Layer, StackedCells, create_optimization_updates

rng = np.random.RandomState(0)
t = np.arange(60)
series = np.stack([np.sin(0.3 * t), np.cos(0.3 * t), np.sin(0.6 * t)], axis=1) + 0.01 * rng.randn(60, 3)
series = series.astype(theano.config.floatX)


def build(celltype, **kwargs):
    model = StackedCells(3, celltype=celltype, layers=[8], activation=T.tanh, **kwargs)
    model.layers.append(Layer(8, 3, lambda x: x))
    x = T.tensor3("x")  # (time, 1, sensor)
    n = model.layers[0].initial_hidden_state.get_value().shape[0]
    h0 = T.unbroadcast(T.alloc(np.asarray(0.0, dtype=theano.config.floatX), 1, n), 0)

    def step(x_t, h_tm1):
        return model.forward(x_t, [h_tm1, None])

    [h, y], _ = theano.scan(step, sequences=[x[:-1]], outputs_info=[h0, None])
    cost = T.sqr(y - x[1:]).mean()
    L2 = sum((p**2).sum() for p in model.params)
    updates, _, _, lr, max_norm = create_optimization_updates(
        cost + 1e-5 * L2, model.params, lr=0.05, max_norm=1.0, method="adagrad"
    )
    return theano.function([x], cost, updates=updates), theano.function([x], y[-1])


results = {}
for celltype, kwargs in [(LSTM, {}), (RNN, {"clip_gradients": 0.1})]:
    fit, predict = build(celltype, **kwargs)
    costs = [float(fit(series[:30, None, :])) for epoch in range(30)]
    results[celltype.__name__] = costs[0], costs[-1], predict(series[:31, None, :]).ravel()

# all sensors in a batch, each scaled by a learned gate on the state of the layer above it
gated = StackedCells(3, celltype=LSTM, layers=[6], activation=T.tanh)
gated.layers.insert(0, GatedInput(3, 6, T.tanh))
gated.layers.append(Layer(6, 3, lambda x: x))
x = T.tensor3()


def gated_step(x_t, h):
    states = [gated.layers[1].postprocess_activation(h), h, None]
    out = gated.forward(x_t, states)
    return out[1], out[2]


state = T.repeat(gated.layers[1].initial_hidden_state.dimshuffle("x", 0), x.shape[1], axis=0)
(_, y), _ = theano.scan(gated_step, sequences=x[:-1], outputs_info=[state, None])
cost = T.sqr(y - x[1:]).mean()
lr = T.scalar("lr")
fit = theano.function(
    [x, lr], cost, updates=[(p, p - lr * g) for p, g in zip(gated.params, T.grad(cost, gated.params))]
)
batch = np.stack([series[k : k + 20] for k in (0, 10, 20, 30)], axis=1)
costs = [float(fit(batch, np.asarray(1.0, theano.config.floatX))) for epoch in range(35)]
results["gated"] = costs[0], costs[-1], None

if __name__ == "__main__":
    for name, (first, last, forecast) in results.items():
        print(name, first, last, forecast)

for name, (first, last, forecast) in results.items():
    assert last < 0.7 * first, (name, first, last)
