"""Weights as arrays, in the layout that docs/guide/export.md describes."""

import json

import numpy as np
import pytest
from safetensors import safe_open

import lstm_cli
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import ConfigError
from lstm_cli.export.torch import state_dict
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import Sizes, plan_layers
from tests.support.kinds import MODEL, classifier, labelled_waves
from tests.support.onnx import drawn_run

TORCH = {
    "lstm": ({"layers": [5, 5], "bidirectional": True}, "LSTM"),
    "gru": ({"layers": [5], "cell": "gru"}, "GRU"),
    "relu": ({"layers": [5], "cell": "rnn", "activation": "relu", "initial_state": "zeros"}, "RNN"),
}


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    config = classifier(folder, np.random.default_rng(2))
    config["data"]["scale"] = "none"  # the arrays are the weights alone
    return folder, config, labelled_waves(3, np.random.default_rng(3))


@pytest.fixture(scope="module")
def runs(waves):
    folder, config, _ = waves
    return {name: drawn_run(folder, {**config, "model": {**MODEL, **model}}) for name, (model, _) in TORCH.items()}


def test_npz_has_the_weights_and_what_describes_them(runs, tmp_path):
    lstm_cli.export_run(runs["gru"].folder, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        for name, array in runs["gru"].network.model.parameters.values().items():
            np.testing.assert_array_equal(found[name], array)
        assert json.loads(bytes(found["vocabulary.json"]))["labels"] == ["high", "low", "mid"]
        assert b"cell: gru" in bytes(found["resolved.yaml"])


def test_the_same_run_gives_the_same_bytes(runs, tmp_path):
    for suffix in ("npz", "safetensors"):
        for name in "ab":
            lstm_cli.export_run(runs["gru"].folder, tmp_path / f"{name}.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_safetensors_has_the_weights_and_what_describes_them(runs, tmp_path):
    lstm_cli.export_run(runs["lstm"].folder, tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", "np") as found:
        for name, array in runs["lstm"].network.model.parameters.values().items():
            np.testing.assert_array_equal(found.get_tensor(name), array)
        assert json.loads(found.metadata()["config"])["model"]["bidirectional"] is True


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(w, place, x, h, c):
    """The equations in the documentation of torch.nn.LSTM."""
    i, f, g, o = np.split(w[f"weight_ih_{place}"] @ x + w[f"bias_ih_{place}"]
                          + w[f"weight_hh_{place}"] @ h + w[f"bias_hh_{place}"], 4)  # fmt: skip
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(w, place, x, h, _):
    """The equations in the documentation of torch.nn.GRU."""
    r, z, n = np.split(w[f"weight_ih_{place}"] @ x + w[f"bias_ih_{place}"], 3)
    h_r, h_z, h_n = np.split(w[f"weight_hh_{place}"] @ h + w[f"bias_hh_{place}"], 3)
    r, z = sigmoid(r + h_r), sigmoid(z + h_z)
    return (1 - z) * np.tanh(n + r * h_n) + z * h, h


def relu(w, place, x, h, _):
    """The equations in the documentation of torch.nn.RNN."""
    total = w[f"weight_ih_{place}"] @ x + w[f"bias_ih_{place}"] + w[f"weight_hh_{place}"] @ h + w[f"bias_hh_{place}"]
    return np.maximum(total, 0), h


def run_by_the_documentation(step, w, x):
    """Return the features of a sequence (T, I): the final h of each direction of the last layer."""
    count = len([name for name in w if name.startswith("weight_ih") and not name.endswith("reverse")])
    both = len([name for name in w if name.startswith("weight_ih")]) // count
    zeros = np.zeros((count * both, w["weight_hh_l0"].shape[1]))
    for layer in range(count):
        outputs, last = [], []
        for way in range(both):
            number, place = layer * both + way, f"l{layer}{'_reverse' * way}"
            h, c = (w.get(f"initial_{name}", zeros)[number] for name in "hc")
            steps = []
            for row in x[::-1] if way else x:
                h, c = step(w, place, row, h, c)
                steps.append(h)
            outputs.append(steps[::-1] if way else steps)
            last.append(h)
        x = np.concatenate(outputs, axis=1)
    return np.concatenate(last)


@pytest.mark.parametrize("name", TORCH)
def test_the_layout_of_pytorch(runs, waves, tmp_path, name):
    """The arrays fit the equations in PyTorch's documentation."""
    run = runs[name]
    lstm_cli.export_run(run.folder, tmp_path / "a.safetensors", to="torch")
    with safe_open(tmp_path / "a.safetensors", "np") as found:
        weights = {key: found.get_tensor(key).astype(np.float64) for key in found.keys()}
        assert found.metadata()["format"] == "pt"
    w = {key.removeprefix("rnn."): array for key, array in weights.items() if key.startswith("rnn.")}
    for row, expected in zip(waves[2], run.predict(waves[2], probabilities=True), strict=True):
        features = run_by_the_documentation({"lstm": lstm, "gru": gru, "relu": relu}[name], w, np.array(row["x"]))
        logits = weights["output.weight"] @ features + weights["output.bias"]
        shares = np.exp(logits - np.logaddexp.reduce(logits))
        np.testing.assert_allclose(shares, list(expected["probabilities"].values()), atol=1e-5)


@pytest.mark.parametrize("name", TORCH)
def test_pytorch_computes_the_same(runs, waves, tmp_path, name):
    """Loaded into the modules themselves, with nothing missing and nothing left over."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    load_file = pytest.importorskip("safetensors.torch").load_file
    run, (model, kind) = runs[name], TORCH[name]
    lstm_cli.export_run(run.folder, tmp_path / "a.safetensors", to="torch")
    weights = load_file(tmp_path / "a.safetensors")
    own = {key.removeprefix("rnn."): value for key, value in weights.items() if key.startswith("rnn.")}
    starts = [own.pop(f"initial_{state}")[:, None] for state in "hc" if f"initial_{state}" in own]
    options = {"nonlinearity": "relu"} if kind == "RNN" else {}
    rnn = getattr(torch.nn, kind)(2, 5, len(model["layers"]), bidirectional="bidirectional" in model, **options)
    rnn.load_state_dict(own)
    for row, expected in zip(waves[2], run.predict(waves[2], probabilities=True), strict=True):
        with torch.no_grad():
            start = (tuple(starts) if kind == "LSTM" else starts[0]) if starts else None
            _, last = rnn(torch.tensor(row["x"], dtype=torch.float32)[:, None], start)
            h = (last[0] if kind == "LSTM" else last)[-2 if "bidirectional" in model else -1 :].reshape(-1)
            shares = torch.softmax(weights["output.weight"] @ h + weights["output.bias"], 0)
        np.testing.assert_allclose(shares.numpy(), list(expected["probabilities"].values()), atol=1e-5)


def test_layers_that_differ_are_modules_of_their_own(waves, tmp_path):
    folder, config, _ = waves
    run = drawn_run(folder, {**config, "model": {**MODEL, "layers": [5, {"size": 4, "cell": "gru"}]}})
    lstm_cli.export_run(run.folder, tmp_path / "a.safetensors", to="torch")
    with safe_open(tmp_path / "a.safetensors", "np") as found:
        names = {key: found.get_tensor(key).shape for key in found.keys()}
    assert names["rnn.0.weight_ih_l0"] == (20, 2)
    assert names["rnn.1.weight_ih_l0"] == (12, 5)
    assert names["rnn.1.initial_h"] == (1, 4)


@pytest.mark.parametrize(
    ("out", "to", "problem"),
    [
        ("a.pt", None, "expected a file that ends with .onnx, .npz or .safetensors"),
        ("a.npz", "torch", "--to torch: writes .safetensors, got -o "),
        ("run", None, "expected a file that ends with"),
    ],
)
def test_what_cannot_be_written(runs, tmp_path, out, to, problem):
    with pytest.raises(ConfigError, match=problem):
        lstm_cli.export_run(runs["gru"].folder, tmp_path / out, to=to)
    assert list(tmp_path.iterdir()) == []


def test_pytorch_has_no_such_layer(waves, tmp_path):
    folder, config, _ = waves
    run = drawn_run(folder, {**config, "model": {**MODEL, "activation": "linear"}})
    with pytest.raises(ConfigError, match=r"model.layers.0: the activation of PyTorch's lstm is tanh, this one's is"):
        lstm_cli.export_run(run.folder, tmp_path / "a.safetensors", to="torch")


@pytest.mark.parametrize(("layer", "key"), [({"layer_norm": True}, "layer_norm"), ({"skip": True}, "skip")])
def test_what_the_modules_of_pytorch_have_not(layer, key):
    spec = config_from_mapping({"data": {"train": "a", "target": "y"}, "model": {"layers": [{"size": 3, **layer}]}})
    with pytest.raises(ConfigError, match=rf"model\.layers\.0: PyTorch's modules have no {key}: export to \.npz"):
        state_dict(plan_layers(spec.model, 3), {})


def test_tied_output_weights_are_written_too():
    given = {"data": {"train": "a", "target": "next"}, "model": {"layers": [3], "embedding": 3, "tie_embeddings": True}}
    model = Model(config_from_mapping(given).model, Sizes(0, {"text": 7}, 7, "step"))
    found = state_dict(model.layers, model.weights())
    np.testing.assert_array_equal(found["output.weight"], model.weights()["embedding.text"])
    assert found["output.weight"].shape == (7, 3) and found["output.bias"].shape == (7,)
