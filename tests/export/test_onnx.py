"""ONNX models give what `lstm-predict` gives, for raw values in padded batches."""

import pytest

from tests.support.kinds import MODEL, classifier, labelled_waves
from tests.support.onnx import Exported, assert_equal_predictions, drawn_run, slow_except

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
import numpy as np

CELLS = {
    "lstm": {"layers": [5, 4]},
    "gru": {"layers": [5, 4], "cell": "gru"},
    "rnn": {"layers": [5, 4], "cell": "rnn"},
    "mixed": {"layers": [5, {"size": 4, "cell": "gru"}, {"size": 3, "cell": "rnn", "activation": "relu"}]},
    "both ways": {"layers": [5, 4], "bidirectional": True},
    "both ways, gru": {"layers": [5, {"size": 4, "bidirectional": False}], "bidirectional": True, "cell": "gru"},
    "linear": {"layers": [5, {"size": 4, "cell": "rnn"}], "activation": "linear"},
    "softsign": {"layers": [5, {"size": 4, "cell": "gru"}], "activation": "softsign", "bidirectional": True},
    "sigmoid": {"layers": [5], "activation": "sigmoid"},
    "zeros": {"layers": [5, 4], "initial_state": "zeros", "bidirectional": True},
    "skip": {"layers": [4, 4, 4], "skip": True, "bidirectional": True},
    "layer norm": {
        "layers": [5, {"size": 4, "cell": "gru", "activation": "softsign"}], "layer_norm": True, "bidirectional": True,
    },
    "layer norm, skip": {"layers": [4, 4], "layer_norm": True, "skip": True, "cell": "rnn", "pool": "mean"},
    "mean": {"layers": [5], "pool": "mean", "bidirectional": True},
    "max": {"layers": [5], "pool": "max"},
    "attention": {"layers": [5], "pool": "attention", "bidirectional": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    return folder, classifier(folder, np.random.default_rng(2)), labelled_waves(6, np.random.default_rng(3))


@pytest.mark.parametrize("name", slow_except(CELLS, ("mixed", "both ways, gru", "layer norm")))
def test_every_network(waves, name):
    folder, config, rows = waves
    run = drawn_run(folder, {**config, "model": {**MODEL, **CELLS[name]}})
    assert_equal_predictions(Exported(run.folder), rows)
