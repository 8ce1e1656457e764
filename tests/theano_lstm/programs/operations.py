"""Own Ops with their gradients, choices and loops, printing, and what else scripts call."""

import copy
import io
from collections import OrderedDict

import numpy as np

import lstm_cli.theano as theano
import lstm_cli.theano.tensor as T
from lstm_cli.theano import gof
from lstm_cli.theano.compile.ops import as_op
from lstm_cli.theano.gof import Apply, Op
from lstm_cli.theano.ifelse import ifelse
from lstm_cli.theano.printing import Print, debugprint, pp

floatX = theano.config.floatX
f32 = lambda v: np.asarray(v, dtype=floatX)  # noqa: E731


class Cube(Op):
    __props__ = ()

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] ** 3

    def infer_shape(self, node, i0_shapes):
        return i0_shapes

    def grad(self, inputs, output_grads):
        return [output_grads[0] * 3 * inputs[0] ** 2]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return eval_points
        return self.grad(inputs, eval_points)


class ReverseGradient(theano.gof.Op):
    """The identity; its gradient is turned around."""

    view_map = {0: [0]}
    __props__ = ("hp_lambda",)

    def __init__(self, hp_lambda):
        super(ReverseGradient, self).__init__()
        self.hp_lambda = hp_lambda

    def make_node(self, x):
        return gof.graph.Apply(self, [x], [x.type.make_variable()])

    def perform(self, node, inputs, output_storage):
        (xin,) = inputs
        (xout,) = output_storage
        xout[0] = xin

    def grad(self, input, output_gradients):
        return [-self.hp_lambda * output_gradients[0]]


class GradClip(theano.compile.ViewOp):
    def __init__(self, clip_lower_bound, clip_upper_bound):
        self.clip_lower_bound, self.clip_upper_bound = clip_lower_bound, clip_upper_bound

    def grad(self, args, g_outs):
        return [T.clip(g_out, self.clip_lower_bound, self.clip_upper_bound) for g_out in g_outs]


@as_op(itypes=[T.dvector], otypes=[T.dscalar])
def median(v):
    return np.array(np.median(v))


x = T.dvector("x")
X = np.array([1.0, -2.0, 3.0])
cube = Cube()
theano.gradient.verify_grad(cube, [X], rng=np.random.RandomState(1))
T.verify_grad(cube, [X], rng=np.random.RandomState(1))
reverse, clip = ReverseGradient(0.5), GradClip(-1, 1)
f = theano.function(
    [x],
    [cube(x).sum(), T.grad(cube(x).sum(), x), T.grad(reverse(x).sum(), x), T.grad((clip(x) ** 2).sum(), x), median(x)],
)
value, g_cube, g_reverse, g_clip, middle = f(X)
assert value == 20 and middle == 1
assert (g_cube == 3 * X**2).all() and (g_reverse == -0.5).all() and (g_clip == [1, -1, 1]).all()

# choices: the branch that is not taken is not computed
a, b = T.scalars("a", "b")
m, n = T.matrices("m", "n")
z_switch, z_lazy = T.switch(T.lt(a, b), T.mean(m), T.mean(n)), ifelse(T.lt(a, b), T.mean(m), T.mean(n))
f_switch = theano.function([a, b, m, n], z_switch, mode=theano.Mode(linker="vm"), allow_input_downcast=True)
f_lazy = theano.function([a, b, m, n], z_lazy, mode=theano.Mode(linker="vm"), allow_input_downcast=True)
assert f_switch(1.0, 2.0, np.ones((2, 2)), np.zeros((2, 2))) == f_lazy(1.0, 2.0, np.ones((2, 2)), np.zeros((2, 2))) == 1

# loops
k, A = T.iscalar("k"), T.vector("A")
result, updates = theano.scan(
    fn=lambda prior_result, A: prior_result * A, outputs_info=T.ones_like(A), non_sequences=A, n_steps=k
)
power = theano.function(inputs=[A, k], outputs=result[-1], updates=updates)
assert (power(range(4), 3) == [0, 1, 8, 27]).all()
coefficients, at, max_coefficients = T.vector("coefficients"), T.scalar("x"), 10000
components, updates = theano.scan(
    fn=lambda c, power, free: c * (free**power),
    outputs_info=None,
    sequences=[coefficients, T.arange(max_coefficients)],
    non_sequences=at,
)
polynomial = theano.function(inputs=[coefficients, at], outputs=components.sum())
assert polynomial(f32([1, 0, 2]), 3) == 19
squares, _ = theano.map(lambda v: v**2, sequences=A)
total, _ = theano.reduce(lambda v, acc: v + acc, sequences=A, outputs_info=T.constant(0.0, dtype=floatX))
left, _ = theano.foldl(lambda v, acc: 2 * acc + v, A, T.constant(0.0, dtype=floatX))
right, _ = theano.foldr(lambda v, acc: 2 * acc + v, A, T.constant(0.0, dtype=floatX))
jacobian, _ = theano.scan(lambda i, y, v: T.grad(y[i], v), sequences=T.arange(A.shape[0]), non_sequences=[A**2, A])
hessian = theano.gradient.hessian((A**3).sum(), A)
outs = theano.function([A], [squares, total, left, right, jacobian, hessian])(f32([1, 2, 3]))
for got, expected in zip(outs, [[1, 4, 9], 6, 11, 17, np.diag([2, 4, 6]), np.diag([6, 12, 18])]):
    np.testing.assert_allclose(got, expected)

fibonacci, _ = theano.scan(
    lambda p2, p1: p1 + p2, n_steps=8, outputs_info=[dict(initial=T.constant(f32([0, 1])), taps=[-2, -1])]
)
assert fibonacci.eval()[-1] == 34
doubling, _ = theano.scan(
    lambda p, limit: (p * 2, theano.scan_module.until(p * 2 > limit)),
    outputs_info=T.constant(f32(1.0)),
    non_sequences=a,
    n_steps=1024,
)
assert doubling.eval({a: f32(45)})[-1] == 64

# momentum, updates in order, inputs that nobody uses, casts
w, unused = theano.shared(f32([5.0, -3.0]), name="w"), T.vector("unused")
lr, momentum = T.scalar("lr", dtype=floatX), np.asarray(0.9, dtype=floatX)
loss = T.sum(T.sqr(w))
updates = OrderedDict()
velocity = theano.shared(w.get_value() * f32(0.0))
updates[velocity] = momentum * velocity - lr * T.grad(loss, w)
updates[w] = w + updates[velocity]
step = theano.function(
    [lr, unused], loss, updates=updates, on_unused_input="ignore", allow_input_downcast=True, profile=False, name="step"
)
losses = [float(step(0.05, [0])) for _ in range(60)]
assert losses[-1] < 0.05 * losses[0]
assert theano.grad(loss, unused, disconnected_inputs="ignore").eval({unused: f32([1, 2])}).tolist() == [0, 0]
try:
    T.grad(loss, unused)
except theano.gradient.DisconnectedInputError:
    pass
else:
    raise AssertionError("a disconnected input raises")
accumulate = copy.copy(step)

# printing
text = io.StringIO()
y = T.nnet.sigmoid(T.dot(m, m.T)).sum()
debugprint(y, file=text)
assert "dot" in text.getvalue().lower() and "m" in pp(y)
shown = Print("shape of m", attrs=["shape"])(m)
assert (theano.function([m], shown * 2, allow_input_downcast=True)([[1, 2]]) == [[2, 4]]).all()

# test values
theano.config.compute_test_value = "off"
theano.config.profile, theano.config.profile_memory = False, False
x.tag.test_value = X
clone = theano.clone(y, replace={m: n})
assert clone.eval({n: f32(np.eye(2))}) == y.eval({m: f32(np.eye(2))})

if __name__ == "__main__":
    print("ok", losses[0], losses[-1])
