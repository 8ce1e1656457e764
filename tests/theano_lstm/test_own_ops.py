"""Ops that scripts define: gradients under each of Theano's names, and the rest of Theano's protocol."""

import copy
import pickle
import warnings
from unittest import mock

import numpy as np
import pytensor
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pytensor.graph.utils import MetaType

from lstm_cli import theano
from lstm_cli.theano_lstm.theano.patches.gradient_names import honour_every_name

T = theano.tensor
ViewOp = theano.compile.ViewOp
Elemwise, Exp = theano.tensor.elemwise.Elemwise, type(T.exp.scalar_op)
X = np.array([0.5, -1.5, 2.0])


def gradient(op, at=X):
    """Return the gradient of 10 sum op(x)."""
    x = T.dvector()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return theano.function([x], T.grad((10 * op(x)).sum(), x))(at)


class ClipByGrad(ViewOp):
    __props__ = ("bound",)

    def __init__(self, bound=0.1):
        self.bound = bound

    def grad(self, inputs, gradients):
        return [T.clip(gradients[0], -self.bound, self.bound)]


class ClipByLOp(ViewOp):
    __props__ = ()

    def L_op(self, inputs, outputs, gradients):
        return [T.clip(gradients[0], -0.1, 0.1) * outputs[0]]


class Scale(theano.gof.Op):
    """y = 3 x from the bare Op, with the graph's parts as Theano names them."""

    __props__ = ()

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.gof.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        (x,), (y,) = inputs, output_storage
        y[0] = 3 * x

    def infer_shape(self, node, shapes):
        return shapes

    def grad(self, inputs, gradients):
        return [3 * gradients[0]]

    def R_op(self, inputs, eval_points):
        return [None if eval_points[0] is None else 3 * eval_points[0]]


class Mixin:
    def grad(self, inputs, gradients):
        return [gradients[0] * 0.5]


class MixinFirst(Mixin, ViewOp):
    __props__ = ()


class MixinLast(ViewOp, Mixin):
    __props__ = ()


class MixinOfBareOp(theano.gof.Op, Mixin):
    __props__ = ()
    make_node, perform = Scale.make_node, Scale.perform


class Inherits(ClipByGrad):
    pass


class SuperGrad(ClipByGrad):
    def grad(self, inputs, gradients):
        return [2 * super().grad(inputs, gradients)[0]]


class SuperLOp(ClipByGrad):
    def L_op(self, inputs, outputs, gradients):
        return [3 * super().L_op(inputs, outputs, gradients)[0]]


class SuperOfPyTensor(ViewOp):
    def grad(self, inputs, gradients):
        return [4 * ViewOp.grad(self, inputs, gradients)[0]]


class GradOfLOp(ClipByLOp):
    def grad(self, inputs, gradients):
        return [5 * super().grad(inputs, gradients)[0]]


class PullbackAgain(ClipByGrad):
    def pullback(self, inputs, outputs, gradients):
        return [7 * gradients[0]]


class GradAgain(PullbackAgain):
    def grad(self, inputs, gradients):
        return [super().grad(inputs, gradients)[0] + 1]


class BothNames(ViewOp):
    """Theano asks for L_op, whose default asks for grad."""

    def L_op(self, inputs, outputs, gradients):
        return [2 * theano.gof.Op.L_op(self, inputs, outputs, gradients)[0]]

    def grad(self, inputs, gradients):
        return [gradients[0] * 0.25]


class NoSuper(Elemwise):
    def grad(self, inputs, gradients):
        return [gradients[0] * 0 + 6]


class Aliased(ViewOp):
    grad = ClipByGrad.grad
    bound = 0.2


class Flipped(Exp):
    def impl(self, x):
        return np.exp(-x)

    def grad(self, inputs, gradients):
        return [-gradients[0] * theano.scalar.exp(-inputs[0])]


class Cube(theano.scalar.UnaryScalarOp):
    def impl(self, x):
        return x**3

    def c_code(self, node, name, inputs, outputs, sub):
        return "this is not C"

    def grad(self, inputs, gradients):
        return (gradients[0] * 3 * inputs[0] ** 2,)


def of_scalar(op):
    return Elemwise(op)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (ClipByGrad(), 0.1),
        (ClipByLOp(), 0.1 * X),
        (Scale(), 30),
        (MixinFirst(), 5),
        (MixinLast(), 10),
        (MixinOfBareOp(), 5),
        (Inherits(), 0.1),
        (SuperGrad(), 0.2),
        (SuperLOp(), 0.3),
        (SuperOfPyTensor(), 40),
        (GradOfLOp(), 0.5 * X),
        (PullbackAgain(), 70),
        (GradAgain(), 71),
        (BothNames(), 5),
        (NoSuper(T.exp.scalar_op), 6),
        (Aliased(), 0.2),
        (of_scalar(Cube(theano.scalar.upgrade_to_float, name="cube")), 30 * X**2),
        (of_scalar(Flipped(theano.scalar.upgrade_to_float, name="flipped")), -10 * np.exp(-X)),
        (ViewOp(), 10),
        (T.exp, 10 * np.exp(X)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_nearest_definition_counts(op, expected):
    assert_allclose(gradient(op), np.broadcast_to(expected, X.shape))


def test_a_gradient_assigned_to_a_class_counts_until_it_is_put_back():
    with mock.patch.object(ViewOp, "grad", lambda op, inputs, gradients: [gradients[0] * 2]):
        assert_allclose(gradient(ViewOp()), 20)
        assert_allclose(gradient(SuperOfPyTensor()), 80)
        assert_allclose(gradient(MixinLast()), 20)
        assert_allclose(gradient(ClipByGrad()), 0.1)
    assert_allclose(gradient(ViewOp()), 10)
    assert_allclose(gradient(MixinLast()), 10)


def test_a_gradient_assigned_to_the_class_of_an_exponential():
    before = Exp.L_op
    Exp.L_op = lambda op, inputs, outputs, gradients: [gradients[0] * outputs[0] * 8]
    try:
        assert_allclose(gradient(T.exp), 80 * np.exp(X))
    finally:
        Exp.L_op = before
    assert_allclose(gradient(T.exp), 10 * np.exp(X))


def guided(inputs, gradients):
    return [gradients[0] * (inputs[0] > 0)]


def test_a_gradient_assigned_to_one_op_is_its_own_and_pickles():
    """As in guided backpropagation, and for ops made by as_op."""
    x = T.dvector()
    op, plain = (theano.compile.builders.OpFromGraph([x], [abs(x)]) for _ in range(2))
    op.grad = guided
    assert_allclose(gradient(op), [10, 0, 10])
    assert_allclose(gradient(plain), [10, -10, 10])
    view = ViewOp()
    view.grad = guided
    for again in (view, pickle.loads(pickle.dumps(view)), copy.copy(view), copy.deepcopy(view)):
        assert_allclose(gradient(again), [10, 0, 10])
    assert_allclose(gradient(ViewOp()), 10)


def test_an_op_of_a_function_takes_a_gradient():
    @theano.compile.ops.as_op([T.dvector, T.dscalar], [T.dvector], infer_shape=lambda node, shapes: [shapes[0]])
    def scaled(x, factor):
        return x * factor

    x = T.dvector()
    with pytest.raises(NotImplementedError):
        T.grad(scaled(x, 3.0 * T.ones(())).sum(), x)
    scaled.grad = lambda inputs, gradients: [gradients[0] * inputs[1], (gradients[0] * inputs[0]).sum()]
    assert_allclose(gradient(lambda x: scaled(x, 3.0 * T.ones(()))), 30)
    shape = theano.function([x], scaled(x, T.ones(())).shape, mode=pytensor.compile.mode.Mode("py", "fast_run"))
    assert tuple(shape(X)) == (3,)
    assert [node.op for node in shape.maker.fgraph.apply_nodes if node.op == scaled] == []


def test_a_gradient_of_three_arguments_assigned_to_one_op():
    op = ViewOp()
    op.L_op = lambda inputs, outputs, gradients: [gradients[0] * outputs[0]]
    assert_allclose(gradient(op), 10 * X)
    x = T.dvector()
    assert_allclose(theano.function([x], op.grad([x], [x]))(X)[0], X * X)


def test_pytensors_own_ops_keep_their_gradient_and_answer_to_theanos_names():
    pullback = ViewOp.pullback
    honour_every_name()
    assert ViewOp.pullback is pullback
    assert not hasattr(pullback, "adapter")
    x = T.dvector()
    by_l_op, by_grad = T.exp.L_op([x], [T.exp(x)], [x])[0], T.exp.grad([x], [x])[0]
    for value in theano.function([x], [by_l_op, by_grad])(X):
        assert_allclose(value, X * np.exp(X))


def test_classes_from_before_count_too(monkeypatch):
    with monkeypatch.context() as patch:
        patch.delattr(MetaType, "__init__")

        class Before(ViewOp):
            def grad(self, inputs, gradients):
                return [gradients[0] / 5]

    assert_allclose(gradient(Before()), 10)
    honour_every_name()
    assert_allclose(gradient(Before()), 2)


def test_the_gradient_forwards():
    x, direction = T.dvector(), T.dvector()
    forwards = pytensor.gradient.pushforward(Scale()(x) * x, x, direction, use_op_pushforward=True)
    assert_allclose(theano.function([x, direction], forwards)(X, X + 1), 6 * X * (X + 1))
    backwards_twice = T.Rop(Scale()(x) * x, x, direction)
    assert_allclose(theano.function([x, direction], backwards_twice)(X, X + 1), 6 * X * (X + 1))


def test_the_gradient_forwards_of_an_op_that_has_no_other():
    class OnlyForwards(theano.gof.Op):
        itypes, otypes = [T.dvector, T.dvector], [T.dvector]

        def perform(self, node, inputs, outputs):
            outputs[0][0] = inputs[0] * inputs[1]

        def R_op(self, inputs, eval_points):
            (x, y), (dx, dy) = inputs, eval_points
            terms = [part * other for part, other in ((dx, y), (dy, x)) if part is not None]
            return [sum(terms[1:], start=terms[0])]

    x, direction = T.dvector(), T.dvector()
    forwards = theano.Rop(OnlyForwards()(x, T.constant(X)), wrt=x, eval_points=direction)
    assert_allclose(theano.function([x, direction], forwards)(X, X + 1), X * (X + 1))
    backwards = theano.Lop(Scale()(x), wrt=x, eval_points=direction)
    assert_allclose(theano.function([x, direction], backwards, on_unused_input="ignore")(X, X + 1), 3 * (X + 1))


def test_a_scan_takes_the_gradient_of_its_steps():
    x = T.dvector()
    steps, _ = theano.scan(lambda x: 10 * ClipByGrad()(x), sequences=x)
    assert_allclose(theano.function([x], T.grad(steps.sum(), x))(X), [0.1] * 3)


class UnnamedBound(ViewOp):
    """As theano-lstm's own clipping, which does not say that its bound matters."""

    def __init__(self, bound):
        self.bound = bound

    def grad(self, inputs, gradients):
        return [T.clip(gradients[0], -self.bound, self.bound)]


class ComparesTypes(theano.gof.Op):
    make_node, grad = Scale.make_node, UnnamedBound.grad

    def __init__(self, bound):
        self.bound, self.of_arrays = bound, [np.full(2, bound)]

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * 1


def guided_view(bound):
    op = ViewOp()
    op.grad = UnnamedBound(bound).grad
    return op


@pytest.mark.parametrize(
    "make",
    [
        UnnamedBound,
        ComparesTypes,
        guided_view,
        lambda bound: lambda x: theano.gradient.grad_clip(x, -bound, bound),
        lambda bound: lambda x: theano.gradient.grad_scale(x, bound / 10),
    ],
    ids=["attribute", "type", "one op", "grad_clip", "grad_scale"],
)
def test_two_loops_clip_at_their_own_bounds(make):
    """Newer PyTensors keep one copy of the bodies of loops whose Ops are equal."""
    x, kept = T.dvector(), []
    for bound in (0.1, 5.0):
        steps, _ = theano.scan(lambda x, clip=make(bound): 10 * clip(x), sequences=x)
        kept.append(steps)
        assert_allclose(theano.function([x], T.grad(steps.sum(), x))(X), [bound] * 3)
    both, _ = theano.scan(lambda x: 10 * make(1.0)(x) + 10 * make(2.0)(x), sequences=x)
    assert_allclose(theano.function([x], T.grad(both.sum(), x))(X), [3] * 3)


def test_an_op_that_only_clips_is_removed_after_the_gradient_as_theano_lstm_does():
    clip = UnnamedBound(0.125)
    for _ in range(2):
        try:
            T.opt.register_canonicalize(theano.gof.OpRemove(clip), name="remove_the_clip_of_test_own_ops")
            registered = 1
        except ValueError:  # as theano-lstm expects where the name is taken
            registered += 1
    assert registered == 2
    x = T.dvector()
    function = theano.function([x], [clip(x) * 2, T.grad((10 * clip(x)).sum(), x)])
    assert_allclose(function(X), [2 * X, [0.125] * 3])
    assert [node.op for node in function.maker.fgraph.apply_nodes if node.op == clip] == []


def test_ops_with_equal_attributes_are_equal():
    assert UnnamedBound(1.0) == UnnamedBound(1.0) != UnnamedBound(2.0)
    assert len({ClipByGrad(1), ClipByGrad(1), ClipByGrad(2), Inherits(1)}) == 3
    first, second, third = (UnnamedBound(np.array(values)) for values in ([1.0, 2], [1.0, 2], [1.0, 3]))
    assert first == second != third
    assert ComparesTypes(1.0) != ComparesTypes(1.0)  # lists of arrays are not compared
    assert Scale() == Scale() != ViewOp()


def test_errors_are_theanos():
    class ReturnsNone(ViewOp):
        def grad(self, inputs, gradients):
            return [None]

    class NoGradient(theano.gof.Op):
        make_node, perform = Scale.make_node, Scale.perform

    x = T.dvector()
    with pytest.raises(TypeError, match="grad returned None for a gradient term"):
        T.grad(ReturnsNone()(x).sum(), x)
    with pytest.raises(NotImplementedError, match="pullback not implemented for"):
        T.grad(NoGradient()(x).sum(), x)
    with pytest.raises(NotImplementedError, match="R_op not implemented"):
        theano.gof.Op.R_op(NoGradient(), [x], [x])


def test_what_is_disconnected():
    class First(theano.gof.Op):
        itypes, otypes = [T.dvector, T.dvector], [T.dvector]

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0].copy()

        def connection_pattern(self, node):
            return [[True], [False]]

        def grad(self, inputs, gradients):
            return [gradients[0], theano.gradient.DisconnectedType()()]

    x, y = T.dvector(), T.dvector()
    dx, dy = T.grad(First()(x, y).sum(), [x, y], disconnected_inputs="ignore")
    for value, expected in zip(theano.function([x, y], [dx, dy])(X, X), [1, 0], strict=True):
        assert_array_equal(value, [expected] * 3)


def test_an_op_with_c_code_runs_its_perform():
    class WithBoth(Scale):
        def c_code(self, node, name, inputs, outputs, sub):
            return "this is not C"

    class WithCOnly(theano.gof.Op):
        make_node = Scale.make_node

        def c_code(self, node, name, inputs, outputs, sub):
            return ""

    x = T.dvector()
    assert_allclose(theano.function([x], WithBoth()(x))(X), 3 * X)
    with pytest.raises(
        NotImplementedError, match=r"WithCOnly defines no perform, and C code is not compiled here: add"
    ):
        theano.function([x], WithCOnly()(x))(X)


def test_shapes_are_inferred_without_the_graph():
    class Halves(Scale):
        def perform(self, node, inputs, output_storage):
            raise AssertionError("only the shape is asked for")

        def infer_shape(self, node, shapes):
            return [(super().infer_shape(node, shapes)[0][0] // 2,)]

    x = T.dvector()
    assert theano.function([x], Halves()(x).shape, mode=pytensor.compile.mode.Mode("py", "fast_run"))(X) == (1,)


def test_a_view_that_computes_is_computed():
    class Negated(ViewOp):
        view_map = {}  # noqa: RUF012

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = -inputs[0]

    x = T.dvector()
    function = theano.function([x], [Negated()(x), ViewOp()(x), ClipByGrad()(x) + 1])
    for value, expected in zip(function(X), [-X, X, X + 1], strict=True):
        assert_allclose(value, expected)
    assert [type(node.op) for node in function.maker.fgraph.apply_nodes].count(ViewOp) <= 1  # a copy of an input


def test_reductions_call_a_function_of_ones_own():
    class Larger(type(T.maximum.scalar_op)):
        identity = -np.inf

        def impl(self, x, y):
            return max(x, y) + 1

    x = T.dvector()
    larger = Elemwise(Larger(theano.scalar.upgrade_to_float, name="larger"))
    assert_allclose(theano.function([x], larger(x, x * 2))(X), np.maximum(X, 2 * X) + 1)


def test_views_and_works_in_place():
    class Doubled(Scale):
        destroy_map = {0: [0]}  # noqa: RUF012 (as Theano's Ops write it)

        def perform(self, node, inputs, output_storage):
            inputs[0][:] *= 2
            output_storage[0][0] = inputs[0]

    x = T.dvector()
    copied = x + 1
    doubled, same = theano.function([x], [Doubled()(copied), copied - 1], accept_inplace=True)(X)
    assert_allclose(doubled, 2 * X + 2)
    assert_allclose(same, X)


def of_product(**overrides):
    """Return the gradients of x + y z by x, y and z at 2, 3, 4, as an Op of a graph has them."""
    x, y, z = T.dscalars("xyz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        op = theano.OpFromGraph([x, y, z], [x + y * z], **overrides)
        return theano.function([x, y, z], T.grad(op(x, y, z), [x, y, z]))(2, 3, 4)


def reversed_gradient(inputs, gradients):
    return [-g for g in (gradients[0], gradients[0] * inputs[2], gradients[0] * inputs[1])]


def test_an_op_of_a_graph_takes_gradients_under_theanos_names():
    a, b, c, e, g = T.dscalars("abceg")
    disconnected = theano.gradient.DisconnectedType()()
    double = lambda inputs, gradients: 2 * inputs[2] * gradients[0]  # noqa: E731
    as_ops = {n: theano.OpFromGraph([a, b, c, *([e] * n), g], [g, a, b], on_unused_input="ignore") for n in (0, 1)}
    by_output = lambda inputs, outputs, gradients: [outputs[0]] * 3  # noqa: E731
    assert of_product() == [1, 4, 3]
    assert of_product(grad_overrides="default", lop_overrides=None) == [1, 4, 3]
    assert of_product(grad_overrides=["default", double, "default"]) == [1, 8, 3]
    assert of_product(grad_overrides=reversed_gradient) == [-1, -4, -3]
    assert of_product(lop_overrides=by_output, inline=True) == [14, 14, 14]
    assert of_product(lop_overrides=["default", lambda *of: by_output(*of)[0], "default"]) == [1, 14, 3]
    assert of_product(grad_overrides=as_ops[0]) == [1, 2, 3]
    assert of_product(lop_overrides=as_ops[1]) == [1, 2, 3]
    assert of_product(pullback=by_output) == [14, 14, 14]
    with pytest.raises(theano.gradient.DisconnectedInputError):
        of_product(grad_overrides=["default", "default", disconnected], connection_pattern=[[True], [True], [False]])
    with pytest.raises(ValueError, match="OpFromGraph: give one of lop_overrides and grad_overrides"):
        of_product(grad_overrides=reversed_gradient, lop_overrides=by_output)


def test_an_op_of_a_graph_takes_its_gradient_forwards():
    x, t = T.dvector(), T.dvector()
    op = theano.OpFromGraph([x], [x**2], rop_overrides=lambda inputs, tangents: (tangents[0] * 7,))
    forwards = pytensor.gradient.pushforward(op(x), x, t, use_op_pushforward=True)
    assert_allclose(theano.function([x, t], forwards)(X, X), 7 * X)
