"""Weights from files as runs: what `lstm export` wrote, and what theano-lstm computed with."""

import numpy as np
import pytest

import lstm_cli
from lstm_cli.errors import CheckpointError, ConfigError, DataError
from tests.support.data import write_jsonl
from tests.support.kinds import MODEL, classifier, labelled_waves, words
from tests.support.onnx import drawn_run
from tests.support.parity import CASES, NUMBERS, named, of_case

LAYERS = {"lstm_adadelta": ([7, 6], "lstm"), "rnn_adagrad": ([7, 6], "rnn"), "lstm_identity_gate_sgd": (
    [{"size": 7, "activation": "linear"}, 6], "lstm")}  # fmt: skip


def test_an_exported_run_is_made_again(tmp_path):
    run = drawn_run(tmp_path, {**classifier(tmp_path, np.random.default_rng(2)), "model": MODEL})
    lstm_cli.export_run(run.folder, tmp_path / "a.npz")
    assert lstm_cli.import_weights(tmp_path / "a.npz", run=tmp_path / "again") == []
    rows = labelled_waves(5, np.random.default_rng(3))
    again = lstm_cli.load(tmp_path / "again")
    assert again.predict(rows, probabilities=True) == run.predict(rows, probabilities=True)
    found = lstm_cli.show(tmp_path / "again")
    assert (found.state, found.problems) == ("imported", ())
    assert found.provenance["weights from"] == str(tmp_path / "a.npz")
    lstm_cli.export_run(again.folder, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_an_imported_run_is_not_resumed_and_has_no_data(tmp_path):
    config = {**classifier(tmp_path, np.random.default_rng(2)), "model": MODEL}
    lstm_cli.export_run(drawn_run(tmp_path, config).folder, tmp_path / "a.npz")
    lstm_cli.import_weights(tmp_path / "a.npz", run=tmp_path / "again")
    problem = (
        "lstm import made this run of a.npz, which has no optimizer to resume: train a new run from it with --from"
    )
    with pytest.raises(ConfigError, match="again: holds a run: choose another folder with -o"):
        lstm_cli.import_weights(tmp_path / "a.npz", run=tmp_path / "again")
    for given in (save_config(tmp_path, config), tmp_path / "again"):
        with pytest.raises(ConfigError, match=problem):
            lstm_cli.train(given, run=tmp_path / "again", resume=True)
    with pytest.raises(CheckpointError, match="lstm import made this run, and did not record where its data is: give"):
        lstm_cli.evaluate(tmp_path / "again")
    notes = []
    lstm_cli.make_report(tmp_path / "again", note=notes.append)
    assert [note.split(": ")[2] for note in notes] == [
        "lstm import made this run, and did not record where its data is"
    ]
    assert "made by lstm import of a.npz" in (tmp_path / "again" / "report.json").read_text()


def case(name):
    """The numbers of theano-lstm in a case, and its arrays by name."""
    with np.load(NUMBERS) as file:
        numbers = of_case(dict(file), name)
    shapes = {key: value.get_value().shape for key, value in named(CASES[name].build()).items()}
    stops = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(numbers["p0"], stops[:-1])
    return numbers, {key: part.reshape(shape) for (key, shape), part in zip(shapes.items(), parts, strict=True)}


def written(folder, numbers, *, labels=("0", "1", "2"), **model):
    """Write the sequences of a case, and return a config for them."""
    rows = []
    for number, length in enumerate(numbers["lengths"]):
        x = numbers["x"][:length, number]
        y = numbers["y"][:length, number].tolist() if numbers["y"].ndim > 1 else int(numbers["y"][number])
        value = x.tolist() if x.ndim > 1 else [str(symbol) for symbol in x]
        rows.append({"x": value, "y": [labels[k] for k in y] if isinstance(y, list) else labels[y]})
    write_jsonl(folder / "train.jsonl", rows)
    data = {"train": "train.jsonl", "inputs": ["x"], "target": {"column": "y", "kind": "category"}, "valid": None}
    return {"precision": "float64", "threads": 1, "data": {**data, "scale": "none"}, "model": model}, rows


def save_config(folder, config):
    import yaml

    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    return folder / "mine.yaml"


@pytest.mark.parametrize("name", LAYERS)
def test_weights_of_theano_lstm_predict_what_it_did(name, tmp_path):
    """The outputs are those that theano-lstm computed, in float64."""
    numbers, arrays = case(name)
    layers, cell = LAYERS[name]
    config, rows = written(tmp_path, numbers, layers=layers, cell=cell)
    np.savez(tmp_path / "old.npz", **arrays)
    assert lstm_cli.import_weights(tmp_path / "old.npz", save_config(tmp_path, config), run=tmp_path / "run") == []
    for number, found in enumerate(lstm_cli.load(tmp_path / "run").predict(rows, probabilities=True)):
        shares = [list(step.values()) for step in found["probabilities"]]
        np.testing.assert_allclose(shares, numbers["output"][: len(shares), number], rtol=1e-9)


def test_embeddings_stand_for_the_numbers_of_their_rows(tmp_path):
    numbers, arrays = case("embedding_adagrad")
    config, rows = written(tmp_path, numbers, layers=[6], embedding=4, labels=("a", "b", "c"))
    config["data"]["inputs"] = {"x": {"kind": "tokens"}}
    np.savez(tmp_path / "old.npz", **arrays, labels=np.array(["a", "b", "c"]))
    lstm_cli.import_weights(tmp_path / "old.npz", save_config(tmp_path, config), run=tmp_path / "run")
    for number, found in enumerate(lstm_cli.load(tmp_path / "run").predict(rows, probabilities=True)):
        np.testing.assert_allclose(list(found["probabilities"].values()), numbers["output"][number], rtol=1e-9)


def test_arrays_without_names_are_in_the_order_of_params(tmp_path):
    numbers, arrays = case("lstm_adadelta")
    model = CASES["lstm_adadelta"].build()
    params = [f"{k}.{g}.{leaf}" for k in (0, 1) for g in ("in_gate", "forget_gate", "in_gate2", "out_gate")
              for leaf in "Wb"] + ["2.W", "2.b"]  # fmt: skip
    assert [param.get_value().shape for param in model.params] == [arrays[name].shape for name in params]
    np.savez(tmp_path / "old.npz", *[arrays[name] for name in params])
    config, _ = written(tmp_path, numbers, layers=[7, 6])
    config["data"]["valid"] = 2
    notes = lstm_cli.import_weights(tmp_path / "old.npz", save_config(tmp_path, config), run=tmp_path / "run")
    assert notes == ["0.initial, 1.initial: not in the file: sequences start from 0"]
    assert lstm_cli.evaluate(tmp_path / "run").sequences == 2  # the config says where its data is
    weights = lstm_cli.load(tmp_path / "run").network.model.parameters.values()
    gates = ("in_gate", "forget_gate", "out_gate", "in_gate2")
    np.testing.assert_array_equal(weights["layers.1.W"], np.concatenate([arrays[f"1.{gate}.W"] for gate in gates]))
    assert not weights["layers.0.initial"].any()


def test_a_language_model_never_predicts_the_unknown_token(tmp_path):
    """The vocabulary of the file takes the place of that of the data."""
    config = words(tmp_path, np.random.default_rng(1)) | {"model": {"layers": [5], "embedding": 4}, "threads": 1}
    draw, names = np.random.default_rng(2), np.array(["not", "or", "to", "be"])
    gates = ("in_gate", "forget_gate", "in_gate2", "out_gate")
    arrays = {"0.E": draw.normal(size=(4, 4)), "1.initial": draw.normal(size=10), "2.W": draw.normal(size=(4, 5)),
              "2.b": draw.normal(size=4), **{f"1.{g}.W": draw.normal(size=(5, 9)) for g in gates},
              **{f"1.{g}.b": draw.normal(size=5) for g in gates}}  # fmt: skip
    np.savez(tmp_path / "old.npz", **arrays, **{"vocabulary.text": names})
    lstm_cli.import_weights(tmp_path / "old.npz", save_config(tmp_path, config), run=tmp_path / "run")
    (found,) = lstm_cli.load(tmp_path / "run").predict([{"text": ["to", "be"]}], probabilities=True)
    assert list(found["probabilities"][0]) == ["<unk>", *names]
    assert found["probabilities"][1]["<unk>"] == 0


@pytest.mark.parametrize(
    ("change", "model", "problem"),
    [
        ({"0.in_gate.W": None}, {}, r"old.npz: does not fit the model of the config: 0.in_gate.W: \[7, 12\] expe"),
        ({"2.W": np.zeros((3, 5))}, {}, r"2.W: \[any, 6\] expected, got float64\[3, 5\]"),
        ({"9.W": np.zeros(2)}, {}, "9.W: not part of this model"),
        ({}, {"cell": "gru"}, "mine.yaml:.*model.layers.0: expected lstm or rnn, got gru: theano-lstm's GRU"),
        ({}, {"bidirectional": True}, "model.layers.0: these models read in one direction"),
        ({"labels": np.array(["x", "y"])}, {}, r"labels: expected 3 different strings, got <U1\[2\]"),
        ({"labels": np.array(["x", "y", "z"])}, {}, r"the data has labels that the outputs have not \(0, 1, 2\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(change, model, problem, tmp_path):
    numbers, arrays = case("lstm_adadelta")
    config, _ = written(tmp_path, numbers, layers=[7, 6], **model)
    arrays = {name: array for name, array in {**arrays, **change}.items() if array is not None}
    np.savez(tmp_path / "old.npz", **arrays)
    with pytest.raises((ConfigError, DataError), match=problem):
        lstm_cli.import_weights(tmp_path / "old.npz", save_config(tmp_path, config), run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_files_that_are_none(tmp_path):
    np.savez(tmp_path / "objects.npz", a=np.array([{}], object))
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name, problem in {
        "objects": "cannot be read as .npz", "text": "cannot be read as .npz", "missing": "no such file",
        "other": "give a CONFIG with the data and model.layers",
    }.items():  # fmt: skip
        with pytest.raises((ConfigError, DataError), match=problem):
            lstm_cli.import_weights(tmp_path / f"{name}.npz", run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
