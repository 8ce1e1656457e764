import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.cells import activations as gates
from lstm_cli.ops.activations import ACTIVATIONS
from tests.support import reference
from tests.support.ops import compiled

X = np.array([[-3.0, -0.5, 0.0], [0.25, 1.0, 30.0]])


def test_variables_kernels_and_reference_have_the_same_activations():
    assert ACTIVATIONS.keys() == gates.ACTIVATIONS.keys() == reference.ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_computes_what_the_reference_does(name):
    x = pt.dmatrix()
    np.testing.assert_allclose(compiled([x], ACTIVATIONS[name](x))(X), reference.ACTIVATIONS[name](X), rtol=1e-14)


def test_relu_has_slope_0_at_0():
    x = pt.dmatrix()
    slope = pytensor.grad(ACTIVATIONS["relu"](x).sum(), x)
    np.testing.assert_array_equal(compiled([x], slope)(X), X > 0)
