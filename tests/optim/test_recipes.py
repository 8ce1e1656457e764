"""Every optimizer of the config: its first ten updates against PyTorch and numbers written down, and its defaults."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.config.optimizer import OptimizerBase
from lstm_cli.optim.recipes import RECIPES, rule_of
from lstm_cli.optim.updates import updates
from tests.support.ops import compiled, ops_of
from tests.support.optim import names_of, optimizer_section

START = np.array([0.5, -1.0, 2.0, 0.1, -0.3])
STEPS, PLACES = np.arange(1, 11)[:, None], np.arange(1, 6)
GRADIENTS = np.sin(STEPS * PLACES) * PLACES / 2 + 0.3

BETAS = {"beta1": 0.9, "beta2": 0.999}

# name of the case: recipe, learning rate, keys, PyTorch's class and keys, parameters after ten updates.
# The last come from PyTorch 2.13.0 in float64, for adagrad (whose epsilon PyTorch adds outside the root) and for the
# second adadelta from theano-lstm's formulas in numpy: s += g², p -= rate * g / sqrt(s + epsilon), and
# s = rho s + (1 - rho) g², d = -sqrt((r + epsilon) / (s + epsilon)) g, r = rho r + (1 - rho) d², p += d; for lamb and
# lars from the algorithms of their papers in numpy (`tests/optim/test_layerwise.py`).
CASES = {
    "sgd": (
        *("sgd", 0.1, {}, "SGD", {}),
        [0.12944058143909945, -1.364650569403816, 1.7696041623006833, -0.19822263639135, -0.5613408732387472],
    ),
    "sgd momentum": (
        *("sgd", 0.1, {"momentum": 0.9}, "SGD", {"momentum": 0.9}),
        [-1.1138565727206886, -2.4637071358851643, 0.7616921639440908, -0.8273171265263848, -0.5721987171342888],
    ),
    "sgd nesterov": (
        *("sgd", 0.1, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
        *("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
        [-1.3067505744440797, -2.3449756543964533, 0.30140432049698884, -1.013622622164847, -0.8128108542713361],
    ),
    "adagrad": (
        *("adagrad", 0.05, {"epsilon": 1e-6}, None, {}),
        [0.3346071790736814, -1.0977392332100697, 1.9026246503285267, 0.08676808647272624, -0.2985010219499054],
    ),
    "adadelta": (
        *("adadelta", 0.7, {"weight_decay": 0.05}, "Adadelta", {"rho": 0.95, "weight_decay": 0.05}),
        [0.48258890779143687, -1.0076484851987364, 1.9896755665620667, 0.09585423252237397, -0.30332702346246043],
    ),
    "adadelta of theano-lstm": (
        *("adadelta", 1.0, {"rho": 0.95, "epsilon": 1e-6}, "Adadelta", {"rho": 0.95}),
        [0.47596654249762593, -1.0124925898591495, 1.988981551469507, 0.0941832110125355, -0.30503184446908227],
    ),
    "rmsprop": (
        *("rmsprop", 0.01, {"weight_decay": 0.05}, "RMSprop", {"alpha": 0.9, "weight_decay": 0.05}),
        [0.3829333811738406, -1.0581512714142915, 1.923169799543849, 0.0879945529002223, -0.3015805555962394],
    ),
    "rmsprop momentum": (
        *("rmsprop", 0.01, {"momentum": 0.5}, "RMSprop", {"alpha": 0.9, "momentum": 0.5}),
        [0.28590118077054444, -1.1155645019489406, 1.8730006702848747, 0.08801042266574707, -0.2968734679302157],
    ),
    "adam": (
        *("adam", 0.01, {**BETAS, "weight_decay": 0.05}, "Adam", {"weight_decay": 0.05}),
        [0.4225844246513618, -1.0412647531231325, 1.945752149871953, 0.09420308686647454, -0.2874684035189999],
    ),
    "adamw": (
        *("adamw", 0.01, {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6, "weight_decay": 0.1}),
        *("AdamW", {"betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
        [0.4223547258323761, -1.0339218944693902, 1.9361802007191617, 0.09205693462342811, -0.2900390394622089],
    ),
    "nadam": (
        *("nadam", 0.01, {**BETAS, "weight_decay": 0.05}, "NAdam", {"weight_decay": 0.05}),
        [0.4445511209728452, -1.0288827037917594, 1.9642675627062922, 0.09175351859719445, -0.3031704889260253],
    ),
    "lamb": (
        *("lamb", 0.01, {**BETAS, "weight_decay": 0.05}, None, {}),
        [0.3430093061485796, -1.0798298535361828, 1.894766611258628, 0.07609704674086595, -0.29017922330980067],
    ),
    "lars": (
        *("lars", 5.0, {"weight_decay": 0.05}, None, {}),
        [0.4298266543108028, -1.0502976927011278, 1.9264206701388162, 0.05390328331657738, -0.307670008717515],
    ),
}


# The contract: every optimizer's own keys and their defaults, and those that all have.
BETAS_AND_EPSILON = {**BETAS, "epsilon": 1e-8}
DEFAULTS = {
    "sgd": {"learning_rate": 0.1, "momentum": 0.0, "nesterov": False},
    "adagrad": {"learning_rate": 0.01, "epsilon": 1e-6},
    "adadelta": {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-6},
    "rmsprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-8},
    "adam": {"learning_rate": 0.005, "clip_norm": 1.0, **BETAS_AND_EPSILON},
    "adamw": {"learning_rate": 0.005, "clip_norm": 1.0, **BETAS_AND_EPSILON, "weight_decay": 0.01},
    "nadam": {"learning_rate": 0.005, "clip_norm": 1.0, **BETAS_AND_EPSILON},
    "lamb": {"learning_rate": 0.05, "clip_norm": 1.0, **BETAS_AND_EPSILON, "weight_decay": 0.01},
    "lars": {"learning_rate": 20.0, "momentum": 0.9, "trust": 0.001},
}
COMMON = {"weight_decay": 0.0, "clip_norm": 5.0, "clip_norm_each": None, "clip_value": None, "rates": {}}
# What a rule does not depend on.
OF_NO_RULE = {"name", "learning_rate", "clip_norm", "clip_norm_each", "clip_value", "rates"}


def test_every_optimizer_of_the_config_is_tested_and_has_a_recipe():
    names = names_of(OptimizerBase)
    assert names == sorted(RECIPES) == sorted(DEFAULTS) == sorted({case[0] for case in CASES.values()})


@pytest.mark.parametrize("name", names_of(OptimizerBase))
def test_a_rule_has_the_keys_of_its_section_and_no_default(name):
    fields = dataclasses.fields(RECIPES[name])
    assert {field.name for field in fields} == type(optimizer_section(name)).model_fields.keys() - OF_NO_RULE
    assert all(field.default is dataclasses.MISSING for field in fields)


@pytest.mark.parametrize("name", names_of(OptimizerBase))
def test_defaults_are_those_of_the_contract(name):
    assert optimizer_section(name).model_dump() == {"name": name, **COMMON, **DEFAULTS[name]}


def tolerance(recipe):
    """PyTorch keeps nadam's product of momenta in float32."""
    return 1e-8 if recipe == "nadam" else 1e-12


def stepper(recipe, options, dtype="float64", start=START):
    """Return the parameters, their state, and a function from gradient and learning rate that takes a step."""
    flat = pytensor.shared(start.astype(dtype))
    gradient, rate = pt.vector(dtype=dtype), pt.scalar(dtype=dtype)
    step = updates(rule_of(optimizer_section(recipe, **options)), flat, gradient, rate)
    state = {variable.name: variable for variable in step if variable is not flat}
    return SimpleNamespace(flat=flat, state=state, step=compiled([gradient, rate], [], updates=step))


def updated_parameters(recipe, rate, options, dtype="float64"):
    made = stepper(recipe, options, dtype)
    path = []
    for gradient in GRADIENTS:
        made.step(gradient.astype(dtype), np.asarray(rate, dtype))
        path.append(made.flat.get_value())
    return np.array(path)


@pytest.mark.parametrize("case", CASES)
def test_ten_updates_lead_where_they_should(case):
    recipe, rate, options, _, _, wanted = CASES[case]
    np.testing.assert_allclose(updated_parameters(recipe, rate, options)[-1], wanted, rtol=tolerance(recipe))


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][3]])
def test_each_of_ten_updates_is_that_of_pytorch(case):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; the numbers written down were compared")
    recipe, rate, options, name, keys, _ = CASES[case]
    parameters = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    defaults = {"eps": 1e-6} if name == "Adadelta" else {}
    other = getattr(torch.optim, name)([parameters], lr=rate, **defaults, **keys)
    for gradient, ours in zip(GRADIENTS, updated_parameters(recipe, rate, options), strict=True):
        parameters.grad = torch.tensor(gradient)
        other.step()
        np.testing.assert_allclose(ours, parameters.detach().numpy(), rtol=tolerance(recipe))


@pytest.mark.parametrize("case", CASES)
def test_single_precision_stays_close_and_stays_single(case):
    recipe, rate, options, _, _, wanted = CASES[case]
    path = updated_parameters(recipe, rate, options, "float32")
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[-1], wanted, rtol=2e-6)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_step_is_one_op_in_the_memory_that_is_there(recipe):
    made = stepper(recipe, {"momentum": 0.9} if recipe == "sgd" else {})
    addresses = [v.get_value(borrow=True).ctypes.data for v in (made.flat, *made.state.values()) if v.ndim]
    (op,) = ops_of(made.step)
    for _ in range(2):
        made.step(GRADIENTS[0], 0.1)
    assert op.inplace
    assert addresses == [v.get_value(borrow=True).ctypes.data for v in (made.flat, *made.state.values()) if v.ndim]


@pytest.mark.parametrize("recipe", RECIPES)
def test_state_put_back_continues_exactly(recipe):
    options = {"momentum": 0.9} if recipe == "sgd" else {}
    first, second = stepper(recipe, options), stepper(recipe, options)
    for gradient in GRADIENTS[:5]:
        first.step(gradient, 0.01)
    second.flat.set_value(first.flat.get_value())
    for name, variable in second.state.items():
        variable.set_value(first.state[name].get_value())
    for gradient in GRADIENTS[5:]:
        first.step(gradient, 0.01)
        second.step(gradient, 0.01)
    np.testing.assert_array_equal(first.flat.get_value(), second.flat.get_value())


def test_long_vectors_are_cut_into_pieces_without_gaps():
    size = 3 * (1 << 14) + 5
    made = stepper("sgd", {}, start=np.zeros(size))
    made.step(np.arange(size, dtype=np.float64), 1.0)
    np.testing.assert_array_equal(made.flat.get_value(), -np.arange(size))


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="the gradient has 4 numbers, the parameters 5"):
        stepper("sgd", {}).step(np.zeros(4), 0.1)
