"""Sentences of different lengths in one padded matrix: a language model, whose loss looks only at real words.

As a theano-lstm script of 2015 would be written; only its imports differ.
"""

# ruff: noqa: C408, RUF005, UP031 (as such scripts are written)

import numpy as np

from lstm_cli import LSTM, Embedding, Layer, StackedCells, create_optimization_updates, masked_loss
from lstm_cli.theano_lstm import theano

T = theano.tensor

sentences = ["the cat sat", "the dog ran off", "a cat ran", "the dog sat down again"]
words = sorted({word for sentence in sentences for word in sentence.split()}) + ["."]
longest = max(len(sentence.split()) for sentence in sentences) + 1
numerical_lines = np.zeros((len(sentences), longest), dtype=np.int32)
numerical_lengths = np.zeros(len(sentences), dtype=np.int32)
for k, sentence in enumerate(sentences):
    line = [words.index(word) for word in sentence.split() + ["."]]
    numerical_lines[k, : len(line)] = line
    numerical_lengths[k] = len(line)


def softmax(x):
    # a layer hands its activation one column for each example of a batch:
    return T.nnet.softmax(x.T).T if x.ndim > 1 else T.nnet.softmax(x)[0]


def matrixify(vector, n):
    return T.repeat(T.shape_padleft(vector), n, axis=0)


class Model:
    def __init__(self, hidden_size, input_size, vocab_size, stack_size=1, celltype=LSTM):
        self.model = StackedCells(input_size, celltype=celltype, activation=T.tanh, layers=[hidden_size] * stack_size)
        self.model.layers.insert(0, Embedding(vocab_size, input_size))
        self.model.layers.append(Layer(hidden_size, vocab_size, activation=softmax))
        self._stop_word = theano.shared(np.int32(vocab_size - 1), name="stop word")
        self.for_how_long = T.ivector()
        self.input_mat = T.imatrix()
        self.priming_word = T.iscalar()
        self.predictions = self.create_prediction()
        self.greedy_predictions = self.create_prediction(greedy=True)
        self.create_cost_fun()
        self.create_functions()

    @property
    def params(self):
        return self.model.params

    def create_prediction(self, greedy=False):
        def step(idx, *states):
            # the embedding has no state:
            new_states = self.model.forward(idx, prev_hiddens=[None] + list(states))
            if greedy:
                new_idx = new_states[-1].argmax().astype(self.priming_word.dtype)
                return [new_idx] + new_states[1:-1], theano.scan_module.until(T.eq(new_idx, self._stop_word))
            return new_states[1:]

        inputs = self.input_mat[:, 0:-1]
        if greedy:
            outputs_info = [dict(initial=self.priming_word, taps=[-1])] + [
                dict(initial=layer.initial_hidden_state, taps=[-1]) for layer in self.model.layers[1:-1]
            ]
            result, _ = theano.scan(fn=step, n_steps=20, outputs_info=outputs_info)
            return result[0]
        outputs_info = [
            dict(initial=matrixify(layer.initial_hidden_state, inputs.shape[0]), taps=[-1])
            for layer in self.model.layers[1:-1]
        ] + [None]
        result, _ = theano.scan(fn=step, sequences=[inputs.T], outputs_info=outputs_info)
        # from (time, example, word) to (example, time, word):
        return result[-1].transpose((1, 0, 2))

    def create_cost_fun(self):
        # each word is to predict the next:
        what_to_predict = self.input_mat[:, 1:]
        for_how_long = self.for_how_long - 1
        starting_when = T.zeros_like(self.for_how_long)
        self.cost = masked_loss(self.predictions, what_to_predict, for_how_long, starting_when).mean()

    def create_functions(self):
        updates, _, _, _, _ = create_optimization_updates(self.cost, self.params, method="adagrad", lr=0.1)
        self.update_fun = theano.function(
            inputs=[self.input_mat, self.for_how_long], outputs=self.cost, updates=updates, allow_input_downcast=True
        )
        self.greedy_fun = theano.function(
            inputs=[self.priming_word],
            outputs=T.concatenate([T.shape_padleft(self.priming_word), self.greedy_predictions]),
            allow_input_downcast=True,
        )


model = Model(hidden_size=10, input_size=6, vocab_size=len(words))
costs = [float(model.update_fun(numerical_lines, numerical_lengths)) for epoch in range(40)]
sentence = [words[index] for index in model.greedy_fun(words.index("the"))]

if __name__ == "__main__":
    print("cost before %.4f, after %.4f:" % (costs[0], costs[-1]), " ".join(sentence))
