import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numba.core.dispatcher import Dispatcher
from pytensor.compile.mode import Mode
from pytensor.link.c.basic import CLinker
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.ops.contract import or_zeros
from lstm_cli.ops.mode import python_mode
from tests.support.ops import compiled, ops_of


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has numba compile, or makes C of an Op or a graph, fails."""
    for place, entry in ((Dispatcher, "compile"), (CLinker, "make_thunk")):
        monkeypatch.setattr(place, entry, lambda *args, **options: pytest.fail("compiles"))


@pytest.mark.usefixtures("no_compiler")
def test_the_mode_calls_ops_from_python_and_compiles_nothing():
    mode = python_mode()
    assert type(mode.linker).__name__ == "VMLinker" and not mode.linker.c_thunks and not mode.linker.use_cloop
    x = pt.fvector()
    assert compiled([x], pt.exp(x).sum())(np.zeros(3, np.float32)) == 3


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("linker", ["numba", "c"])
def test_other_modes_do_compile(linker):
    x = pt.fvector()
    with pytest.raises(pytest.fail.Exception, match="compiles"):
        pytensor.function([x], pt.exp(x).sum(), mode=Mode(linker=linker))(np.zeros(3, np.float32))


def test_products_are_not_merged_into_one_slow_op():
    x, y, z = (pt.fmatrix() for _ in range(3))
    function = compiled([x, y, z], (x * y) * z)
    assert max(len(node.inputs) for node in function.maker.fgraph.toposort()) == 2


def test_elementwise_ops_call_numpy_once():
    x, row = pt.fmatrix(), pt.frow()
    zeros = or_zeros(pytensor.gradient.disconnected_type(), x)
    function = compiled([x, row], [zeros, pt.second(x, 2.5), pt.second(x, row), pt.maximum(x, 0), x.astype("float64")])
    assert not any(isinstance(op, Elemwise) for op in ops_of(function))
    given = np.float32([[-1, 0], [2, 3], [4, -5]])
    zeros, filled, rows, positive, cast = function(given, np.float32([[1, 2]]))
    assert zeros.tolist() == [[0] * 2] * 3 and filled.tolist() == [[2.5] * 2] * 3 and rows.tolist() == [[1, 2]] * 3
    assert positive.tolist() == np.maximum(given, 0).tolist() and cast.dtype == np.float64
