"""Updates in the memory of what they update."""

import numpy as np
import pytensor
from numpy.testing import assert_array_equal

from lstm_cli.ops.overwrite import overwrite
from lstm_cli.theano.compiling import fast_start


def update(held, new, outputs=()):
    return pytensor.function([], list(outputs), updates={held: overwrite(held, new)}, mode=fast_start())


def test_the_memory_stays():
    p = pytensor.shared(np.arange(3.0))
    memory = p.get_value(borrow=True)
    update(p, p * 2)()
    assert p.get_value(borrow=True) is memory
    assert_array_equal(memory, [0, 2, 4])


def test_readers_see_the_value_before():
    p = pytensor.shared(np.arange(3.0))
    total, whole = update(p, p * 2, [p.sum(), p])()
    assert total == 3
    assert_array_equal(whole, [0, 1, 2])
    assert_array_equal(p.get_value(), [0, 2, 4])


def test_another_shape_takes_new_memory():
    p = pytensor.shared(np.arange(3.0))
    update(p, p[:2] + 1)()
    assert_array_equal(p.get_value(), [1, 2])


def test_memory_that_must_not_be_written_is_left_alone():
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    p = pytensor.shared(frozen, borrow=True)
    update(p, p + 1)()
    assert_array_equal(p.get_value(), [1, 2, 3])
    assert_array_equal(frozen, [0, 1, 2])
