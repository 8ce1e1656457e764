"""Hidden vectors: those that the output layer reads, the same in batches, pieces and files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import lstm_cli
from lstm_cli.cli.group import predict as predict_command
from lstm_cli.data.batching import whole
from lstm_cli.errors import ConfigError
from lstm_cli.predict.hidden import check_hidden
from lstm_cli.predict.hidden_files import hidden_run
from tests.support.data import read_jsonl, write_jsonl
from tests.support.kinds import data_of
from tests.support.reference import lstm_step


@pytest.fixture
def given(raw_sequences):
    return lambda kind: raw_sequences(kind)[:6]


def numbers(run, sequence):
    """Return the numbers of a sequence as the network sees them."""
    (encoded,) = run._encoded([sequence])
    return encoded.numbers


def forward(run, x, name="layers.0"):
    """Run an LSTM in double precision; return its h at each step (T, H), and its last state (2H,)."""
    weights = {key: array.astype(np.float64) for key, array in run.network.model.weights().items()}
    W, b, rows = weights[f"{name}.W"], weights[f"{name}.b"], []
    state = [part[np.newaxis] for part in np.split(weights[f"{name}.initial"], 2)]
    for step in x:
        state = lstm_step(step[np.newaxis], state, state[0], W, b, np.tanh)
        rows.append(state[0][0])
    return np.array(rows), np.concatenate(state, axis=1)[0]


def test_they_are_those_of_the_equations(loaded, given):
    run = loaded("classifier")
    for sequence, found in zip(given("classifier"), run.hidden(given("classifier")), strict=True):
        h, state = forward(run, numbers(run, sequence))
        assert found["id"] == sequence["id"] and found["hidden"].dtype == np.float32
        np.testing.assert_allclose(found["hidden"], h, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["vector"], h[-1], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["state"], state, rtol=1e-4, atol=1e-6)


def test_directions_lie_side_by_side(loaded, given):
    run = loaded("both_ways")
    for sequence, found in zip(given("both_ways"), run.hidden(given("both_ways")), strict=True):
        x = numbers(run, sequence)
        (h, state), (back, back_state) = forward(run, x), forward(run, x[::-1], "layers.0.reverse")
        np.testing.assert_allclose(found["hidden"], np.hstack([h, back[::-1]]), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["vector"], np.hstack([h[-1], back[-1]]), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["state"], np.hstack([state, back_state]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["classifier", "averaged", "numbered", "both_ways", "tagger", "sets"])
def test_the_output_layer_reads_them(loaded, given, kind):
    run, sequences = loaded(kind), given(kind)
    weights = run.network.model.weights()
    for found, outputs in zip(run.hidden(sequences), run.outputs(run._encoded(sequences)), strict=True):
        read = found["hidden"] if run.schema.target.per == "step" else found["vector"][np.newaxis]
        np.testing.assert_allclose(read @ weights["output.W"].T + weights["output.b"], outputs.values, atol=1e-5)


@pytest.mark.parametrize("kind", ["classifier", "averaged", "numbered", "both_ways", "tagger"])
def test_in_a_batch_and_in_pieces_they_are_those_of_one_sequence(loaded, given, kind, monkeypatch):
    run, sequences = loaded(kind), given(kind)
    together = run.hidden(sequences)
    monkeypatch.setattr(whole, "PIECE_STEPS", 3)
    for sequence, one in zip(sequences, together, strict=True):
        (alone,) = run.hidden([sequence])
        for name in ("hidden", "vector", "state"):
            np.testing.assert_array_equal(alone[name], one[name])


def test_a_mean_is_that_of_the_steps(loaded, given):
    for found in loaded("averaged").hidden(given("averaged")):
        np.testing.assert_allclose(found["vector"], found["hidden"].mean(axis=0), rtol=1e-5, atol=1e-7)


def test_steps_that_the_network_does_not_run_have_none(loaded):
    run = loaded("passengers")
    series = {"count": np.exp(4 + np.sin(np.arange(20)))}
    (found,), (prediction,) = run.hidden([series]), run.predict([series])
    missing = [value is None for value in prediction["prediction"]]
    assert sum(missing) == 5 and np.isnan(found["hidden"]).all(axis=1).tolist() == missing
    assert np.isfinite(found["vector"]).all()
    np.testing.assert_array_equal(found["hidden"][-1], found["vector"])


@pytest.mark.parametrize("kind", ["classifier", "passengers"])
def test_files_hold_the_same(trained, loaded, tmp_path, kind):
    data, run, notes = data_of(trained(kind)), trained(kind) / "run", []
    for name in ("h.npz", "h.jsonl"):
        hidden_run(run, data, out=tmp_path / name, note=notes.append)
    with np.load(tmp_path / "h.npz") as file:
        arrays = dict(file)
    rows = read_jsonl(tmp_path / "h.jsonl")
    assert arrays["id"].tolist() == [str(row["id"]) for row in rows] and notes == []
    lengths = [len(row["hidden"]) for row in rows]
    assert arrays["offsets"].tolist() == np.cumsum([0, *lengths]).tolist()
    for index, row in enumerate(rows):
        own = arrays["hidden"][arrays["offsets"][index] : arrays["offsets"][index + 1]]
        np.testing.assert_array_equal(own, np.array(row["hidden"], np.float32))  # null is nan
        for name in ("vector", "state"):
            np.testing.assert_array_equal(arrays[name][index], np.array(row[name], np.float32))
    if kind == "classifier":
        expected = loaded(kind).hidden(read_jsonl(data))
        np.testing.assert_array_equal(arrays["hidden"], np.concatenate([one["hidden"] for one in expected]))
        np.testing.assert_array_equal(arrays["state"], np.stack([one["state"] for one in expected]))


def test_the_file_is_one_of_sequences_to_train_on(trained, tmp_path):
    """A network on the vectors of another one, with its labels beside them."""
    data, run = data_of(trained("classifier")), trained("classifier") / "run"
    hidden_run(run, data, out=tmp_path / "h.npz")
    with np.load(tmp_path / "h.npz") as file:
        labels = [row["label"] for row in read_jsonl(data)]
        np.savez(tmp_path / "labelled.npz", **dict(file), label=np.array(labels))
    config = {
        "data": {"train": str(tmp_path / "labelled.npz"), "inputs": ["hidden"], "target": "label"},
        "model": {"layers": [4]},
        "train": {"epochs": 1},
    }
    lstm_cli.train(config, run=tmp_path / "second", verbosity=-1)
    assert lstm_cli.load(tmp_path / "second").network.model.sizes.numbers == 6


def test_the_command_writes_lines(trained, given, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", given("classifier"))
    run, data = str(trained("classifier") / "run"), str(tmp_path / "in.jsonl")
    done = CliRunner().invoke(predict_command, [run, data, "--hidden", "-q"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == [row["id"] for row in given("classifier")]
    assert rows[0].keys() == {"id", "hidden", "vector", "state"}
    done = CliRunner().invoke(predict_command, [run, data, "--hidden", "-o", str(tmp_path / "h.npz")])
    assert done.exit_code == 0 and (tmp_path / "h.npz").exists()


@pytest.mark.parametrize(
    "option", [["--probabilities"], ["--steps", "2"], ["--evaluate", "-o", "x.jsonl"], ["--follow"]]
)
def test_other_options_are_refused(trained, option):
    run = trained("classifier")
    done = CliRunner().invoke(predict_command, [str(run / "run"), str(data_of(run)), "--hidden", *option])
    assert done.exit_code == 2
    assert f"--hidden cannot be combined with {option[0]}: leave it out." in " ".join(done.output.split())


def test_what_has_none_says_so(trained, tmp_path):
    run, data = trained("classifier") / "run", data_of(trained("classifier"))
    with pytest.raises(ConfigError, match="--hidden: each of several runs has hidden vectors of its own: give one run"):
        hidden_run([run, run], data)
    with pytest.raises(ConfigError, match=r"with --hidden expected a name that ends in .npz or .jsonl"):
        hidden_run(run, data, out=tmp_path / "h.csv")
    assert list(tmp_path.iterdir()) == []
    config = {
        "data": {"train": [str(data_of(trained("passengers")))], "inputs": ["count"], "target": "next", "window": 8,
                 "scale": "window", "valid": None},
        "model": {"layers": [3]},
        "train": {"epochs": 1, "monitor": "train.loss"},
    }  # fmt: skip
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    with pytest.raises(ConfigError, match=r"hidden: with data.scale: window each step is scaled anew"):
        lstm_cli.load(tmp_path / "run").hidden([{"count": [1.0, 2.0]}])
    system = SimpleNamespace(closed_loop=object(), window=None)
    with pytest.raises(ConfigError, match="--hidden: this model drives a system"):
        check_hidden(SimpleNamespace(model=None, schema=SimpleNamespace(layout=system)), "--hidden")


def test_they_are_read_through_skip_connections_and_attention(trained, given, tmp_path):
    config = {
        "threads": 1,
        "data": {"train": str(data_of(trained("classifier"))), "inputs": ["x"], "target": "label"},
        "model": {
            "layers": [8, {"size": 4, "bidirectional": True}],
            "skip": True,
            "pool": "attention",
            "layer_norm": True,
        },
        "train": {"epochs": 1},
    }
    run = lstm_cli.load(lstm_cli.train(config, run=tmp_path / "run", verbosity=-1).folder)
    weights = run.network.model.weights()
    for found, outputs in zip(
        run.hidden(given("classifier")), run.outputs(run._encoded(given("classifier"))), strict=True
    ):
        scores = np.exp(found["hidden"] @ weights["attention.W"][0] + weights["attention.b"])
        np.testing.assert_allclose(found["vector"], scores @ found["hidden"] / scores.sum(), atol=1e-5)
        read = found["vector"] @ weights["output.W"].T + weights["output.b"]
        np.testing.assert_allclose(read, outputs.values[0], atol=1e-5)
