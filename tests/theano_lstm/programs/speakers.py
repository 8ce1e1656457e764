"""Several processes' way of training: parameters in shared memory, GRU over both directions, a mask, labels per step."""

from collections import OrderedDict

import numpy as np

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli import GRU, LSTM, Layer, borrow_all_memories, create_optimization_updates, wrap_params
from lstm_cli.theano.compile.sharedvalue import SharedVariable
from lstm_cli.theano.sandbox.rng_mrg import MRG_RandomStreams

mrg = MRG_RandomStreams(42)
rng = np.random.RandomState(11)


class Bidirectional(object):
    def __init__(self, n_in, n_hidden, n_out, p=0.3):
        self.forward, self.backward = LSTM(n_in, n_hidden, T.tanh), GRU(n_in, n_hidden, T.tanh)
        self.out = Layer(2 * n_hidden, n_out, lambda x: T.nnet.softmax(x.T).T)
        self.params = self.forward.params + self.backward.params + self.out.params
        assert all(isinstance(p, SharedVariable) for p in self.params)
        self.n_hidden, self.p = n_hidden, p

    def run(self, x, mask, training):
        def masked(layer):
            def step(x_t, m_t, h_tm1):
                h = layer.activate(x_t, h_tm1)
                return T.switch(m_t[:, None] > 0, h, h_tm1)

            return step

        B = x.shape[1]
        h0 = T.repeat(self.forward.initial_hidden_state[None, :], B, axis=0)
        g0 = T.repeat(self.backward.initial_hidden_state[None, :], B, axis=0)
        f, _ = theano.scan(masked(self.forward), sequences=[x, mask], outputs_info=h0, name="forward")
        b, _ = theano.scan(
            masked(self.backward), sequences=[x, mask], outputs_info=g0, go_backwards=True, name="backward"
        )
        both = T.concatenate([f[:, :, self.n_hidden :], b[::-1]], axis=2)
        if training:
            both *= mrg.binomial(both.shape, p=1 - self.p, dtype=both.dtype) / (1 - self.p)
        flat = both.reshape((-1, both.shape[2]))
        return self.out.activate(flat).reshape((x.shape[0], B, -1))


x, mask, y = T.tensor3("x"), T.matrix("mask"), T.imatrix("y")
net = Bidirectional(2, 8, 2)


def loss(p):
    p = T.clip(p, 1e-7, 1 - 1e-7)
    flat = T.nnet.categorical_crossentropy(p.reshape((-1, p.shape[2])), y.flatten())
    return (flat * mask.flatten()).sum() / mask.sum()


cost, clean = loss(net.run(x, mask, True)), net.run(x, mask, False)
updates = create_optimization_updates(cost, net.params, updates=OrderedDict(), lr=0.1, method="adagrad", max_norm=None)[
    0
]
train = theano.function([x, mask, y], cost, updates=updates, allow_input_downcast=True)
evaluate = theano.function(
    [x, mask, y], [loss(clean), T.neq(clean.argmax(axis=2), y).mean()], allow_input_downcast=True
)

# the label of a step: whether the number before or after it is larger than its own
X = rng.uniform(-1, 1, (8, 16, 2))
M = (np.arange(8)[:, None] < rng.randint(4, 9, 16)[None, :]).astype(float)
padded = np.pad(X[:, :, 0] * M, ((1, 1), (0, 0)))
Y = (padded[:-2] + padded[2:] > 0).astype("int32")

memories = wrap_params(net.params)
other = Bidirectional(2, 8, 2)
borrow_all_memories(other.params, memories)
before, _ = evaluate(X, M, Y)
for epoch in range(60):
    train(X, M, Y)
after, wrong = evaluate(X, M, Y)

if __name__ == "__main__":
    print("%.3f -> %.3f, wrong %.2f" % (before, after, wrong))

assert after < 0.7 * before, (before, after)
for mine, theirs in zip(net.params, other.params):
    assert (mine.get_value() == theirs.get_value()).all()
