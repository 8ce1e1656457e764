"""A restricted Boltzmann machine at each time step, its biases from a recurrent layer: a scan whose steps scan."""

import numpy

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

numpy.random.seed(0xBEEF)
rng = RandomStreams(seed=numpy.random.randint(1 << 30))
theano.config.warn.subtensor_merge_bug = False


def build_rbm(v, W, bv, bh, k):
    def gibbs_step(v):
        mean_h = T.nnet.sigmoid(T.dot(v, W) + bh)
        h = rng.binomial(size=mean_h.shape, n=1, p=mean_h, dtype=theano.config.floatX)
        mean_v = T.nnet.sigmoid(T.dot(h, W.T) + bv)
        v = rng.binomial(size=mean_v.shape, n=1, p=mean_v, dtype=theano.config.floatX)
        return mean_v, v

    chain, updates = theano.scan(lambda v: gibbs_step(v)[1], outputs_info=[v], n_steps=k)
    v_sample = chain[-1]
    mean_v = gibbs_step(v_sample)[0]
    monitor = T.xlogx.xlogy0(v, mean_v) + T.xlogx.xlogy0(1 - v, 1 - mean_v)

    def free_energy(v):
        return -(v * bv).sum() - T.log(1 + T.exp(T.dot(v, W) + bh)).sum()

    cost = (free_energy(v) - free_energy(v_sample)) / v.shape[0]
    return v_sample, cost, monitor.sum() / v.shape[0], updates


def shared_normal(num_rows, num_cols, scale=0.1):
    return theano.shared(numpy.random.normal(scale=scale, size=(num_rows, num_cols)).astype(theano.config.floatX))


def shared_zeros(*shape):
    return theano.shared(numpy.zeros(shape, dtype=theano.config.floatX))


def build_rnnrbm(n_visible, n_hidden, n_hidden_recurrent):
    W, bv, bh = shared_normal(n_visible, n_hidden, 0.01), shared_zeros(n_visible), shared_zeros(n_hidden)
    Wuh, Wuv = shared_normal(n_hidden_recurrent, n_hidden), shared_normal(n_hidden_recurrent, n_visible)
    Wvu, Wuu = shared_normal(n_visible, n_hidden_recurrent, 0.5), shared_normal(n_hidden_recurrent, n_hidden_recurrent)
    bu = shared_zeros(n_hidden_recurrent)
    params = W, bv, bh, Wuh, Wuv, Wvu, Wuu, bu
    v, u0 = T.matrix(), T.zeros((n_hidden_recurrent,))

    def recurrence(v_t, u_tm1):
        bv_t = bv + T.dot(u_tm1, Wuv)
        bh_t = bh + T.dot(u_tm1, Wuh)
        generate = v_t is None
        if generate:
            v_t, _, _, updates = build_rbm(T.zeros((n_visible,)), W, bv_t, bh_t, k=10)
        u_t = T.tanh(bu + T.dot(v_t, Wvu) + T.dot(u_tm1, Wuu))
        return ([v_t, u_t], updates) if generate else [u_t, bv_t, bh_t]

    (u_t, bv_t, bh_t), updates_train = theano.scan(
        lambda v_t, u_tm1, *_: recurrence(v_t, u_tm1), sequences=v, outputs_info=[u0, None, None], non_sequences=params
    )
    v_sample, cost, monitor, updates_rbm = build_rbm(v, W, bv_t[:], bh_t[:], k=10)
    updates_train.update(updates_rbm)
    (v_t, u_t), updates_generate = theano.scan(
        lambda u_tm1, *_: recurrence(None, u_tm1), outputs_info=[None, u0], non_sequences=params, n_steps=20
    )
    return v, v_sample, cost, monitor, params, updates_train, v_t, updates_generate


v, v_sample, cost, monitor, params, updates_train, v_t, updates_generate = build_rnnrbm(6, 8, 8)
gradient = T.grad(cost, params, consider_constant=[v_sample])
updates_train.update(((p, p - 0.2 * g) for p, g in zip(params, gradient)))
train_function = theano.function([v], monitor, updates=updates_train)
generate_function = theano.function([], v_t, updates=updates_generate)

# the place of a one moves on by one in each step
piece = numpy.eye(6)[numpy.arange(24) % 6].astype(theano.config.floatX)
monitors = [float(train_function(piece)) for epoch in range(100)]
first, second = generate_function(), generate_function()

if __name__ == "__main__":
    print("%.3f -> %.3f" % (numpy.mean(monitors[:5]), numpy.mean(monitors[-5:])))
    print(first)

assert numpy.mean(monitors[-5:]) > 0.7 * numpy.mean(monitors[:5])  # logarithms of likelihoods: towards zero
assert first.shape == (20, 6) and (first != second).any()
