"""What `T.nnet` has beside convolution, against formulas; losses and gradients where probabilities round to 0 or 1."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from sklearn import metrics

from lstm_cli import theano
from lstm_cli.theano.tensor.nnet import bn, nnet, sigm

T = theano.tensor
rng = np.random.default_rng(5)


def numbers(*shape):
    return rng.normal(size=shape)


def value(outputs):
    """What a variable, or each of a list, is."""
    return theano.function([], outputs)()


SCORES = np.array([[0, 1000.0, -1000], [5, -2000, 1]])
UNLIKELY = np.array([0, 1])
LOSSES = {
    "log of all": lambda p, y: -T.log(p)[T.arange(y.shape[0]), y],
    "log of some": lambda p, y: -T.log(p[T.arange(y.shape[0]), y]),
    "log of reshaped": lambda p, y: -T.log(p.reshape((1, 2, 3)).dimshuffle(1, 2, 0)[:, :, 0])[T.arange(2), y],
    "one hot": lambda p, y: -(T.extra_ops.to_one_hot(y, 3) * T.log(p)).sum(axis=1),
    "by class": T.nnet.categorical_crossentropy,
    "by row": lambda p, y: T.nnet.categorical_crossentropy(p, T.extra_ops.to_one_hot(y, 3)),
    "1hot": T.nnet.crossentropy_categorical_1hot,
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_unlikely_classes_and_their_gradients(name):
    x, y = T.dmatrix(), T.lvector()
    losses = LOSSES[name](T.nnet.softmax(x), y)
    found, gradient = theano.function([x, y], [losses, T.grad(T.mean(losses), x)])(SCORES, UNLIKELY)
    assert_allclose(found, -special.log_softmax(SCORES, axis=1)[[0, 1], UNLIKELY])
    assert_allclose(gradient, (special.softmax(SCORES, axis=1) - np.eye(3)[UNLIKELY]) / 2)


def by_hand(o, t):
    return -(t * T.log(o) + (1 - t) * T.log(1 - o))


@pytest.mark.parametrize("loss", [T.nnet.binary_crossentropy, by_hand])
def test_losses_of_unlikely_events_and_their_gradients(loss):
    x, t = T.dvector(), T.dvector()
    losses = loss(T.nnet.sigmoid(x), t)
    scores, targets = np.array([-1000.0, 1000, 1000, -1000, 0, 3]), np.array([1.0, 0, 1, 0, 0.25, 1])
    found, gradient = theano.function([x, t], [losses, T.grad(losses.sum(), x)])(scores, targets)
    assert_allclose(found, -(targets * special.log_expit(scores) + (1 - targets) * special.log_expit(-scores)))
    assert_allclose(gradient, special.expit(scores) - targets)
    symbolic = theano.function([x, t], T.grad(T.nnet.sigmoid_binary_crossentropy(x, t).sum(), x))
    assert_allclose(symbolic(scores, targets), special.expit(scores) - targets)


def test_what_a_logarithm_was_taken_of_can_be_replaced():
    """The graph is as the script wrote it; only compiled functions compute it otherwise."""
    x, y = T.dmatrix(), T.lvector()
    chosen = T.nnet.softmax(x)[T.arange(y.shape[0]), y]
    logarithm = T.log(chosen)
    assert logarithm.owner.inputs == [chosen]
    gradient = theano.function([x, y], T.grad(logarithm.sum(), chosen))(SCORES[:, :1], [0, 0])
    assert_allclose(gradient, [1, 1])
    others = [theano.clone(logarithm, replace={chosen: 2 * chosen}), logarithm]
    assert_allclose(theano.function([x, y], others[0])(SCORES[:, :1], [0, 0]), np.log([2, 2]))
    assert_allclose(
        theano.function([x, y], others[1], givens={chosen: 3 * chosen})(SCORES[:, :1], [0, 0]), np.log([3, 3])
    )


def test_several_losses_of_unlikely_classes_add_their_gradients():
    x, y = T.dmatrix(), T.lvector()
    p = T.nnet.softmax(x)
    rows = T.arange(y.shape[0])
    losses = [-T.log(p[rows, y]).sum(), -T.log(p[0, 1]), (p**2).sum(), -T.log(p.T[y, rows]).mean()]
    gradient = theano.function([x, y], T.grad(sum(losses), x))(SCORES, UNLIKELY)
    q, hits = special.softmax(SCORES, axis=1), np.eye(3)[UNLIKELY]
    expected = 1.5 * (q - hits) + 2 * q * (q - (q**2).sum(axis=1, keepdims=True))
    expected[0] += q[0] - np.eye(3)[1]
    assert_allclose(gradient, expected, atol=1e-15)


def test_the_logarithm_of_anything_else_is_that_of_pytensor():
    x = T.dvector()
    for probabilities in (x, T.nnet.softmax(x), T.exp(x)[0]):
        assert T.log(probabilities).owner.inputs[0] is probabilities
    assert T.log(2).ndim == 0


def test_the_gradient_in_the_probabilities_of_a_softmax():
    x, y = T.dmatrix(), T.lvector()
    p = T.nnet.softmax(x)
    scores, classes = numbers(3, 4), np.array([1, 3, 0])
    probabilities = special.softmax(scores, axis=1)
    for losses in (T.nnet.categorical_crossentropy(p, y), -T.log(p[T.arange(y.shape[0]), y])):
        gradient = theano.function([x, y], T.grad(losses.sum(), p))(scores, classes)
        assert_allclose(gradient, -np.eye(4)[classes] / probabilities)


def test_crossentropies_of_scores():
    scores, b, classes = numbers(4, 3), numbers(3), np.array([2, 0, 1, 1])
    with_bias = T.nnet.crossentropy_softmax_argmax_1hot_with_bias(scores, b, classes)
    losses, p, likeliest, *same = value(
        [
            *with_bias,
            *T.nnet.crossentropy_softmax_1hot_with_bias(scores, b, classes),
            T.nnet.softmax_with_bias(scores, b),
        ]
    )
    assert_allclose(losses, -special.log_softmax(scores + b, axis=1)[range(4), classes])
    assert_allclose(p, special.softmax(scores + b, axis=1))
    assert_array_equal(likeliest, (scores + b).argmax(axis=1))
    for found, expected in zip(same, (losses, p, p), strict=True):
        assert_allclose(found, expected, rtol=1e-12)
    unbiased = T.nnet.crossentropy_softmax_max_and_argmax_1hot(scores, classes)
    row = T.nnet.softmax_graph(T.constant(scores[0]))
    found = value([*unbiased, T.nnet.crossentropy_softmax_1hot(scores, classes)[0], row])
    assert_allclose(found[0], -special.log_softmax(scores, axis=1)[range(4), classes])
    assert_allclose(found[2], special.softmax(scores, axis=1).max(axis=1))
    assert_array_equal(found[3], scores.argmax(axis=1))
    assert_array_equal(found[4], found[0])
    assert_allclose(found[5], special.softmax(scores[0]))


def test_classes_that_do_not_exist():
    x, y = T.dmatrix(), T.lvector()
    for losses in (T.nnet.categorical_crossentropy(x, y), T.nnet.crossentropy_softmax_1hot(x, y)[0]):
        run = theano.function([x, y], losses)
        with pytest.raises(ValueError, match="a class is negative; expected 0 to K - 1"):
            run(np.ones((2, 3)), [0, -1])
        with pytest.raises(IndexError):
            run(np.ones((2, 3)), [0, 3])
    with pytest.raises(TypeError, match="expected a matrix of probabilities and a vector of classes"):
        T.nnet.crossentropy_categorical_1hot(T.dvector(), y)


def test_activations():
    x = numbers(3, 4)
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    functions = [T.nnet.selu, sigm.hard_sigmoid, T.nnet.prepend_1_to_each_row, T.nnet.prepend_0_to_each_row]
    selu, hard, ones, zeros = value([function(T.constant(x)) for function in functions])
    assert_allclose(selu, scale * np.where(x > 0, x, alpha * np.expm1(x)))
    assert_allclose(hard, np.clip(0.2 * x + 0.5, 0, 1))
    assert_array_equal(ones, np.hstack([np.ones((3, 1)), x]))
    assert_array_equal(zeros, np.hstack([np.zeros((3, 1)), x]))
    single = x.astype("float32")
    assert {found.dtype.name for found in value([function(T.constant(single)) for function in functions])} == {
        "float32"
    }
    assert nnet.softmax is T.nnet.softmax
    assert sigm.sigmoid is T.nnet.sigmoid is T.nnet.sigmoid_inplace


def test_confusion_matrix():
    actual, predicted = rng.choice([1, 4, 5, 9], size=(2, 20))
    counts, classes = value(T.nnet.confusion_matrix(actual, predicted))
    assert_array_equal(counts, metrics.confusion_matrix(actual, predicted))
    assert_array_equal(classes, np.unique([actual, predicted]))
    with pytest.raises(ValueError, match="confusion_matrix: pred: expected a vector of classes"):
        T.nnet.confusion_matrix(T.lvector(), T.lmatrix())


def test_h_softmax():
    groups, members, inputs, rows = 3, 4, 5, 6
    W1, b1, W2, b2 = (
        numbers(inputs, groups),
        numbers(groups),
        numbers(groups, inputs, members),
        numbers(groups, members),
    )
    x, target = T.dmatrix(), T.lvector()
    arguments = (x, rows, groups * members, groups, members, W1, b1, W2, b2)
    every, chosen = T.nnet.h_softmax(*arguments), T.nnet.h_softmax(*arguments, target)
    X, classes = numbers(rows, inputs), np.array([0, 11, 5, 4, 7, 8])
    losses = [-T.log(every[T.arange(rows), target]).mean(), -T.log(chosen).mean()]
    outputs = theano.function([x, target], [every, chosen, *(T.grad(loss, x) for loss in losses)])(X, classes)
    expected = [
        [special.softmax(v @ W1 + b1)[k // 4] * special.softmax(v @ W2[k // 4] + b2[k // 4])[k % 4] for k in range(12)]
        for v in X
    ]
    assert_allclose(outputs[0], expected)
    assert_allclose(outputs[0].sum(axis=1), 1)
    assert_allclose(outputs[1], outputs[0][range(rows), classes])
    assert_allclose(outputs[2], outputs[3])
    fewer = (X, rows, 10, groups, members, W1, b1, W2, b2)
    both = value([T.nnet.h_softmax(*fewer), T.nnet.h_softmax(*fewer, classes[:, None] % 10)])
    assert [found.shape for found in both] == [(rows, 10), (rows,)]


@pytest.mark.parametrize(("axes", "over"), [("per-activation", (0,)), ("spatial", (0, 2, 3)), ((0, 3), (0, 3))])
def test_batch_normalization(axes, over):
    images = numbers(3, 2, 4, 5)
    kept = [size for axis, size in enumerate(images.shape) if axis not in over]
    gamma, beta, mean, var = numbers(*kept), numbers(*kept), numbers(*kept), numbers(*kept) ** 2
    shape = [1 if axis in over else size for axis, size in enumerate(images.shape)]
    full = [parameter.reshape(shape) for parameter in (gamma, beta, mean, var)]
    found = bn.batch_normalization_train(images, gamma, beta, axes, 1e-3, 0.2, mean, var)
    tested = bn.batch_normalization_test(images, *full, axes, 1e-3)
    std = np.sqrt(full[3] + 1e-3)
    plain = T.nnet.batch_normalization(images, *full[:3], std, mode="high_mem")
    out, own_mean, invstd, new_mean, new_var, tested, plain = value([*found, tested, plain])
    at, spread = images.mean(axis=over, keepdims=True), images.var(axis=over, keepdims=True)
    assert_allclose(out, (images - at) / np.sqrt(spread + 1e-3) * full[0] + full[1])
    assert_allclose(own_mean, at.reshape(kept))
    assert_allclose(invstd, 1 / np.sqrt(spread + 1e-3).reshape(kept))
    count = images.size / at.size
    assert_allclose(new_mean, 0.8 * mean + 0.2 * at.reshape(kept))
    assert_allclose(new_var, 0.8 * var + 0.2 * count / (count - 1) * spread.reshape(kept))
    assert_allclose(tested, (images - full[2]) / np.sqrt(full[3] + 1e-3) * full[0] + full[1])
    assert_allclose(plain, tested)
    kept_axes = bn.batch_normalization_train(T.constant(images), *map(T.constant, full[:2]), axes)
    assert kept_axes[1].type.shape == tuple(shape)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes": "rows"}, "axes: expected per-activation or spatial or numbers, got 'rows'"),
        ({"axes": (4,)}, "axes: expected one or more of 0 to 3, got (4,)"),
        ({"epsilon": 1e-6}, "epsilon: expected 1e-5 or more, got 1e-06"),
        ({"running_mean": T.dtensor3()}, "running_mean and running_var: expected both or none"),
        ({"axes": (0, 2)}, "expected parameters of 2 or 4 axes, got one of 3"),
    ],
)
def test_batch_normalization_of_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        bn.batch_normalization_train(T.dtensor4(), T.dtensor3(), T.dtensor3(), **options)


def convolutional(x, images, parameters):
    """LeNet's layers: convolution and pooling, twice, then two dense ones."""
    W0, b0, W1, b1, W2, b2, W3, b3 = parameters
    hidden = x.reshape((x.shape[0], 1, *images))
    for W, b in ((W0, b0), (W1, b1)):
        above = T.nnet.conv2d(hidden, W, border_mode="half")
        pooled = T.signal.pool.pool_2d(above, ws=(2, 2), ignore_border=True)
        hidden = T.tanh(pooled + b.dimshuffle("x", 0, "x", "x"))
    hidden = T.tanh(T.dot(hidden.flatten(2), W2) + b2)
    return T.nnet.softmax(T.dot(hidden, W3) + b3)


def bars(generator, count, length):
    """Pictures of a bar with noise, and whether it lies or stands."""
    labels = generator.integers(2, size=count)
    pictures = 0.3 * generator.normal(size=(count, length, length))
    for picture, stands, place in zip(pictures, labels, generator.integers(1, length - 1, size=count), strict=True):
        picture[(slice(2, -1), place) if stands else (place, slice(2, -1))] += 2
    return pictures.reshape(count, -1).astype("float32"), labels.astype("int32")


def test_a_convolutional_network_learns():
    shapes = [(4, 1, 3, 3), (4,), (6, 4, 3, 3), (6,), (24, 10), (10,), (10, 2), (2,)]
    generator = np.random.default_rng(1)
    weights = [0.3 * generator.normal(size=shape) if len(shape) > 1 else np.zeros(shape) for shape in shapes]
    parameters = [theano.shared(values.astype("float32")) for values in weights]
    pictures, labels = bars(generator, 128, 8)
    data, classes = theano.shared(pictures), theano.shared(labels)
    index, x, y = T.lscalar(), T.fmatrix(), T.ivector()
    p = convolutional(x, (8, 8), parameters)
    cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
    gradients = T.grad(cost, parameters)
    rate = np.float32(0.1)
    updates = [(parameter, parameter - rate * g) for parameter, g in zip(parameters, gradients, strict=True)]
    batch = slice(index * 32, (index + 1) * 32)
    train = theano.function([index], cost, updates=updates, givens={x: data[batch], y: classes[batch]})
    errors = theano.function([x, y], T.mean(T.neq(T.argmax(p, axis=1), y)))
    costs = np.array([[train(k) for k in range(4)] for _ in range(20)]).mean(axis=1)
    assert costs.dtype == "float32"
    assert costs[-1] < costs[0] / 10
    unseen = bars(generator, 100, 8)
    assert errors(*unseen) < 0.1


def test_no_option_of_a_usual_network_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = T.nnet.conv2d(T.tensor4(), T.tensor4(), image_shape=(None, 1, 28, 28), filter_shape=(20, 1, 5, 5))
        T.signal.downsample.max_pool_2d(y, (2, 2))
