"""Names and arguments of Theano's that PyTensor has renamed or dropped, as scripts use them."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lstm_cli import theano

T = theano.tensor
rng = np.random.default_rng(3)
X, Y = rng.normal(size=(2, 3, 4))
A = X @ X.T + np.eye(3)
L, U = np.tril(A), np.triu(A)
x, y, v, s, a, b = T.dmatrix("x"), T.dmatrix("y"), T.dvector("v"), T.dscalar("s"), T.dmatrix("a"), T.dmatrix("b")
VALUES = {x: X, y: Y, v: X[0], s: 2.0, a: A, b: X}
solve = T.slinalg.Solve

NUMBERS = {
    "flatten(outdim)": (T.flatten(x.dimshuffle(0, 1, "x"), outdim=2), X),
    "flatten(1)": (T.flatten(x, 1), X.ravel()),
    "tile(ndim)": (T.tile(v, (2, 3), ndim=2), np.tile(X[0], (2, 3))),
    "split": (T.split(x, [1, 2], 2, axis=0)[1], X[1:]),
    "split, by position": (T.split(x, [1, 3], 2, 1)[0], X[:, :1]),
    "sgn": (T.sgn(x), np.sign(X)),
    "var": (T.var(x, axis=0), X.var(axis=0)),
    "sort": (T.sort(x, axis=1), np.sort(X, axis=1)),
    "basic": (T.basic.concatenate([x, x]), np.concatenate([X, X])),
    "diag of a vector": (T.nlinalg.diag(v), np.diag(X[0])),
    "alloc_diag": (T.nlinalg.alloc_diag(v), np.diag(X[0])),
    "extract_diag": (T.nlinalg.extract_diag(a), np.diag(A)),
    "trace": (T.nlinalg.trace(a), np.trace(A)),
    "matrix_dot": (T.nlinalg.matrix_dot(a, b, b.T), A @ X @ X.T),
    "solve": (T.slinalg.solve(a, b), np.linalg.solve(A, X)),
    "Solve": (solve()(a, b), np.linalg.solve(A, X)),
    "Solve, symmetric": (solve("symmetric")(a, b), np.linalg.solve(A, X)),
    "Solve, lower": (solve(A_structure="lower_triangular", lower=True)(a, b), np.linalg.solve(L, X)),
    "Solve, upper": (solve(A_structure="upper_triangular")(a, b), np.linalg.solve(U, X)),
    "solve_lower_triangular": (T.slinalg.solve_lower_triangular(a, b), np.linalg.solve(L, X)),
    "solve_upper_triangular": (T.slinalg.solve_upper_triangular(a, b), np.linalg.solve(U, X)),
    "Assert": (T.opt.Assert("message")(x, T.eq(x.shape[0], 3)), X),
    "scalar.inv": (T.elemwise.Elemwise(theano.scalar.inv)(x), 1 / X),
    "scalar.sgn": (T.elemwise.Elemwise(theano.scalar.sgn)(x), np.sign(X)),
    "theano.dot": (theano.dot(x, y.T), X @ Y.T),
    "theano.Lop": (theano.Lop(x**2, x, y), 2 * X * Y),
    "T.Rop": (T.Rop(x**2, x, y), 2 * X * Y),
    "jacobian": (T.jacobian(v**2, v), np.diag(2 * X[0])),
    "consider_constant": (T.grad((T.consider_constant(x) * x).sum(), x), X),
    "known_grads": (T.grad(None, x, known_grads={x * 1: y}, disconnected_inputs="ignore"), Y),
    "argmax": (T.argmax(x, axis=1, keepdims=True), X.argmax(axis=1, keepdims=True)),
    "max_and_argmax": (T.max_and_argmax(x, axis=1)[1], X.argmax(axis=1)),
    "nonzero": (T.nonzero(x > 0)[1], np.nonzero(X > 0)[1]),
    "mgrid": (T.mgrid[0:3, 0:2][0], np.mgrid[0:3, 0:2][0]),
    "set_subtensor": (T.set_subtensor(x[:, 0], 5.0)[:, 0], np.full(3, 5.0)),
    "inc_subtensor": (T.inc_subtensor(x[:, 0], 5.0)[:, 0], X[:, 0] + 5),
    "stacklists": (T.stacklists([[s, s], [s, s]]), np.full((2, 2), 2.0)),
    "to_one_hot": (T.extra_ops.to_one_hot(T.arange(3), 4), np.eye(4)[:3]),
    "cast": (T.cast(x, "floatX"), X),
    "constant": (T.constant(3.0, name="three", ndim=0), 3.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def computed():
    """All of them in one function: it is built once."""
    outputs = theano.function(list(VALUES), [variable for variable, _ in NUMBERS.values()], on_unused_input="ignore")
    return dict(zip(NUMBERS, outputs(*VALUES.values()), strict=True))


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name, computed):
    assert_allclose(computed[name], NUMBERS[name][1], rtol=1e-9, atol=1e-12)


def test_a_structure_that_matrices_do_not_have():
    with pytest.raises(ValueError, match="A_structure: got 'diagonal', expected one of general, symmetric"):
        solve("diagonal")


def test_types_are_described_by_what_is_broadcast():
    variables = [
        T.TensorType("float32", (False, True))("x"),
        T.tensor("float32", (False, True), name="x"),
        T.tensor(dtype="float32", broadcastable=(False, True), name="x"),
        T.tensor("float32", broadcastable=(False, True), name="x"),
        T.Tensor("float32", [False, True])("x"),
        theano.shared(np.zeros((2, 1), "float32"), name="x", broadcastable=(False, True), borrow=True, target="cpu"),
    ]
    for variable in variables:
        assert (variable.dtype, variable.broadcastable, variable.name) == ("float32", (False, True), "x")
    assert isinstance(theano.shared(1.0), T.sharedvar.ScalarSharedVariable)


def test_outputs_by_name():
    f = theano.function([x], {"total": x.sum(), "double": 2 * x}, name="both")
    assert f.name == "both"
    for function in (f, pickle.loads(pickle.dumps(f))):
        outputs = function(X)
        assert sorted(outputs) == ["double", "total"]
        assert_allclose(outputs["total"], X.sum())
    with pytest.raises(TypeError, match=r"outputs: expected names of type str, got \[1\]"):
        theano.function([x], {1: x})


@pytest.mark.parametrize("default", [theano.Param(s, default=2.0, name="k"), theano.In(s, value=2.0, name="k")])
def test_inputs_with_a_default(default):
    f = theano.function([x, default, theano.In(v, value=np.ones(4), borrow=True)], (s * x * v).sum())
    for got, factor in ((f(X), 2), (f(X, 3.0), 3), (f(X, k=4.0), 4), (f(X), 2), (f(X, v=np.zeros(4)), 0)):
        assert_allclose(got, factor * X.sum())
    assert_allclose(pickle.loads(pickle.dumps(f))(X), 2 * X.sum())
    with pytest.raises(TypeError, match="Missing input"):
        f()
    with pytest.raises(TypeError, match=r"Too many parameter|Unknown input"):
        f(X, q=1.0)


def test_a_default_that_a_function_overwrites():
    in_place = theano.compile.get_default_mode().including("inplace")
    f = theano.function([theano.In(v, value=np.ones(4), mutable=True)], T.inc_subtensor(v[:2], 1.0), in_place)
    for _ in range(2):
        assert_array_equal(f(), [2, 2, 1, 1])


def test_an_input_that_is_updated_is_kept():
    count, step = T.lscalar("count"), T.lscalar("step")
    f = theano.function([theano.In(step, value=1), theano.In(count, value=0, update=count + step)], count)
    assert [int(f()), int(f(5)), int(f())] == [0, 1, 6]


def test_arguments_of_function_by_position():
    w = theano.shared(np.zeros(4), "w")
    updates, givens = [(w, w + v)], {v: np.ones(4)}
    f = theano.function([x], x.sum(), "FAST_RUN", updates, givens, True, False, "f", True, True, False, "ignore")
    f(X.astype("float32"))
    assert f.name == "f"
    assert_array_equal(w.get_value(borrow=True), np.ones(4))
    with pytest.raises(theano.compile.UnusedInputError):
        theano.function([x, s], x.sum())


def test_updates_are_joined_from_either_side():
    p, q = theano.shared(1.0, "p"), theano.shared(2.0, "q")
    one, other = theano.OrderedUpdates([(p, p + 1)]), {q: q * 2}
    for both in (one + other, other + one, one + list(other.items())):
        assert isinstance(both, theano.OrderedUpdates)
        assert {*both} == {p, q}
    theano.function([], [], updates=other + one)()
    assert (p.get_value(), q.get_value()) == (2, 4)
    one.update(None)
    assert one + one == one
    with pytest.raises(KeyError, match="p has two different updates"):
        one + {p: p + 2}
    with pytest.raises(TypeError, match="expected a shared variable as key, got s"):
        theano.updates.OrderedUpdates({s: s})


def test_default_updates():
    """As batch normalization sets them: of a clone, from a mean whose length is known."""
    mean, batch = theano.shared(np.zeros(4), "mean"), theano.shared(X, shape=(3, 4))
    running = theano.clone(mean, share_inputs=False)
    with warnings.catch_warnings(action="error"):
        running.default_update = 0.5 * running + 0.5 * batch.mean(axis=0)
        theano.function([], running + 0)()
        theano.function([], running + 0, no_default_updates=[running])()
    assert_allclose(mean.get_value(), 0.5 * X.mean(axis=0))
    running.default_update = None
    assert running.default_update is None
    with pytest.raises(TypeError):
        running.default_update = x


def test_the_inputs_of_a_graph_from_left_to_right():
    cost = (x * y + T.dot(s, v).sum()) * x
    assert theano.gof.graph.inputs([cost]) == [x, y, s, v]
    assert theano.gof.graph.ancestors([cost], blockers=[cost]) == [cost]


def test_a_graph_is_cloned_with_parts_replaced():
    w = theano.shared(3.0)
    cost = (x * w).sum()
    for replace in ({x: 2 * x}, [(x, 2 * x)]):
        copy = theano.clone(cost, replace=replace, strict=False, share_inputs=True)
        assert_allclose(theano.function([x], copy)(X), 6 * X.sum())
    assert {x, w} <= {*theano.gof.graph.inputs(theano.clone([cost]))}
    assert x not in theano.gof.graph.inputs([theano.clone(cost, share_inputs=False)])
    with pytest.raises(TypeError):
        theano.clone(cost, {x: T.fmatrix()})
    assert theano.gof.graph.is_same_graph(cost, (x * w).sum())
    assert not theano.gof.graph.is_same_graph(cost, (y * w).sum())
    assert theano.gof.graph.is_same_graph(cost, (y * w).sum(), {x: y})


@theano.compile.ops.as_op([T.dmatrix], [T.dvector], lambda node, shapes: [shapes[0][:1]])
def row_sums(values):
    return values.sum(axis=1)


def test_a_function_becomes_an_op():
    f = theano.function([x], [row_sums(x), row_sums(x).shape])
    with warnings.catch_warnings(action="error"):
        sums, shape = f(X)
    assert_allclose(sums, X.sum(axis=1))
    assert_array_equal(shape, [3])
    assert pickle.loads(pickle.dumps(f))(X)[1] == 3


class Doubled(theano.Op):
    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))

    def make_node(self, value):
        return theano.Apply(self, [T.as_tensor_variable(value)], [value.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = 2 * inputs[0]


def test_an_op_of_a_script_is_rewritten_by_a_script():
    @theano.gof.local_optimizer([Doubled])
    def as_product(node):
        return [2 * node.inputs[0]] if isinstance(node.op, Doubled) else False

    fgraph = theano.gof.FunctionGraph([x], [Doubled()(x)], clone=False)
    assert_allclose(theano.function([x], Doubled()(x))(X), 2 * X)
    theano.gof.TopoOptimizer(as_product).rewrite(fgraph)
    assert [type(node.op) for node in fgraph.toposort()].count(Doubled) == 0
    assert_allclose(theano.function([x], fgraph.outputs[0])(X), 2 * X)


def test_graphs_are_printed():
    assert theano.pprint(x + y) == theano.pp(x + y) == "(x + y)"
    assert "Add [id A]" in theano.printing.debugprint(x + y, depth=2, ids="CHAR", stop_on_name=True, file="str")
    assert "[id" not in theano.printing.debugprint(x + y, ids="", file="str")


def test_small_names():
    assert "0.9" < theano.__version__ == theano.version.version == "1.0.5"
    assert theano._asarray([1, 2], dtype="floatX").dtype == theano.config.floatX
    assert theano._asarray([1, 2], dtype="int8").dtype == np.int8
    assert theano.gof.local_bitwidth() == theano.configdefaults.local_bitwidth() == 64
    assert isinstance(x, theano.Variable)
    assert isinstance(T.constant(1), theano.Constant)
    assert theano.gof.op.get_debug_values(x) == []
    theano.gof.compilelock.set_lock_status(False)


def test_names_of_python_2():
    from lstm_cli.theano.compat import OrderedDict, cmp, izip
    from lstm_cli.theano.compat.six.moves import cPickle, reduce, xrange

    assert [list(izip("a", "b")), cmp(1, 2), list(xrange(2))] == [[("a", "b")], -1, [0, 1]]
    assert reduce(max, [1, 3, 2]) == 3
    assert cPickle.loads(cPickle.dumps(OrderedDict(a=1))) == {"a": 1}


def test_largest_and_smallest():
    count = T.iscalar()
    f = theano.function([x, count], T.topk_and_argtopk(x, count))
    for kth, expected in ((3, np.argsort(-X, axis=1)[:, :3]), (-2, np.argsort(-X, axis=1)[:, 2:])):
        values, places = f(X, kth)
        assert_array_equal(places, expected)
        assert_array_equal(values, np.take_along_axis(X, expected, axis=1))
    of_columns = T.topk(x, 1, axis=0, sorted=False)
    assert_array_equal(theano.function([x], T.grad(of_columns.sum(), x))(X), X == X.max(axis=0))
    assert T.argtopk(X, 1, axis=None, idx_dtype="int32").eval() == np.argmax(X)
    for kth in (0, 5, -5):
        with pytest.raises(ValueError, match="topk: kth: expected 1 to as many"):
            f(X, kth)
