"""The tutorials' way: classes with params, shared data sets, an index as input, early stopping, parameters saved."""

import os
import sys
import tempfile
import timeit

import pickle
import numpy

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli.theano.tensor.signal import downsample
from lstm_cli.theano.tensor.nnet import conv

theano.config.exception_verbosity = "high"


def shared_dataset(data_xy, borrow=True):
    data_x, data_y = data_xy
    shared_x = theano.shared(numpy.asarray(data_x, dtype=theano.config.floatX), borrow=borrow)
    shared_y = theano.shared(numpy.asarray(data_y, dtype=theano.config.floatX), borrow=borrow)
    return shared_x, T.cast(shared_y, "int32")


class LogisticRegression(object):
    def __init__(self, input, n_in, n_out):
        self.W = theano.shared(value=numpy.zeros((n_in, n_out), dtype=theano.config.floatX), name="W", borrow=True)
        self.b = theano.shared(value=numpy.zeros((n_out,), dtype=theano.config.floatX), name="b", borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]
        self.input = input

    def negative_log_likelihood(self, y):
        return -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y])

    def errors(self, y):
        if y.ndim != self.y_pred.ndim:
            raise TypeError("y should have the same shape as self.y_pred", ("y", y.type, "y_pred", self.y_pred.type))
        if y.dtype.startswith("int"):
            return T.mean(T.neq(self.y_pred, y))
        raise NotImplementedError()


class HiddenLayer(object):
    def __init__(self, rng, input, n_in, n_out, activation=T.tanh):
        bound = numpy.sqrt(6.0 / (n_in + n_out))
        W_values = numpy.asarray(rng.uniform(low=-bound, high=bound, size=(n_in, n_out)), dtype=theano.config.floatX)
        if activation == theano.tensor.nnet.sigmoid:
            W_values *= 4
        self.W = theano.shared(value=W_values, name="W", borrow=True)
        self.b = theano.shared(value=numpy.zeros((n_out,), dtype=theano.config.floatX), name="b", borrow=True)
        lin_output = T.dot(input, self.W) + self.b
        self.output = lin_output if activation is None else activation(lin_output)
        self.params = [self.W, self.b]


class LeNetConvPoolLayer(object):
    def __init__(self, rng, input, filter_shape, image_shape, poolsize=(2, 2)):
        assert image_shape[1] == filter_shape[1]
        fan_in = numpy.prod(filter_shape[1:])
        fan_out = filter_shape[0] * numpy.prod(filter_shape[2:]) // numpy.prod(poolsize)
        W_bound = numpy.sqrt(6.0 / (fan_in + fan_out))
        self.W = theano.shared(
            numpy.asarray(rng.uniform(low=-W_bound, high=W_bound, size=filter_shape), dtype=theano.config.floatX),
            borrow=True,
        )
        self.b = theano.shared(value=numpy.zeros((filter_shape[0],), dtype=theano.config.floatX), borrow=True)
        conv_out = conv.conv2d(input=input, filters=self.W, filter_shape=filter_shape, image_shape=image_shape)
        pooled_out = downsample.max_pool_2d(input=conv_out, ds=poolsize, ignore_border=True)
        self.output = T.tanh(pooled_out + self.b.dimshuffle("x", 0, "x", "x"))
        self.params = [self.W, self.b]


rng = numpy.random.RandomState(23455)
side, batch_size = 10, 10
pictures, labels = 0.3 * rng.randn(90, side, side), numpy.arange(90) % 3
for picture, label in zip(pictures, labels):
    k = rng.randint(1, side - 2)
    if label == 0:
        picture[k] += 1
    elif label == 1:
        picture[:, k] += 1
    else:
        picture[numpy.arange(side), numpy.arange(side)] += 1
datasets = [shared_dataset((pictures[a:b].reshape(b - a, -1), labels[a:b])) for a, b in ((0, 50), (50, 70), (70, 90))]
(train_x, train_y), (valid_x, valid_y), (test_x, test_y) = datasets
n_train_batches = train_x.get_value(borrow=True).shape[0] // batch_size
n_valid_batches = valid_x.get_value(borrow=True).shape[0] // batch_size

index = T.lscalar()
x, y = T.matrix("x"), T.ivector("y")
layer0 = LeNetConvPoolLayer(
    rng,
    input=x.reshape((batch_size, 1, side, side)),
    image_shape=(batch_size, 1, side, side),
    filter_shape=(4, 1, 3, 3),
    poolsize=(2, 2),
)
layer1 = HiddenLayer(rng, input=layer0.output.flatten(2), n_in=4 * 4 * 4, n_out=12, activation=T.tanh)
layer2 = LogisticRegression(input=layer1.output, n_in=12, n_out=3)
L1 = abs(layer1.W).sum() + abs(layer2.W).sum()
L2_sqr = (layer1.W**2).sum() + (layer2.W**2).sum()
cost = layer2.negative_log_likelihood(y) + 0.00 * L1 + 0.0001 * L2_sqr

slice_of = lambda v: v[index * batch_size : (index + 1) * batch_size]  # noqa: E731
validate_model = theano.function([index], layer2.errors(y), givens={x: slice_of(valid_x), y: slice_of(valid_y)})
test_model = theano.function(
    inputs=[index],
    outputs=layer2.errors(y),
    givens={
        x: test_x[index * batch_size : (index + 1) * batch_size],
        y: test_y[index * batch_size : (index + 1) * batch_size],
    },
)
params = layer2.params + layer1.params + layer0.params
grads = T.grad(cost, params)
updates = [(param_i, param_i - 0.1 * grad_i) for param_i, grad_i in zip(params, grads)]
train_model = theano.function([index], cost, updates=updates, givens={x: slice_of(train_x), y: slice_of(train_y)})

patience, patience_increase, improvement_threshold = 100, 2, 0.995
validation_frequency = min(n_train_batches, patience // 2)
best_validation_loss, best_iter, costs = numpy.inf, 0, []
start_time = timeit.default_timer()
folder = tempfile.mkdtemp()
best = os.path.join(folder, "best_model.pkl")
epoch, done_looping = 0, False
while (epoch < 40) and (not done_looping):
    epoch = epoch + 1
    for minibatch_index in range(n_train_batches):
        iter = (epoch - 1) * n_train_batches + minibatch_index
        costs.append(float(train_model(minibatch_index)))
        if (iter + 1) % validation_frequency == 0:
            this_validation_loss = numpy.mean([validate_model(i) for i in range(n_valid_batches)])
            if this_validation_loss < best_validation_loss:
                if this_validation_loss < best_validation_loss * improvement_threshold:
                    patience = max(patience, iter * patience_increase)
                best_validation_loss, best_iter = this_validation_loss, iter
                with open(best, "wb") as f:
                    pickle.dump([layer0, layer1, layer2], f)
        if patience <= iter:
            done_looping = True
            break

# load the best model: its layers are pickled with their graphs
with open(best, "rb") as f:
    loaded = pickle.load(f)
for ours, theirs in zip((layer0, layer1, layer2), loaded):
    for p, q in zip(ours.params, theirs.params):
        p.set_value(q.get_value(borrow=True), borrow=True)
test_error = numpy.mean([test_model(i) for i in range(2)])
predict_model = theano.function(inputs=[loaded[2].input], outputs=loaded[2].y_pred, allow_input_downcast=True)
os.remove(best)
os.rmdir(folder)

if __name__ == "__main__":
    print(
        "%.3f -> %.3f, best validation error %.2f, test %.2f" % (costs[0], costs[-1], best_validation_loss, test_error),
        file=sys.stderr,
    )

assert numpy.mean(costs[-5:]) < 0.5 * costs[0], (costs[0], costs[-1])
assert best_validation_loss < 0.4 and test_error < 0.5
assert predict_model(numpy.zeros((batch_size, 12))).shape == (batch_size,)
