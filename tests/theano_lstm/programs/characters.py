"""A character model: one LSTM, trained on pieces of a text, that then writes on its own."""

import numpy as np

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli import LSTM, Embedding, Layer, StackedCells, create_optimization_updates
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

text = "the rain in spain stays mainly in the plain. " * 8
chars = sorted(set(text))
char_to_ix = dict((ch, i) for i, ch in enumerate(chars))
data = np.array([char_to_ix[ch] for ch in text], dtype=np.int32)

hidden_size, seq_length = 16, 15
srng = RandomStreams(seed=234)


def softmax(x):
    if x.ndim > 1:
        return T.nnet.softmax(x.T).T
    return T.nnet.softmax(x)[0]


class CharModel(object):
    def __init__(self):
        self.model = StackedCells(8, celltype=LSTM, layers=[hidden_size], activation=T.tanh)
        self.model.layers.insert(0, Embedding(len(chars), 8))
        self.model.layers.append(Layer(hidden_size, len(chars), softmax))
        self.params = self.model.params + [self.model.layers[1].initial_hidden_state]
        self.make_train()
        self.make_sample()

    def make_train(self):
        x, y = T.ivector("x"), T.ivector("y")

        def recurrence(x_t, h_tm1):
            out = self.model.forward(x_t, [None, h_tm1, None])
            return out[1], out[2]

        [h, p], _ = theano.scan(
            fn=recurrence,
            sequences=x,
            outputs_info=[self.model.layers[1].initial_hidden_state, None],
            n_steps=x.shape[0],
        )
        cost = T.mean(T.nnet.categorical_crossentropy(p, y))
        updates, gsums, xsums, lr, max_norm = create_optimization_updates(cost, self.params, lr=0.1, method="adagrad")
        self.train = theano.function(inputs=[x, y], outputs=cost, updates=updates)

    def make_sample(self):
        seed, n, temperature = T.iscalar("seed"), T.iscalar("n"), T.scalar("temperature")

        def draw(idx, h, temperature):
            out = self.model.forward(idx, [None, h, None])
            p = T.nnet.softmax(T.log(out[2]) / temperature)
            new = T.cast(T.argmax(srng.multinomial(pvals=p, n=1), axis=1)[0], "int32")
            return new, out[1]

        (ix, _), updates = theano.scan(
            draw, outputs_info=[seed, self.model.layers[1].initial_hidden_state], non_sequences=temperature, n_steps=n
        )
        self.sample = theano.function(
            [seed, n, theano.Param(temperature, default=1.0)], ix, updates=updates, allow_input_downcast=True
        )


model = CharModel()
costs = []
for epoch in range(25):
    for p in range(0, 90, seq_length):
        costs.append(float(model.train(data[p : p + seq_length], data[p + 1 : p + seq_length + 1])))
first, last = np.mean(costs[:6]), np.mean(costs[-6:])
written = "".join(chars[i] for i in model.sample(char_to_ix["t"], 40, 0.1))
other = "".join(chars[i] for i in model.sample(char_to_ix["t"], 40, 5.0))

if __name__ == "__main__":
    print("%.3f -> %.3f: %r %r" % (first, last, written, other))

assert len(written) == 40 and written != other
assert last < 0.5 * first, (first, last)
