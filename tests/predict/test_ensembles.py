"""Several runs as one: the mean of their predictions, and a message where they do not fit together."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

import lstm_cli
from lstm_cli.api import train_run
from lstm_cli.cli.group import evaluate as evaluate_command
from lstm_cli.cli.group import predict as predict_command
from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.insight.evaluate import evaluate
from lstm_cli.ops.mode import compiled
from lstm_cli.run.ensemble import members, write_members
from tests.support.data import read_jsonl, write_jsonl
from tests.support.runs import SERIES, TEXT, small_config, write_data

GRU = {"model": {"cell": "gru", "layers": [3]}}
SPLIT = {"data": {"split_seed": 1}}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("ensemble"))


@pytest.fixture(scope="module")
def pair(data):
    """Return two runs of a kind: an LSTM, and a GRU with another seed."""
    changes = {"labels": SPLIT, "series": {"data": SERIES}, "text": {"data": TEXT}}

    def trained(kind):
        folders = [data / f"{kind}-{cell}" for cell in ("lstm", "gru")]
        if not folders[0].exists():
            train_run(small_config(data, **changes[kind]), folders[0], verbosity=-1)
            train_run(small_config(data, seed=2, **changes[kind], **GRU), folders[1], verbosity=-1)
        return folders

    return trained


def rows(data):
    return read_jsonl(data / "gestures.jsonl")


def test_probabilities_are_averaged(data, pair):
    runs = [lstm_cli.load(folder) for folder in pair("labels")]
    given = rows(data)
    found = lstm_cli.load(pair("labels")).predict(given, probabilities=True)
    each = [run.predict(given, probabilities=True) for run in runs]
    for together, *alone in zip(found, *each, strict=True):
        for label, share in together["probabilities"].items():
            assert share == pytest.approx(np.mean([one["probabilities"][label] for one in alone]), abs=1e-6)
        assert together["prediction"] == max(together["probabilities"], key=together["probabilities"].get)


def test_random_fields_average_their_scores(data, pair, tmp_path):
    changes = {"target": "steps", "split_seed": 1}
    for name, seed, crf in (("one", 1, True), ("two", 2, True), ("softmax", 1, False)):
        config = small_config(data, seed=seed, data=changes, model={"crf": crf}, train={"epochs": 1})
        train_run(config, tmp_path / name, verbosity=-1)
    given = rows(data)[:4]
    for folders in (["one", "one"], ["one", "two"]):
        found = lstm_cli.load([tmp_path / folder for folder in folders]).predict(given, probabilities=True)
        assert [len(each["prediction"]) for each in found] == [len(row["x"]) for row in given]
    saved = [load_file(tmp_path / name / "best" / "model.safetensors") for name in ("one", "two")]
    chain = compiled([], lstm_cli.load([tmp_path / "one", tmp_path / "two"]).network.model.chain())()
    for array, name in zip(chain, ("transitions", "start", "end"), strict=True):
        expected = np.mean([weights[f"crf.{name}"] for weights in saved], axis=0)
        np.testing.assert_allclose(array, expected, rtol=1e-6)
    same = lstm_cli.load([tmp_path / "one", tmp_path / "one"]).predict(given, probabilities=True)
    alone = lstm_cli.load(tmp_path / "one").predict(given, probabilities=True)
    assert [each["prediction"] for each in same] == [each["prediction"] for each in alone]
    with pytest.raises(ConfigError, match="only one has a conditional random field"):
        lstm_cli.load([tmp_path / "one", tmp_path / "softmax"])


def test_numbers_are_averaged(pair):
    given = [{"id": 1, "a": [0.5, 1.0, -0.5, 0.25]}]
    (found,) = lstm_cli.load(pair("series")).predict(given)
    each = [lstm_cli.load(folder).predict(given)[0]["prediction"] for folder in pair("series")]
    np.testing.assert_allclose(found["prediction"], np.mean(each, axis=0), rtol=1e-5)


def test_each_of_several_target_columns_is_averaged(data, tmp_path):
    lines = [row | {"size": 2.5 * len(row["x"]) + 0.25} for row in rows(data)]
    write_jsonl(tmp_path / "two.jsonl", lines)
    target = {"y": "category", "size": "number"}
    spec = {"train": "two.jsonl", "inputs": ["x"], "target": target, "valid": 0.25, "split_seed": 1}
    for seed in (1, 2):
        train_run(small_config(tmp_path, seed=seed, data=spec), tmp_path / f"run-{seed}", verbosity=-1)
    folders = [tmp_path / "run-1", tmp_path / "run-2"]
    found = lstm_cli.load(folders).predict(lines, probabilities=True)
    each = [lstm_cli.load(folder).predict(lines, probabilities=True) for folder in folders]
    for together, *alone in zip(found, *each, strict=True):
        sizes = [one["prediction"]["size"] for one in alone]
        assert together["prediction"]["size"] == pytest.approx(np.mean(sizes), rel=1e-5)
        for label, share in together["probabilities"]["y"].items():
            assert share == pytest.approx(np.mean([one["probabilities"]["y"][label] for one in alone]), abs=1e-6)
    scored = evaluate(folders, tmp_path / "two.jsonl")
    assert {"accuracy.y", "rmse.size"} <= scored.over_members["mean"].keys()


def test_runs_with_different_outputs_of_a_number(data, pair, tmp_path):
    config = small_config(data, data=SERIES, loss={"distribution": "gaussian"}, train={"epochs": 1})
    train_run(config, tmp_path / "gaussian", verbosity=-1)
    given = [{"id": 1, "a": [0.5, 1.0, -0.5, 0.25]}]
    twice = lstm_cli.load([tmp_path / "gaussian"] * 2).predict(given)
    (alone,) = lstm_cli.load(tmp_path / "gaussian").predict(given)
    for name, values in alone.items():
        assert twice[0][name] == (pytest.approx(values, rel=1e-4) if name != "id" else values)
    with pytest.raises(ConfigError, match=r"differ in loss\.quantiles or loss\.distribution"):
        lstm_cli.load([pair("series")[0], tmp_path / "gaussian"])


def test_forecasts_feed_the_mean_back(pair):
    run = lstm_cli.load(pair("series"))
    known = [0.5, 1.0, -0.5, 0.25]
    (forecast,) = run.forecast([{"id": 1, "a": known}], 3)
    for value in forecast["prediction"]:
        (found,) = run.predict([{"id": 1, "a": known}])
        assert value == pytest.approx(found["prediction"][-1], rel=1e-4, abs=1e-5)
        known = [*known, value]


def test_states_of_all_members_continue_a_series(pair, tmp_path):
    runs = [str(folder) for folder in pair("series")]
    values = [f"{np.sin(step):.3f}" for step in range(9)]
    parts = {"all": values, "first": values[:5], "second": values[5:]}
    for name, part in parts.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(["a", *part]) + "\n")

    def predicted(name, *options):
        out = tmp_path / f"{name}.jsonl"
        given = [*runs, str(tmp_path / f"{name}.csv"), "-o", str(out), *options]
        result = CliRunner().invoke(predict_command, given)
        assert result.exit_code == 0, result.output
        return json.loads(out.read_text())["prediction"]

    states = str(tmp_path / "states.npz")
    whole = predicted("all")
    pieces = predicted("first", "--state-out", states) + predicted("second", "--state-in", states)
    assert pieces == whole


def test_text_is_generated_together(pair):
    run = lstm_cli.load(pair("text"))
    assert len("".join(run.generate("ab", 12, seed=3))) == 12


def test_scores_are_those_of_the_mean_beside_those_of_each_run(data, pair):
    found = evaluate(pair("labels"), data / "gestures.jsonl")
    predictions = lstm_cli.load(pair("labels")).predict(rows(data))
    truth = [row["y"] for row in rows(data)]
    hits = [one["prediction"] == label for one, label in zip(predictions, truth, strict=True)]
    assert found.metrics["accuracy"] == pytest.approx(np.mean(hits))
    each = [lstm_cli.load(folder).evaluate(data / "gestures.jsonl") for folder in pair("labels")]
    assert list(found.members.values()) == each
    accuracies = [scores["accuracy"] for scores in each]
    assert found.over_members["mean"]["accuracy"] == pytest.approx(np.mean(accuracies))
    assert found.over_members["deviation"]["accuracy"] == pytest.approx(np.std(accuracies, ddof=1))


def test_a_single_run_has_neither(data, pair):
    found = evaluate(pair("labels")[0], data / "gestures.jsonl").to_json()
    assert not {"members", "over_members"} & found.keys()


def test_the_table_shows_both(data, pair, monkeypatch):
    monkeypatch.setattr("lstm_cli.cli.common.wants_json", lambda *, as_json: as_json)
    result = CliRunner().invoke(evaluate_command, [*map(str, pair("labels")), str(data / "gestures.jsonl")])
    assert "2 runs" in result.output and "ensemble" in result.output and "deviation" in result.output


def test_the_folder_of_an_ensemble_stands_for_its_members(data, pair, tmp_path):
    for seed, folder in zip((1, 2), pair("labels"), strict=True):
        (tmp_path / f"seed-{seed}").symlink_to(folder)
    write_members(tmp_path, ["seed-1", "seed-2"])
    assert members(tmp_path) == [tmp_path / "seed-1", tmp_path / "seed-2"]
    given = rows(data)[:3]
    assert lstm_cli.load(tmp_path).predict(given) == lstm_cli.load(pair("labels")).predict(given)
    assert lstm_cli.load(tmp_path).name == tmp_path.name
    assert lstm_cli.load(pair("labels")).name == "labels-lstm, labels-gru"


@pytest.mark.parametrize("content", ["", "{}", '{"members": []}', '{"members": ["../x"]}', '{"members": [3]}', "[]"])
def test_a_damaged_file_of_an_ensemble(tmp_path, content):
    (tmp_path / "ensemble.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"ensemble.json: damaged: expected the names of its members"):
        lstm_cli.load(tmp_path)


def test_runs_that_were_fitted_to_different_data(data, pair, tmp_path):
    other = train_run(small_config(data, data={"split_seed": 2}), tmp_path / "other", verbosity=-1).folder
    with pytest.raises(ConfigError, match=r"labels-lstm and .*other: were fitted to different data.*scaling.json"):
        lstm_cli.load([pair("labels")[0], other])
    with pytest.raises(ConfigError, match="predict something else"):
        lstm_cli.load([pair("labels")[0], pair("series")[0]])


def test_runs_that_differ_in_precision(data, pair, tmp_path):
    other = small_config(data, data={"split_seed": 1}, precision="float64")
    train_run(other, tmp_path / "other", verbosity=-1)
    with pytest.raises(ConfigError, match=r"as schema\.json differ"):
        lstm_cli.load([pair("labels")[0], tmp_path / "other"])


def test_two_files_of_data(data, pair):
    for given in (pair("labels"), pair("labels")[:1]):
        result = CliRunner().invoke(predict_command, [*map(str, given), "one.jsonl", "two.jsonl"])
        assert result.exit_code == 2
        assert "one.jsonl and two.jsonl are no run folders, and only one may be DATA" in result.output


def test_what_is_held_out_depends_on_its_own_seed(data, tmp_path):
    held = []
    for seed, split_seed in ((1, None), (2, 1), (2, None)):
        run = tmp_path / f"{seed}-{split_seed}"
        changes = {} if split_seed is None else {"split_seed": split_seed}
        train_run(small_config(data, seed=seed, data=changes, train={"epochs": 1}), run, verbosity=-1)
        held.append((run / "scaling.json").read_text())
    assert held[0] == held[1] != held[2]
