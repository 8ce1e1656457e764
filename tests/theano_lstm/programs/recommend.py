"""Recommending the next item of a session: GRU, sampled negatives, updates of the used rows of a table alone."""

import numpy as np

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli import GRU
from lstm_cli.theano.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams
from lstm_cli.theano.tensor.extra_ops import Unique

floatX = theano.config.floatX
np_rng = np.random.RandomState(5)
n_items, n_dim, batch, n_sample = 12, 8, 4, 5
sessions = np.array(
    [[(start + step * k) % n_items for k in range(6)] for step in (1, 2) for start in range(n_items)], dtype="int32"
)


class GRURec(object):
    def __init__(self, lr=0.1, l2=0.0001):
        self.E = theano.shared(np_rng.uniform(-0.1, 0.1, (n_items, n_dim)).astype(floatX), borrow=True, name="E")
        self.bias = theano.shared(np.zeros(n_items, dtype=floatX), name="By")
        self.gru = GRU(n_dim, n_dim, T.tanh)
        self.rng = RandomStreams(seed=99, use_cuda=False)
        items, targets = T.imatrix("items"), T.imatrix("targets")
        x = self.E[items]
        h0 = T.zeros((items.shape[1], n_dim))
        h, _ = theano.scan(self.gru.activate, sequences=x, outputs_info=h0)

        # logits of the right item and of items drawn at random
        negatives = self.rng.choice(size=(n_sample,), a=n_items, replace=True, dtype="int64")
        wanted = T.sum(h * self.E[targets], axis=2) + self.bias[targets]
        others = T.tensordot(h, self.E[negatives], axes=[[2], [1]]) + self.bias[negatives]
        clash = T.eq(targets.dimshuffle(0, 1, "x"), negatives.dimshuffle("x", "x", 0))
        others = T.switch(clash, T.constant(-50.0, dtype=floatX), others)
        bpr = -T.mean(T.log(T.nnet.sigmoid(wanted.dimshuffle(0, 1, "x") - others) + 1e-12))

        rows = T.concatenate([items.flatten(), targets.flatten()])
        used = self.E[rows]
        cost = bpr + l2 * (used**2).mean()
        updates = []
        for p in self.gru.params:
            acc = theano.shared(np.zeros_like(p.get_value(borrow=True)))
            g = T.grad(bpr, p)
            new = acc + g**2
            updates += [(acc, new), (p, p - lr * g / T.sqrt(new + 1e-6))]
        gE, gb = T.grad(cost, [self.E, self.bias])
        touched = Unique(False, False, False)(rows)
        updates.append((self.E, T.inc_subtensor(self.E[touched], -lr * 10 * gE[touched])))
        updates.append((self.bias, T.set_subtensor(self.bias[negatives], (self.bias - lr * gb)[negatives])))
        self.fit = theano.function([items, targets], cost, updates=updates, allow_input_downcast=True)

        scores = T.dot(h[-1], self.E.T) + self.bias
        self.rank = theano.function([items], T.argsort(-scores, axis=1)[:, :3])
        self.top = theano.function([items], [T.argmax(scores, axis=1), T.max(scores, axis=1)])


model = GRURec()
before = model.E.get_value()
costs = []
for epoch in range(20):
    order = np_rng.permutation(len(sessions))
    for k in range(0, len(order), batch):
        part = sessions[order[k : k + batch]].T
        costs.append(float(model.fit(part[:-1], part[1:])))
first, last = np.mean(costs[:6]), np.mean(costs[-6:])
ranked = model.rank(sessions[:, :-1].T)
hits = np.mean([wanted in found for wanted, found in zip(sessions[:, -1], ranked)])

if __name__ == "__main__":
    print("%.3f -> %.3f, hits at 3: %.2f" % (first, last, hits))

assert last < 0.7 * first, (first, last)
assert hits > 0.5, hits
