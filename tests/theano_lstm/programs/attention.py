"""Where to look: features of small pictures by convolution, attention in a scan, soft or one place drawn at random."""

from collections import OrderedDict

import numpy as np

from lstm_cli import theano
import lstm_cli.theano.tensor as T
from lstm_cli.theano.tensor.nnet import conv2d
from lstm_cli.theano.tensor.signal import pool
from lstm_cli.theano.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams

floatX = theano.config.floatX
trng = RandomStreams(1234)
rng = np.random.RandomState(2)


def ortho(n):
    u, s, v = np.linalg.svd(rng.randn(n, n))
    return u.astype(floatX)


def norm_weight(*shape):
    return (0.3 * rng.randn(*shape)).astype(floatX)


dim, n_out, n_maps = 10, 4, 4
params = OrderedDict()
params["K"] = norm_weight(n_maps, 1, 3, 3)
params["Wc_att"] = norm_weight(n_maps, n_maps)
params["Wd_att"] = norm_weight(dim, n_maps)
params["U_att"] = norm_weight(n_maps, 1)
params["c_att"] = np.zeros((1,), dtype=floatX)
params["W"] = norm_weight(n_maps, 4 * dim)
params["U"] = np.concatenate([ortho(dim)] * 4, axis=1)
params["b"] = np.zeros((4 * dim,), dtype=floatX)
params["Wo"], params["bo"] = norm_weight(dim, n_out), np.zeros((n_out,), dtype=floatX)
tparams = OrderedDict((k, theano.shared(v, name=k)) for k, v in params.items())


def _slice(_x, n, dim):
    if _x.ndim == 3:
        return _x[:, :, n * dim : (n + 1) * dim]
    return _x[:, n * dim : (n + 1) * dim]


def build(hard):
    pictures, y = T.tensor4("pictures", dtype=floatX), T.lvector("y")
    maps = T.nnet.relu(conv2d(pictures, tparams["K"], border_mode="valid"))
    maps = pool.pool_2d(maps, (2, 2), ignore_border=True)
    n_samples = pictures.shape[0]
    ctx = maps.flatten(3).dimshuffle(0, 2, 1)  # (sample, place, map)
    pctx = T.dot(ctx, tparams["Wc_att"])

    def _step(h_, c_, a_, ctx_, pctx_):
        att = T.tanh(pctx_ + T.dot(h_, tparams["Wd_att"])[:, None, :])
        alpha = T.dot(att, tparams["U_att"]) + tparams["c_att"]
        alpha = T.nnet.softmax(5 * alpha.reshape([alpha.shape[0], alpha.shape[1]]))
        if hard:
            sample = trng.multinomial(pvals=alpha, dtype=floatX)
            seen = T.batched_dot(sample.dimshuffle(0, "x", 1), ctx_)[:, 0]
        else:
            sample = alpha
            seen = (ctx_ * alpha[:, :, None]).sum(1)
        preact = T.dot(h_, tparams["U"]) + T.dot(seen, tparams["W"]) + tparams["b"]
        i, f, o = (T.nnet.sigmoid(_slice(preact, k, dim)) for k in range(3))
        c = f * c_ + i * T.tanh(_slice(preact, 3, dim))
        return o * T.tanh(c), c, sample

    (h, c, alphas), updates = theano.scan(
        _step,
        outputs_info=[
            T.alloc(0.0, n_samples, dim),
            T.alloc(0.0, n_samples, dim),
            T.alloc(0.0, n_samples, ctx.shape[1]),
        ],
        non_sequences=[ctx, pctx],
        n_steps=3,
        strict=False,
        name="attention",
        profile=False,
    )
    probs = T.nnet.softmax(T.dot(h[-1], tparams["Wo"]) + tparams["bo"])
    cost = -T.log(probs[T.arange(n_samples), y] + 1e-8)
    if hard:
        # the gradient of a drawn place, with a baseline
        baseline = T.mean(cost)
        advantage = theano.gradient.disconnected_grad(cost - baseline)
        logp = T.log(T.nnet.softmax(5 * T.dot(T.tanh(pctx), tparams["U_att"])[:, :, 0]) + 1e-8)
        penalty = (advantage * (alphas[0] * logp).sum(1)).mean()
        return [pictures, y], cost.mean() + 0.1 * penalty, cost.mean(), alphas, updates
    return [pictures, y], cost.mean() + 0.01 * ((1.0 - alphas.sum(0)) ** 2).sum(1).mean(), cost.mean(), alphas, updates


def adam(cost, tparams, lr=0.02, b1=0.1, b2=0.001, e=1e-8):
    updates = OrderedDict()
    i = theano.shared(np.asarray(0.0, dtype=floatX))
    i_t = i + 1.0
    lr_t = lr * (T.sqrt(1.0 - (1.0 - b2) ** i_t) / (1.0 - (1.0 - b1) ** i_t))
    for p, g in zip(tparams.values(), T.grad(cost, wrt=list(tparams.values()), disconnected_inputs="ignore")):
        m, v = theano.shared(p.get_value() * 0.0), theano.shared(p.get_value() * 0.0)
        updates[m] = (b1 * g) + ((1.0 - b1) * m)
        updates[v] = (b2 * T.sqr(g)) + ((1.0 - b2) * v)
        updates[p] = p - lr_t * (updates[m] / (T.sqrt(updates[v]) + e))
    updates[i] = i_t
    return updates


# a bar that stands or lies in the first or second half of a picture of noise
pictures, labels = 0.1 * rng.randn(24, 1, 8, 8), np.arange(24) % 4
for picture, label in zip(pictures[:, 0], labels):
    place = 1 if label % 2 else 5
    if label < 2:
        picture[:, place] += 1
    else:
        picture[place, :] += 1
pictures = pictures.astype(floatX)

learned = {}
for hard in (False, True):
    for name, value in params.items():
        tparams[name].set_value(value)
    inputs, objective, cost, alphas, scan_updates = build(hard)
    train = theano.function(
        inputs, [cost, alphas], updates=list(adam(objective, tparams).items()) + list(scan_updates.items())
    )
    costs = []
    for update in range(25):
        value, places = train(pictures, labels)
        costs.append(float(value))
    learned[hard] = costs[0], np.mean(costs[-5:]), places

if __name__ == "__main__":
    print({hard: values[:2] for hard, values in learned.items()})

for hard, (first, last, places) in learned.items():
    assert last < 0.75 * first, (hard, first, last)
    np.testing.assert_allclose(places.sum(axis=2), 1, rtol=1e-5)
assert set(np.unique(learned[True][2])) <= {0.0, 1.0}
