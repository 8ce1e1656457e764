"""A word model on padded sentences, with new dropout masks at each step of the scan."""

from collections import Counter, OrderedDict

import numpy as np

from lstm_cli import (
    LSTM,
    Dropout,
    Embedding,
    Layer,
    MultiDropout,
    StackedCells,
    apply_dropout,
    create_optimization_updates,
    masked_loss,
)
from lstm_cli.theano.compile.nanguardmode import NanGuardMode
from lstm_cli import theano

T = theano.tensor
floatX = theano.config.floatX

sentences = [
    s.split()
    for s in (
        "i like green tea",
        "you like black tea",
        "i drink green tea with milk",
        "you drink black coffee",
        "we like coffee with milk",
    )
]
counts = Counter(w for s in sentences for w in s)
vocab = ["<s>", "</s>"] + [w for w, _ in counts.most_common()]
index = {w: i for i, w in enumerate(vocab)}
longest = max(len(s) for s in sentences) + 2
lines = np.zeros((len(sentences), longest), dtype="int32")
lengths = np.zeros(len(sentences), dtype="int32")
for k, s in enumerate(sentences):
    ids = [index["<s>"]] + [index[w] for w in s] + [index["</s>"]]
    lines[k, : len(ids)] = ids
    lengths[k] = len(ids)

hidden, drop_prob = [12], theano.shared(np.asarray(0.2, dtype=floatX), name="dropout")


def softmax(x):
    return T.nnet.softmax(x.T).T


model = StackedCells(10, celltype=LSTM, layers=hidden, activation=T.tanh)
model.layers.insert(0, Embedding(len(vocab), 10))
model.layers.append(Layer(hidden[-1], len(vocab), activation=softmax))

mat, lens = T.imatrix("mat"), T.ivector("lens")


def initial(layer):
    return dict(initial=T.repeat(T.shape_padleft(layer.initial_hidden_state), mat.shape[0], axis=0), taps=[-1])


def step(idx, *states):
    masks = [None] + MultiDropout([(mat.shape[0], 10)] + [(mat.shape[0], n) for n in hidden], drop_prob)
    new = model.forward(idx, [None] + list(states) + [None], masks)
    return new[1:]


outputs, updates = theano.scan(
    step, sequences=[mat[:, :-1].T], outputs_info=[initial(layer) for layer in model.layers[1:-1]] + [None]
)
probs = outputs[-1].dimshuffle(1, 0, 2)
losses = masked_loss(probs, mat[:, 1:], lens - 1, T.zeros_like(lens))
error = losses.sum() / T.cast(lens - 1, floatX).sum()

updates, _, _, lr, _ = create_optimization_updates(error, model.params, updates=updates, lr=0.1, method="adagrad")
train = theano.function([mat, lens], error, updates=updates, mode=NanGuardMode(True, True, True))
evaluate = theano.function(
    [mat, lens], [error, probs], givens=OrderedDict([(drop_prob, T.constant(0.0, dtype=floatX))])
)
with_dropout = theano.function([mat, lens], error, no_default_updates=True)

before, _ = evaluate(lines, lengths)
for epoch in range(14):
    if epoch == 8:
        lr.set_value(np.asarray(lr.get_value() / 2, dtype=floatX))
    train(lines, lengths)
after, p = evaluate(lines, lengths)
mask = theano.function([], Dropout((1000,), 0.3))()
kept = theano.function([], apply_dropout(T.ones(4), None))()

if __name__ == "__main__":
    print("%.3f -> %.3f" % (before, after))

assert after < 0.7 * before, (before, after)
assert evaluate(lines, lengths)[0] == after
np.testing.assert_allclose(p.sum(axis=2), 1, rtol=1e-5)
assert 0.6 < mask.mean() < 0.8 and (kept == 1).all()
