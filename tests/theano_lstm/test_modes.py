"""Compilation modes: Theano's start at once, and updates stay where they are."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytensor
import pytest
from numpy.testing import assert_allclose
from pytensor.link.numba.linker import NumbaLinker
from pytensor.link.vm import VMLinker
from pytensor.scan.op import Scan

from lstm_cli import theano
from lstm_cli.ops.mode import _EXCLUSIVE

T = theano.tensor
X = np.linspace(-1, 1, 5)
QUICK = ["FAST_RUN", "FAST_COMPILE", "fast_run", "Mode", "ProfileMode", None]
compile_mode = theano.compile.mode
MADE = {
    "py": theano.compile.mode.Mode(linker="py", optimizer="fast_compile"),
    "c|py": theano.compile.Mode("c|py", None),
    "merge": theano.Mode("vm_nogc", "merge"),
    "excluding": theano.compile.get_default_mode().excluding("inplace", "fusion"),
    "nan guard": theano.compile.nanguardmode.NanGuardMode(nan_is_error=True, inf_is_error=True, big_is_error=False),
    "monitor": theano.compile.MonitorMode(),
}


def counted(mode):
    """Return a function whose scan has a gradient, the values that it should give, and what it updates."""
    held, x = theano.shared(np.zeros(3)), T.dvector("x")
    memory = held.get_value(borrow=True, return_internal_type=True)
    powers, _ = theano.scan(lambda x, total: total * 0.5 + x**2, sequences=x, outputs_info=T.zeros(()))
    function = theano.function([x], [powers, T.grad(powers[-1], x)], updates=[(held, held + x.sum() + 1)], mode=mode)
    return function, memory


def scans_of(function):
    return [node.op for node in function.maker.fgraph.apply_nodes if isinstance(node.op, Scan)]


def check(mode):
    function, memory = counted(mode)
    totals, slope = function(X)
    expected = 0.0
    for x, total in zip(X, totals, strict=True):
        expected = expected / 2 + x**2
        assert total == pytest.approx(expected)
    assert_allclose(slope, 2 * X * 0.5 ** np.arange(4, -1, -1))
    assert_allclose(memory, 1, err_msg="the update left the memory of the variable")
    return function


@pytest.mark.parametrize("mode", QUICK)
def test_a_named_mode_of_theanos_is_the_ordinary_one(mode):
    assert theano.compile.get_mode(mode) is compile_mode.fast_start()


def test_the_ordinary_mode_starts_at_once():
    function = check("FAST_RUN")
    assert isinstance(function.maker.linker, VMLinker)
    assert {op.mode for op in scans_of(function)} == {compile_mode.fast_start()}


@pytest.mark.parametrize("name", MADE)
def test_a_mode_that_a_script_makes_starts_at_once(name):
    function = check(MADE[name])
    inside = {id(op.mode) for op in scans_of(function)}
    own = id(compile_mode.fast_start() if name == "monitor" else MADE[name])
    assert inside == {own}


def test_functions_of_one_graph_in_two_modes_keep_their_own():
    x = T.dvector()
    doubled, _ = theano.scan(lambda x: 2 * x, sequences=x)
    modes = [theano.Mode("py", None), theano.compile.nanguardmode.NanGuardMode(True, True, True), "FAST_RUN"]
    functions = [theano.function([x], doubled, mode=mode) for mode in modes]
    assert [scans_of(function)[0].mode for function in functions] == [*modes[:2], compile_mode.fast_start()]
    assert np.isnan(functions[2]([np.nan]))
    with pytest.raises(AssertionError, match="NaN detected"):
        functions[1]([np.nan])


def test_a_loop_with_a_mode_of_its_own_keeps_it():
    x, own = T.dvector(), theano.Mode("py", "None")
    modes = ("FAST_RUN", own, "NanGuardMode")
    loops = [theano.scan(lambda x, n=n: n * x, sequences=x, mode=mode)[0] for n, mode in enumerate(modes, 2)]
    function = theano.function([x], loops, mode="FAST_COMPILE")
    expected = {id(compile_mode.fast_start()), id(own), id(theano.compile.get_mode("NanGuardMode"))}
    assert {id(op.mode) for op in scans_of(function)} == expected


def test_numba_is_asked_for_by_name():
    for mode in (
        theano.compile.get_mode("NUMBA"),
        theano.Mode(linker="numba"),
        theano.Mode("numba").excluding("fusion"),
    ):
        assert isinstance(mode.linker, NumbaLinker)
        assert not compile_mode.runs_from_python(mode)
    assert theano.compile.get_mode("NUMBA") is pytensor.compile.mode.NUMBA
    for flags in ({"mode": "NUMBA"}, {"linker": "numba"}, {"linker": "numba", "mode": "FAST_RUN"}):
        with theano.config.change_flags(flags):
            assert isinstance(theano.compile.get_default_mode().linker, NumbaLinker)
    assert theano.compile.get_default_mode() is theano.compile.get_mode("FAST_RUN")


@pytest.mark.parametrize("mode", ["Mode", "FAST_RUN"])
def test_memory_between_calls_is_kept_on_request(mode):
    assert theano.compile.get_mode(mode).linker.allow_gc
    with theano.config.change_flags(allow_gc=False):
        assert not theano.compile.get_mode(mode).linker.allow_gc
    with theano.config.change_flags(linker="vm_nogc"):
        assert not theano.compile.get_mode(mode).linker.allow_gc


def test_no_rewrites():
    x = T.dvector()
    for optimizer in ("None", None):
        with theano.config.change_flags(optimizer=optimizer):
            function = theano.function([x], x + x - x)
        assert len(function.maker.fgraph.apply_nodes) == 2
    assert_allclose(function(X), X)
    with theano.config.change_flags(optimizer="fast_compile"):
        assert len(theano.function([x], x * 1 + 0).maker.fgraph.apply_nodes) == 1


def test_rewrites_by_name():
    x = T.dvector()
    with theano.config.change_flags(optimizer_excluding="lstm_numpy_elementwise:inplace", mode="FAST_RUN"):
        function = theano.function([x], T.exp(x))
        check(None)
    (node,) = function.maker.fgraph.apply_nodes
    assert isinstance(node.op, T.elemwise.Elemwise)
    with theano.config.change_flags(optimizer_including="lstm_numpy_elementwise", optimizer="merge"):
        (node,) = theano.function([x], T.exp(x)).maker.fgraph.apply_nodes
    assert not isinstance(node.op, T.elemwise.Elemwise)


def test_debug_mode_checks_ops():
    class Wrong(theano.gof.Op):
        itypes, otypes = [T.dvector], [T.dvector]

        def perform(self, node, inputs, outputs):
            outputs[0][0] = inputs[0].astype("float32")

    x = T.dvector()
    for mode in ("DebugMode", "DEBUG_MODE", theano.compile.debugmode.DebugMode(check_c_code=False)):
        assert_allclose(theano.function([x], 2 * x, mode=mode)(X), 2 * X)
        with pytest.raises(theano.compile.debugmode.DebugModeError):
            theano.function([x], Wrong()(x), mode=mode)(X)


def test_nan_guard_mode_stops_where_it_was_asked_to():
    x = T.dvector()
    guard = theano.compile.nanguardmode.NanGuardMode(nan_is_error=True, inf_is_error=False, big_is_error=False)
    for mode in (guard, guard.excluding("fusion")):
        function = theano.function([x], T.log(x), mode=mode)
        assert function([0.0]) == -np.inf
        with pytest.raises(AssertionError, match="NaN detected"):
            function([-1.0])
    with pytest.raises(AssertionError, match="Inf detected"):
        theano.function([x], 1 / x, mode="NanGuardMode")([0.0])


def test_monitor_mode_sees_every_op():
    seen, x = [], T.dvector()
    mode = theano.compile.MonitorMode(post_func=lambda i, node, fn: seen.append(node.op))
    theano.function([x], T.exp(x).sum(), mode=mode.excluding("fusion"))(X)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theano.compile.get_mode("FASTRUN"), "mode: expected one of FAST_RUN, .*, got 'FASTRUN'"),
        (lambda: theano.Mode("gcc"), "linker: expected one of auto, .*, got 'gcc'"),
        (lambda: theano.Mode("py", "fast"), "optimizer: expected one of o4, .*, got 'fast'"),
        (lambda: setattr(theano.config, "optimizer", "fast"), "config.optimizer: expected one of o4, .*, got 'fast'"),
        (lambda: setattr(theano.config, "mode", "fast"), "config.mode: expected one of FAST_RUN, .*, got 'fast'"),
    ],
)
def test_unknown_names_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_update_given_twice_is_an_error():
    weights, other = theano.shared(1.0, name="weights"), theano.shared(1.0)
    for mode in (None, "DebugMode"):
        with pytest.raises(
            ValueError, match="updates: the shared variable weights has two: keep one of them, or combine"
        ):
            theano.function([], [], updates=[(weights, weights + 1), (other, other), (weights, weights * 2)], mode=mode)


def test_an_update_goes_before_the_default_update():
    count = theano.shared(1.0)
    count.default_update = count + 1
    theano.function([], count, updates=[(count, count * 10)])()
    assert count.get_value() == 10
    theano.function([], count)()
    assert count.get_value() == 11


def test_an_op_from_a_graph_is_computed_in_the_mode_of_its_function():
    x = T.dvector()
    op = theano.compile.builders.OpFromGraph([x], [T.exp(x) * 2])
    function = theano.function([x], op(x), mode=theano.Mode("py", None))
    assert_allclose(function(X), 2 * np.exp(X))
    assert [type(node.op) for node in function.maker.fgraph.apply_nodes if node.op == op] == []


def test_profile_mode_profiles():
    x = T.dvector()
    assert theano.function([x], 2 * x, mode="ProfileMode").profile
    assert not theano.function([x], 2 * x).profile


def test_variables_are_evaluated_and_gradients_verified_at_once(monkeypatch):
    monkeypatch.setattr(NumbaLinker, "make_all", None)
    x = T.dvector()
    y = T.nnet.softmax(x).sum() + T.exp(x).sum()
    assert y.eval({x: X}) == pytest.approx(1 + np.exp(X).sum())
    assert T.as_tensor_variable(X).sum().eval(mode="FAST_RUN") == pytest.approx(X.sum())
    for verify in (T.verify_grad, theano.gradient.verify_grad):
        verify(lambda x: T.exp(x) ** 2, [X], rng=np.random.RandomState(1))
        with pytest.raises(theano.gradient.GradientError):
            verify(theano.gradient.consider_constant, [X], rng=np.random.RandomState(1), mode="FAST_COMPILE")


def test_functions_that_name_a_module_can_be_pickled_with_it():
    """As numba does with those that it calls."""
    for module in (theano, T, theano.compile.mode):
        assert pickle.loads(pickle.dumps(module)) is module


def test_gradients_of_a_part_and_of_the_whole():
    """PyTensor 3.0.7 alone takes the gradient of x.sum() for that of one element, and returns one here."""
    x, k = T.dmatrix(), T.iscalar()
    cost = (x[k] ** 2).sum() + x.sum() + (x[:1] ** 3).sum() + 2 * x.mean()
    gradient = theano.function([x, k], T.grad(cost, x))
    assert_allclose(gradient([[1.0], [2], [3], [4]], 0), [[6.5], [1.5], [1.5], [1.5]])
    assert_allclose(gradient([[1.0, 2], [3, 4]], 1), [[4.5, 13.5], [7.5, 9.5]])


def test_sum_with_a_tensor_that_is_set_at_one_place_twice():
    x, places = T.dvector(), T.lvector()
    put = x + T.set_subtensor(T.zeros((3,))[places], 1.0)
    assert_allclose(theano.function([x, places], put)([1.0, 2, 3], [1, 1]), [1, 3, 3])


def test_quick_start_asks_no_matrix_for_its_structure():
    """Which takes long in a loop that is written out in Python."""
    x, W = T.matrix(), theano.shared(np.eye(3))
    for _ in range(3):
        x = T.tanh(T.dot(x, W.T))
    inputs = [v for v in theano.gof.graph.inputs([x]) if v.owner is None and v is not W]
    fgraph = theano.function(inputs, T.grad(x.sum(), W)).maker.fgraph
    assert not hasattr(fgraph, "assumption_feature")


@pytest.mark.parametrize("compile_", [lambda x: theano.function([x], x), lambda x: x.eval({x: 1.0})])
def test_one_thread_compiles_at_a_time(compile_, monkeypatch):
    """PyTensor sets flags meanwhile, which all threads share, and puts back what it found."""
    free, compile_alone = [], pytensor.compile.maker.function

    def is_free():
        acquired = _EXCLUSIVE.acquire(blocking=False)
        if acquired:
            _EXCLUSIVE.release()
        return acquired

    def watched(*arguments, **options):
        with ThreadPoolExecutor(1) as thread:
            free.append(thread.submit(is_free).result())
        return compile_alone(*arguments, **options)

    for module in (pytensor, pytensor.compile.maker):
        monkeypatch.setattr(module, "function", watched)
    compile_(T.dscalar())
    assert free == [False]
