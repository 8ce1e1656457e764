"""A restricted Boltzmann machine trained by persistent contrastive divergence, its chain a scan with random updates."""

import numpy

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams


class RBM(object):
    def __init__(
        self, input=None, n_visible=784, n_hidden=500, W=None, hbias=None, vbias=None, numpy_rng=None, theano_rng=None
    ):
        self.n_visible, self.n_hidden = n_visible, n_hidden
        if numpy_rng is None:
            numpy_rng = numpy.random.RandomState(1234)
        if theano_rng is None:
            theano_rng = RandomStreams(numpy_rng.randint(2**30))
        if W is None:
            bound = 4 * numpy.sqrt(6.0 / (n_hidden + n_visible))
            W = theano.shared(
                value=numpy.asarray(
                    numpy_rng.uniform(low=-bound, high=bound, size=(n_visible, n_hidden)), dtype=theano.config.floatX
                ),
                name="W",
                borrow=True,
            )
        if hbias is None:
            hbias = theano.shared(value=numpy.zeros(n_hidden, dtype=theano.config.floatX), name="hbias", borrow=True)
        if vbias is None:
            vbias = theano.shared(value=numpy.zeros(n_visible, dtype=theano.config.floatX), name="vbias", borrow=True)
        self.input = input if input is not None else T.matrix("input")
        self.W, self.hbias, self.vbias, self.theano_rng = W, hbias, vbias, theano_rng
        self.params = [self.W, self.hbias, self.vbias]

    def free_energy(self, v_sample):
        wx_b = T.dot(v_sample, self.W) + self.hbias
        return -T.sum(T.log(1 + T.exp(wx_b)), axis=1) - T.dot(v_sample, self.vbias)

    def propup(self, vis):
        pre = T.dot(vis, self.W) + self.hbias
        return [pre, T.nnet.sigmoid(pre)]

    def sample_h_given_v(self, v0):
        pre, mean = self.propup(v0)
        return [pre, mean, self.theano_rng.binomial(size=mean.shape, n=1, p=mean, dtype=theano.config.floatX)]

    def sample_v_given_h(self, h0):
        pre = T.dot(h0, self.W.T) + self.vbias
        mean = T.nnet.sigmoid(pre)
        return [pre, mean, self.theano_rng.binomial(size=mean.shape, n=1, p=mean, dtype=theano.config.floatX)]

    def gibbs_hvh(self, h0_sample):
        pre_v1, v1_mean, v1_sample = self.sample_v_given_h(h0_sample)
        pre_h1, h1_mean, h1_sample = self.sample_h_given_v(v1_sample)
        return [pre_v1, v1_mean, v1_sample, pre_h1, h1_mean, h1_sample]

    def gibbs_vhv(self, v0_sample):
        pre_h1, h1_mean, h1_sample = self.sample_h_given_v(v0_sample)
        pre_v1, v1_mean, v1_sample = self.sample_v_given_h(h1_sample)
        return [pre_h1, h1_mean, h1_sample, pre_v1, v1_mean, v1_sample]

    def get_cost_updates(self, lr=0.1, persistent=None, k=1):
        pre_ph, ph_mean, ph_sample = self.sample_h_given_v(self.input)
        chain_start = ph_sample if persistent is None else persistent
        ([pre_nvs, nv_means, nv_samples, pre_nhs, nh_means, nh_samples], updates) = theano.scan(
            self.gibbs_hvh, outputs_info=[None, None, None, None, None, chain_start], n_steps=k, name="gibbs_hvh"
        )
        chain_end = nv_samples[-1]
        cost = T.mean(self.free_energy(self.input)) - T.mean(self.free_energy(chain_end))
        gparams = T.grad(cost, self.params, consider_constant=[chain_end])
        for gparam, param in zip(gparams, self.params):
            updates[param] = param - gparam * T.cast(lr, dtype=theano.config.floatX)
        if persistent:
            updates[persistent] = nh_samples[-1]
            return self.get_pseudo_likelihood_cost(updates), updates
        return self.get_reconstruction_cost(pre_nvs[-1]), updates

    def get_pseudo_likelihood_cost(self, updates):
        bit_i_idx = theano.shared(value=0, name="bit_i_idx")
        xi = T.round(self.input)
        fe_xi = self.free_energy(xi)
        xi_flip = T.set_subtensor(xi[:, bit_i_idx], 1 - xi[:, bit_i_idx])
        cost = T.mean(self.n_visible * T.log(T.nnet.sigmoid(self.free_energy(xi_flip) - fe_xi)))
        updates[bit_i_idx] = (bit_i_idx + 1) % self.n_visible
        return cost

    def get_reconstruction_cost(self, pre_sigmoid_nv):
        return T.mean(
            T.sum(
                self.input * T.log(T.nnet.sigmoid(pre_sigmoid_nv))
                + (1 - self.input) * T.log(1 - T.nnet.sigmoid(pre_sigmoid_nv)),
                axis=1,
            )
        )


def test_rbm(k, persistent, epochs=60, batch_size=10):
    rng = numpy.random.RandomState(123)
    kinds = numpy.array([[1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1, 0, 0]])
    data = kinds[rng.randint(3, size=60)]
    train_set_x = theano.shared(numpy.asarray(data, dtype=theano.config.floatX), borrow=True)
    index, x = T.lscalar(), T.matrix("x")
    theano_rng = RandomStreams(rng.randint(2**30))
    chain = theano.shared(numpy.zeros((batch_size, 6), dtype=theano.config.floatX), borrow=True) if persistent else None
    rbm = RBM(input=x, n_visible=8, n_hidden=6, numpy_rng=rng, theano_rng=theano_rng)
    cost, updates = rbm.get_cost_updates(lr=0.1, persistent=chain, k=k)
    train_rbm = theano.function(
        [index],
        cost,
        updates=updates,
        givens={x: train_set_x[index * batch_size : (index + 1) * batch_size]},
        name="train_rbm",
    )
    costs = [numpy.mean([train_rbm(i) for i in range(6)]) for epoch in range(epochs)]

    visible = theano.shared(numpy.asarray(data[:5], dtype=theano.config.floatX))
    outputs, updates = theano.scan(
        rbm.gibbs_vhv, outputs_info=[None, None, None, None, None, visible], n_steps=20, name="gibbs_vhv"
    )
    updates.update({visible: outputs[-1][-1]})
    sample = theano.function([], [outputs[-2][-1], outputs[-1][-1]], updates=updates, name="sample_fn")
    means, drawn = sample()
    assert (visible.get_value() == drawn).all() and means.shape == (5, 8)
    again, _ = sample()
    assert (again != means).any()
    return costs


runs = {"cd": test_rbm(1, False), "pcd": test_rbm(3, True)}
if __name__ == "__main__":
    print({name: (costs[0], costs[-1]) for name, costs in runs.items()})
for name, costs in runs.items():
    assert costs[-1] > 0.7 * costs[0], (name, costs[0], costs[-1])  # logarithms of likelihoods: towards zero
