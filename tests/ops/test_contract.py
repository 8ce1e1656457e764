import time

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.ops.contract import or_zeros, python_mode
from lstm_cli.ops.fill import Filled
from tests.ops.common import compiled, ops_of


def test_the_mode_calls_ops_from_python_and_compiles_nothing():
    mode = python_mode()
    assert type(mode.linker).__name__ == "VMLinker" and not mode.linker.c_thunks and not mode.linker.use_cloop
    began = time.perf_counter()
    compiled([], pt.exp(pt.zeros(3)))
    assert time.perf_counter() - began < 1


def test_products_are_not_merged_into_one_slow_op():
    x, y, z = (pt.fmatrix() for _ in range(3))
    function = compiled([x, y, z], (x * y) * z)
    assert max(len(node.inputs) for node in function.maker.fgraph.toposort()) == 2


def test_zeros_are_filled_at_once():
    x = pt.fmatrix()
    function = compiled([x], [or_zeros(pytensor.gradient.disconnected_type(), x), pt.second(x, 2.5)])
    assert [type(op) for op in ops_of(function)].count(Filled) == 2
    assert not any(isinstance(op, Elemwise) for op in ops_of(function))
    zeros, others = function(np.ones((3, 4), np.float32))
    assert zeros.tolist() == [[0] * 4] * 3 and others.tolist() == [[2.5] * 4] * 3


def test_a_fill_that_broadcasts_stays():
    x, row = pt.fmatrix(), pt.frow()
    function = compiled([x, row], pt.second(x, row))
    np.testing.assert_array_equal(function(np.ones((2, 3), np.float32), np.float32([[1, 2, 3]])), [[1, 2, 3]] * 2)
