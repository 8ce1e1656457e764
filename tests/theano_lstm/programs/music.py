"""A biaxial model of music: an LSTM along time for each note, then one along the notes of each time step."""

import numpy as np

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli import LSTM, Layer, StackedCells, create_optimization_updates

theano_lstm_srng = T.shared_randomstreams.RandomStreams(np.random.RandomState(1024).randint(999999))


def has_hidden(layer):
    return hasattr(layer, "initial_hidden_state")


def initial_state_with_taps(layer, dimensions=None):
    if not has_hidden(layer):
        return None
    if dimensions is None:
        state = layer.initial_hidden_state
    else:
        state = T.repeat(T.shape_padleft(layer.initial_hidden_state), dimensions, axis=0)
    return dict(initial=state, taps=[-1])


def get_last_layer(result):
    return result[-1] if isinstance(result, list) else result


class Model(object):
    def __init__(self, t_layer_sizes, p_layer_sizes, dropout=0.5):
        self.dropout = dropout
        self.time_model = StackedCells(5, celltype=LSTM, layers=t_layer_sizes)
        self.pitch_model = StackedCells(t_layer_sizes[-1] + 1, celltype=LSTM, layers=p_layer_sizes)
        self.pitch_model.layers.append(Layer(p_layer_sizes[-1], 1, activation=T.nnet.sigmoid))
        self.params = [l for m in (self.time_model, self.pitch_model) for l in m.params]
        self.setup_train()
        self.setup_predict()

    def setup_train(self):
        x = T.btensor4("x")  # (batch, time, note, features)
        y = T.btensor3("y")  # (batch, time, note)
        xs = x[:, :-1]
        n_batch, n_time, n_note, n_ipn = xs.shape
        time_inputs = (
            T.cast(xs, theano.config.floatX).transpose((1, 0, 2, 3)).reshape((n_time, n_batch * n_note, n_ipn))
        )
        num_time_parallel = time_inputs.shape[1]
        masks = [None] + [
            theano_lstm_srng.binomial(n=1, p=1 - self.dropout, size=(l.hidden_size,), dtype=theano.config.floatX)
            / (1 - self.dropout)
            for l in self.time_model.layers[:-1]
        ]

        def step_time(in_data, *other):
            other = list(other)
            split = -len(self.time_model.layers)
            hiddens, masks = other[:split], [None] + other[split + 1 :]
            return self.time_model.forward(in_data, prev_hiddens=hiddens, dropout=masks)

        time_result, _ = theano.scan(
            fn=lambda a, *o: step_time(
                a, *(o[: len(self.time_model.layers)] + (None,) + o[len(self.time_model.layers) :])
            ),
            sequences=[time_inputs],
            non_sequences=masks[1:],
            outputs_info=[initial_state_with_taps(layer, num_time_parallel) for layer in self.time_model.layers],
        )
        hidden = get_last_layer(time_result)[:, :, -self.time_model.layers[-1].hidden_size :]
        n_hidden = hidden.shape[2]
        time_final = (
            hidden.reshape((n_time, n_batch, n_note, n_hidden))
            .transpose((2, 1, 0, 3))
            .reshape((n_note, n_batch * n_time, n_hidden))
        )

        start = T.alloc(np.array(0, dtype=np.int8), 1, n_batch * n_time)
        correct = y[:, 1:].transpose((2, 0, 1)).reshape((n_note, n_batch * n_time))
        feedback = T.concatenate([start, correct[:-1]], axis=0)
        note_inputs = T.concatenate([time_final, T.cast(T.shape_padright(feedback), theano.config.floatX)], axis=2)

        def step_note(in_data, *hiddens):
            new = self.pitch_model.forward(in_data, prev_hiddens=list(hiddens) + [None])
            return new

        note_result, _ = theano.scan(
            fn=step_note,
            sequences=[note_inputs],
            outputs_info=[initial_state_with_taps(layer, note_inputs.shape[1]) for layer in self.pitch_model.layers],
        )
        final = get_last_layer(note_result).reshape((n_note, n_batch, n_time)).transpose(1, 2, 0)
        ys = y[:, 1:]
        likelihoods = T.log(2 * final * ys - final - ys + 1 + np.float32(1e-7).astype(theano.config.floatX))
        self.cost = T.neg(T.mean(likelihoods))
        updates, _, _, _, _ = create_optimization_updates(self.cost, self.params, method="adadelta")
        self.update_fun = theano.function(inputs=[x, y], outputs=self.cost, updates=updates, allow_input_downcast=True)

    def setup_predict(self):
        notes, length = T.matrix("notes"), T.iscalar("length")
        rng = T.shared_randomstreams.RandomStreams(7)

        def one_note(features, last, *hiddens):
            new = self.pitch_model.forward(T.concatenate([features, last]), prev_hiddens=list(hiddens) + [None])
            play = T.cast(rng.uniform(size=(1,)) < new[-1][0], theano.config.floatX)
            return [play] + new[:-1]

        def one_step(state, *hiddens):
            out = self.time_model.forward(state, prev_hiddens=list(hiddens))
            feats = out[-1][:, -self.time_model.layers[-1].hidden_size :]
            info = [dict(initial=T.unbroadcast(T.zeros((1,)), 0), taps=[-1])]
            info += [initial_state_with_taps(l) for l in self.pitch_model.layers[:-1]]
            played, inner = theano.scan(one_note, sequences=[feats], outputs_info=info)
            chosen = played[0]
            nxt = T.concatenate([state[:, 1:], chosen], axis=1)
            return [nxt, chosen.flatten()] + out, inner

        info = [dict(initial=notes, taps=[-1]), None]
        info += [initial_state_with_taps(l, notes.shape[0]) for l in self.time_model.layers]
        result, updates = theano.scan(one_step, outputs_info=info, n_steps=length)
        self.predict_fun = theano.function([notes, length], result[1], updates=updates, allow_input_downcast=True)


np.random.seed(3)
n_note = 4
pattern = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]], dtype=np.int8)
piece = np.tile(pattern, (3, 1))[:9]
features = np.stack(
    [piece] + [np.roll(piece, k, axis=1) for k in (1, 2, 3)] + [np.tile(np.arange(4, dtype=np.int8), (9, 1))], axis=2
)
x, y = np.stack([features] * 2), np.stack([piece] * 2)

model = Model([10], [8])
costs = [float(model.update_fun(x, y)) for i in range(60)]
song = model.predict_fun(np.zeros((n_note, 5)), 6)

if __name__ == "__main__":
    print("%.3f -> %.3f" % (costs[0], costs[-1]))
    print(song)

assert costs[-1] < 0.9 * costs[0], (costs[0], costs[-1])
assert song.shape == (6, n_note) and set(np.unique(song)) <= {0.0, 1.0}
