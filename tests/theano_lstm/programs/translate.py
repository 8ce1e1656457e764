"""Encoder and decoder with a mask: a sequence of symbols is repeated backwards, then decoded with `until`."""

import pickle

import numpy as np

import lstm_cli.theano
from lstm_cli.theano import tensor

theano = lstm_cli.theano
config = theano.config
numpy = np
n_words, dim = 6, 20  # 0 ends a sentence
rng = np.random.RandomState(7)


def numpy_floatX(data):
    return numpy.asarray(data, dtype=config.floatX)


def init_params():
    params = {}
    params["Wemb"] = numpy_floatX(0.3 * rng.randn(n_words, dim))
    for prefix in ("encoder", "decoder"):
        params[prefix + "_W"] = numpy_floatX(0.3 * rng.randn(dim, dim * 2))
        params[prefix + "_Wx"] = numpy_floatX(0.3 * rng.randn(dim, dim))
        params[prefix + "_U"] = numpy_floatX(0.3 * rng.randn(dim, dim * 2))
        params[prefix + "_Ux"] = numpy_floatX(0.3 * rng.randn(dim, dim))
    params["ff_W"] = numpy_floatX(0.3 * rng.randn(dim, n_words))
    params["ff_b"] = numpy_floatX(numpy.zeros(n_words))
    return params


params = init_params()
tparams = {name: theano.shared(value, name=name) for name, value in params.items()}


def gru_step(prefix):
    U, Ux = tparams[prefix + "_U"], tparams[prefix + "_Ux"]

    def step(m_, x_, xx_, h_):
        gates = tensor.nnet.sigmoid(tensor.dot(h_, U) + x_)
        r, u = gates[:, :dim], gates[:, dim:]
        h = tensor.tanh(tensor.dot(h_, Ux) * r + xx_)
        h = u * h_ + (1.0 - u) * h
        return m_[:, None] * h + (1.0 - m_)[:, None] * h_

    return step


def layer(prefix, emb, mask, init):
    sequences = [mask, tensor.dot(emb, tparams[prefix + "_W"]), tensor.dot(emb, tparams[prefix + "_Wx"])]
    rval, updates = theano.scan(
        gru_step(prefix),
        sequences=sequences,
        outputs_info=[init],
        name=prefix + "_layers",
        n_steps=emb.shape[0],
        profile=False,
    )
    return rval


x, x_mask = tensor.matrix("x", dtype="int64"), tensor.matrix("x_mask", dtype=config.floatX)
y, y_mask = tensor.matrix("y", dtype="int64"), tensor.matrix("y_mask", dtype=config.floatX)
x.tag.test_value = np.array([[1, 2], [0, 3], [0, 0]])
n_timesteps, n_samples = x.shape[0], x.shape[1]
emb = tparams["Wemb"][x.flatten()].reshape([n_timesteps, n_samples, dim])
context = layer("encoder", emb, x_mask, tensor.alloc(numpy_floatX(0.0), n_samples, dim))[-1]
shifted = tensor.zeros_like(y)
shifted = tensor.set_subtensor(shifted[1:], y[:-1])
hidden = layer("decoder", tparams["Wemb"][shifted], y_mask, context)
logit = tensor.dot(hidden, tparams["ff_W"]) + tparams["ff_b"]
shape = logit.shape
probs = tensor.nnet.softmax(logit.reshape([shape[0] * shape[1], shape[2]]))
flat = y.flatten()
cost = -tensor.log(probs[tensor.arange(flat.shape[0]), flat])
cost = ((cost.reshape([y.shape[0], y.shape[1]]) * y_mask).sum(0) / y_mask.sum(0)).mean()

grads = tensor.grad(cost, wrt=list(tparams.values()))
g2 = sum((g**2).sum() for g in grads)
grads = [tensor.switch(g2 > 1.0, g / tensor.sqrt(g2), g) for g in grads]


def adadelta(tparams, grads, inp, cost):
    zipped_grads = [theano.shared(p.get_value() * numpy_floatX(0.0), name="%s_grad" % k) for k, p in tparams.items()]
    running_up2 = [theano.shared(p.get_value() * numpy_floatX(0.0), name="%s_rup2" % k) for k, p in tparams.items()]
    running_grads2 = [
        theano.shared(p.get_value() * numpy_floatX(0.0), name="%s_rgrad2" % k) for k, p in tparams.items()
    ]
    zgup = [(zg, g) for zg, g in zip(zipped_grads, grads)]
    rg2up = [(rg2, 0.9 * rg2 + 0.1 * (g**2)) for rg2, g in zip(running_grads2, grads)]
    f_grad_shared = theano.function(inp, cost, updates=zgup + rg2up, name="adadelta_f_grad_shared")
    updir = [
        -tensor.sqrt(ru2 + 1e-4) / tensor.sqrt(rg2 + 1e-4) * zg
        for zg, ru2, rg2 in zip(zipped_grads, running_up2, running_grads2)
    ]
    ru2up = [(ru2, 0.9 * ru2 + 0.1 * (ud**2)) for ru2, ud in zip(running_up2, updir)]
    param_up = [(p, p + ud) for p, ud in zip(tparams.values(), updir)]
    lr = tensor.scalar(name="lr")
    f_update = theano.function([lr], [], updates=ru2up + param_up, on_unused_input="ignore", name="adadelta_f_update")
    return f_grad_shared, f_update


f_grad_shared, f_update = adadelta(tparams, grads, [x, x_mask, y, y_mask], cost)

# decode one sentence at a time, as rows of one
source = tensor.lmatrix("source")
emb1 = tparams["Wemb"][source.flatten()].reshape([source.shape[0], 1, dim])
start = layer("encoder", emb1, tensor.ones((source.shape[0], 1)), tensor.unbroadcast(tensor.zeros((1, dim)), 0))[-1]
step = gru_step("decoder")


def decode(word, h):
    e = tparams["Wemb"][word]
    h = step(tensor.ones((1,)), tensor.dot(e, tparams["decoder_W"]), tensor.dot(e, tparams["decoder_Wx"]), h)
    new = tensor.argmax(tensor.dot(h, tparams["ff_W"]) + tparams["ff_b"], axis=1)
    return (new, h), theano.scan_module.until(tensor.eq(new[0], 0))


(decoded, _), _ = theano.scan(decode, outputs_info=[tensor.zeros((1,), dtype="int64"), start], n_steps=10)
translate = theano.function([source], decoded.flatten())

sentences = [list(s) for s in ([1, 2, 3], [3, 2], [5, 1, 4], [2, 5], [4, 4, 1], [1, 5], [3, 1, 2], [4, 2])]


def prepare(sentences):
    longest = max(map(len, sentences)) + 1
    out, mask = np.zeros((longest, len(sentences)), dtype="int64"), np.zeros((longest, len(sentences)), config.floatX)
    for k, s in enumerate(sentences):
        out[: len(s), k] = s
        mask[: len(s) + 1, k] = 1.0
    return out, mask


batch = prepare(sentences) + prepare([s[::-1] for s in sentences])
costs = []
for update in range(150):
    costs.append(float(f_grad_shared(*batch)))
    f_update(1.0)
saved = pickle.dumps({k: p.get_value() for k, p in tparams.items()}, protocol=pickle.HIGHEST_PROTOCOL)
answers = [list(translate(np.array(s + [0])[:, None])) for s in sentences]
right = sum(answer == s[::-1] + [0] for s, answer in zip(sentences, answers))

if __name__ == "__main__":
    print("%.3f -> %.3f, right: %d of %d" % (costs[0], costs[-1], right, len(sentences)))

assert costs[-1] < 0.5 * costs[0], (costs[0], costs[-1])
assert sorted(pickle.loads(saved)) == sorted(params)
assert right >= 3, answers
