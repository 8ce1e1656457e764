"""The names and signatures of theano-lstm 0.0.15, as its source has them; ours may have more, but in the same order."""

import inspect

import pytest

import lstm_cli

REQUIRED = inspect.Parameter.empty
LAYER = {"input_size": REQUIRED, "hidden_size": REQUIRED, "activation": REQUIRED, "clip_gradients": False}
STEP = {"self": REQUIRED, "x": REQUIRED}
FUNCTIONS = {
    "create_optimization_updates": {
        "cost": REQUIRED, "params": REQUIRED, "updates": None, "max_norm": 5.0, "lr": 0.01, "eps": 1e-6, "rho": 0.95,
        "method": "adadelta", "gradients": None,
    },
    "masked_loss": {"softmaxes": REQUIRED, "y_idxes": REQUIRED, "y_lengths": REQUIRED, "y_startidxes": REQUIRED},
    "masked_loss_dx": {
        "softmaxes": REQUIRED, "y_idxes": REQUIRED, "y_lengths": REQUIRED, "y_startidxes": REQUIRED,
        "g_costs": REQUIRED,
    },
    "clip_gradient": {"x": REQUIRED, "bound": REQUIRED},
    "create_shared": {"out_size": REQUIRED, "in_size": None, "name": None},
    "random_initialization": {"size": REQUIRED},
    "Dropout": {"shape": REQUIRED, "prob": REQUIRED},
    "MultiDropout": {"shapes": REQUIRED, "dropout": 0.0},
    "apply_dropout": {"x": REQUIRED, "mask": REQUIRED},
    "wrap_params": {"params": REQUIRED},
    "borrow_memory": {"param": REQUIRED, "memory": REQUIRED},
    "borrow_all_memories": {"params": REQUIRED, "memory_handlers": REQUIRED},
    "Layer": LAYER, "RNN": LAYER, "GRU": LAYER, "LSTM": LAYER, "GatedInput": LAYER,
    "Embedding": {"vocabulary_size": REQUIRED, "hidden_size": REQUIRED},
    "StackedCells": {
        "input_size": REQUIRED, "celltype": lstm_cli.RNN, "layers": None, "activation": ..., "clip_gradients": False,
    },
    "StackedCells.forward": {"self": REQUIRED, "x": REQUIRED, "prev_hiddens": None, "dropout": None},
    "StackedCells.create_layers": {
        "self": REQUIRED, "layer_sizes": REQUIRED, "activation_type": REQUIRED, "celltype": REQUIRED,
    },
    "Layer.activate": STEP, "Embedding.activate": STEP,
    "RNN.activate": STEP | {"h": REQUIRED}, "GRU.activate": STEP | {"h": REQUIRED},
    "LSTM.activate": STEP | {"h": REQUIRED}, "GatedInput.activate": STEP | {"h": REQUIRED},
}  # fmt: skip
ATTRIBUTES = {
    "Layer": ("linear_matrix", "bias_matrix", "params", "activation", "is_recursive", "clip_gradients"),
    "RNN": ("linear_matrix", "bias_matrix", "initial_hidden_state", "params", "is_recursive"),
    "GRU": ("reset_layer", "memory_interpolation_layer", "memory_to_memory_layer", "internal_layers", "params",
            "initial_hidden_state"),
    "LSTM": ("in_gate", "forget_gate", "in_gate2", "out_gate", "internal_layers", "params", "initial_hidden_state",
             "postprocess_activation"),
    "GatedInput": ("in_gate", "internal_layers", "params", "postprocess_activation", "is_recursive"),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_those_of_theano_lstm(name):
    found = lstm_cli
    for part in name.split("."):
        found = getattr(found, part)
    given = inspect.signature(found).parameters
    expected = FUNCTIONS[name]
    assert list(given)[: len(expected)] == list(expected)
    for parameter, default in expected.items():
        ours = given[parameter].default
        assert default in (REQUIRED, ...) or ours == default  # what theano-lstm requires may be optional here
    assert all(parameter.default is not REQUIRED for parameter in list(given.values())[len(expected) :])


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_layer_has_the_attributes_of_theano_lstm(name):
    layer = getattr(lstm_cli, name)(3, 4, lambda x: x)
    assert [attribute for attribute in ATTRIBUTES[name] if not hasattr(layer, attribute)] == []
    assert layer.is_recursive == (name != "Layer")


def test_the_generators_are_there():
    assert lstm_cli.np_rng.standard_normal((2,)).shape == (2,)
    assert lstm_cli.srng.binomial(size=(2,), n=1, p=0.5).ndim == 1
