"""Runs that start from another one: what is taken, what is new, what is said, and what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from safetensors.numpy import load_file

import lstm_cli
from lstm_cli.cli.train import train as command
from lstm_cli.config import Config, config_from_mapping
from lstm_cli.data import Schema
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError
from lstm_cli.predict.outputs import Network
from lstm_cli.report.remake import make_report
from lstm_cli.run.names import BEST, MODEL, REPORT_DATA, RESOLVED
from lstm_cli.training.check import check
from lstm_cli.training.job import Job
from lstm_cli.training.session import build_job
from lstm_cli.training.starting import started_from
from tests.support.runs import small, small_config, train, train_in_sessions, write_data

GESTURES = {"inputs": ["x"], "target": "y", "valid": 0.25}
TEXT = {"train": "text.txt", "valid": 0.25, "window": 6}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and two trained runs: `labels` of gestures, `text` of a text."""
    folder = write_data(tmp_path_factory.mktemp("world"))
    (folder / "other.txt").write_text("bad zeal, deaf zebra. " * 8)
    train(small_config(folder, model={"layers": [4], "cell": "gru"}), folder / "labels")
    train(small_config(folder, data=TEXT, model={"layers": [3, 4], "embedding": 5}), folder / "text")
    return folder


def job_of(config: Config) -> Job:
    config, start = started_from(config)
    return build_job(open_checked_data(config, base=start.base), start)


def weights_of(run: Path) -> dict[str, np.ndarray]:
    return load_file(run / BEST / MODEL)


def config_of(folder: Path, run: str, **changes: Any) -> Config:
    changes["train"] = {"init_from": run, **changes.get("train", {})}
    given = small(**changes)
    given["model"] = changes.get("model", {})
    return config_from_mapping(given, folder)


def rows(path: Path, count: int = 12) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()[:count]]


def write_rows(path: Path, found: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in found))


def test_the_same_data_and_model_start_with_the_best_weights_bit_for_bit(world):
    job = job_of(config_of(world, "labels"))
    own, before = job.trainer.model.parameters.values(), weights_of(world / "labels")
    assert own.keys() == before.keys()
    assert all((own[name] == before[name]).all() for name in own)
    assert job.config.model.cell == "gru" and job.config.model.layers[0].size == 4
    assert job.notes[0] == f"model.cell, model.layers: as in {world / 'labels'}"
    assert job.notes[1] == f"weights of {world / 'labels'}: layers.0, output"
    assert f"y: all 2 labels are known from {world / 'labels'}" in job.data.notes
    assert f"x: scaled as in {world / 'labels'}" in job.data.notes


def test_new_symbols_get_rows_of_their_own_and_known_ones_keep_theirs(world):
    job = job_of(config_of(world, "text", data={**TEXT, "train": "other.txt"}))
    fresh = build_job(job.data).trainer.model.parameters.values()
    own, before = job.trainer.model.parameters.values(), weights_of(world / "text")
    old = lstm_cli.load(world / "text").schema.tokens["text"].tokens
    new = job.data.schema.tokens["text"].tokens
    assert new[: len(old)] == old and set(new[len(old) :]) == set(",.fzlr")
    for name in ("embedding.text", "output.W", "output.b"):
        assert (own[name][: len(old)] == before[name]).all()
        expected = fresh[name][len(old) :] + before[name].mean(axis=0)
        np.testing.assert_allclose(own[name][len(old) :], expected, rtol=1e-6)
    assert all((own[name] == before[name]).all() for name in own if name.startswith("layers."))
    (said,) = [note for note in job.data.notes if note.startswith("text: ")]
    assert said.startswith(f"text: 5 of 11 tokens are known from {world / 'text'}, 6 are new: ")


def test_outputs_for_what_the_run_knew_are_those_of_the_run(world):
    """The weights keep their meaning: on known symbols, the new network's outputs of known labels are the old ones."""
    job = job_of(config_of(world, "text", data={**TEXT, "train": "other.txt"}))
    run = lstm_cli.load(world / "text")
    known = len(run.schema.tokens["text"])
    (old,) = run.network.outputs([run.schema.prompt("abc dab ebb")])
    network = Network(job.trainer.model, job.data.schema)
    (new,) = network.outputs([job.data.schema.prompt("abc dab ebb")])
    np.testing.assert_allclose(new.values[:, :known], old.values, atol=1e-5)


def test_new_labels_are_appended_and_labels_of_another_task_are_fresh(world):
    found = rows(world / "gestures.jsonl")
    write_rows(world / "three.jsonl", [{**row, "y": "level" if n % 3 else row["y"]} for n, row in enumerate(found)])
    write_rows(world / "two.jsonl", [{**row, "y": n % 2} for n, row in enumerate(found)])
    job = job_of(config_of(world, "labels", data={**GESTURES, "train": "three.jsonl"}))
    assert job.data.schema.target.labels == ("down", "up", "level")
    assert any("y: 2 of 3 labels are known" in note and "1 is new: 'level'" in note for note in job.data.notes)
    assert (job.trainer.model.parameters.values()["output.W"][:2] == weights_of(world / "labels")["output.W"]).all()
    job = job_of(
        config_of(
            world, "labels", data={**GESTURES, "train": "two.jsonl", "target": {"column": "y", "kind": "category"}}
        )
    )
    assert job.data.schema.target.labels == (0, 1)
    assert job.notes[1:] == [
        f"weights of {world / 'labels'}: layers.0",
        "fresh weights: output: none of its rows or columns is one there",
    ]


def test_outputs_for_another_kind_of_target_or_loss_are_fresh(world):
    found = rows(world / "gestures.jsonl")
    write_rows(world / "numbers.jsonl", [{**row, "y": [n + 0.5, n - 0.25]} for n, row in enumerate(found)])
    numbers = {**GESTURES, "train": "numbers.jsonl"}
    job = job_of(config_of(world, "labels", data=numbers))
    assert job.notes[-1] == "fresh weights: output: the target is of kind category there"
    train(small_config(world, data={**numbers, "train": "numbers.jsonl"}), world / "numbers")
    single = [{**row, "y": n + 0.5} for n, row in enumerate(found)]
    write_rows(world / "single.jsonl", single)
    data = {**GESTURES, "train": "single.jsonl"}
    job = job_of(config_of(world, "numbers", data=data, loss={"distribution": "gaussian"}))
    assert job.notes[-1] == "fresh weights: output: another loss there, which needs other outputs"


def test_inputs_are_matched_by_name(world):
    found = rows(world / "gestures.jsonl")
    for factor, name, columns in ((1, "ab", ("a", "b")), (2, "bc", ("c", "b"))):
        split = [
            {"id": row["id"], "y": row["y"]}
            | {c: [factor * step[k] for step in row["x"]] for k, c in enumerate(columns)}
            for row in found
        ]
        write_rows(world / f"{name}.jsonl", split)
    data = {"valid": 0.25, "target": "y"}
    train(small_config(world, data={**data, "train": "ab.jsonl", "inputs": ["a", "b"]}), world / "ab")
    job = job_of(config_of(world, "ab", data={**data, "train": "bc.jsonl", "inputs": ["c", "b"]}))
    fresh = build_job(job.data).trainer.model.parameters.values()["layers.0.W"]
    own, before = job.trainer.model.parameters.values()["layers.0.W"], weights_of(world / "ab")["layers.0.W"]
    assert (own[:, 1:] == before[:, 1:]).all() and (own[:, 0] == fresh[:, 0]).all()
    assert job.notes[-1] == f"weights of {world / 'ab'}: layers.0 (1 new column), output"
    scaling = lstm_cli.load(world / "ab").schema.scaling
    assert job.data.schema.scaling["b"].center == scaling["b"].center
    assert job.data.schema.scaling["c"].center != scaling["a"].center
    # No name in common, but the same kinds: by position, with scaling of their own.
    job = job_of(config_of(world, "ab", data={**GESTURES, "train": "gestures.jsonl"}))
    assert "fresh weights: layers.0: none of its inputs is one there" in job.notes


def test_a_layer_that_does_not_fit_is_named_and_a_key_of_the_config_wins(world):
    job = job_of(config_of(world, "text", data=TEXT, model={"layers": [3, 8]}))
    assert job.config.model.embedding == 5
    run = world / "text"
    assert job.notes == [
        f"model.embedding: as in {run}",
        f"weights of {run}: embedding.text, layers.0",
        "fresh weights: layers.1: 32 x 11 weights, 16 x 7 there",
        "fresh weights: output: 7 x 8 weights, 7 x 4 there",
    ]
    job = job_of(config_of(world, "text", data=TEXT, model={"dropout": 0.1, "initial_state": "zeros"}))
    assert [layer.dropout for layer in job.config.model.layers] == [0.1, 0.1]


def test_weights_that_the_run_does_not_have_are_fresh(world):
    job = job_of(config_of(world, "labels", model={"layers": [4], "cell": "gru", "bidirectional": True}))
    assert "fresh weights: layers.0.reverse: no such layer there" in job.notes


def test_where_nothing_fits_training_is_refused(world):
    with pytest.raises(ConfigError) as caught:
        job_of(config_of(world, "labels", model={"layers": [5]}))
    first, *more = str(caught.value).splitlines()
    assert first.startswith(f"train.init_from: no layer of {world / 'labels'} fits this model")
    assert [line.strip().split(":")[1] for line in more] == [" layers.0", " output"]


def test_a_fine_tuned_run_resumes_bit_for_bit_without_its_source(world, tmp_path):
    source, name = shutil.copytree(world / "text", tmp_path / "source"), str(tmp_path / "source")
    options: dict[str, Any] = {"data": {**TEXT, "train": "other.txt"}, "train": {"init_from": name, "epochs": 2}}
    config = config_from_mapping({k: v for k, v in small(**options).items() if k != "model"}, world)
    train(config, tmp_path / "whole")
    assert train_in_sessions(config, tmp_path / "parts", [4]) == 2
    shutil.copytree(tmp_path / "parts", tmp_path / "longer")
    shutil.rmtree(source)
    shutil.rmtree(tmp_path / "parts" / BEST)
    for place in ("whole", "parts"):
        resolved = yaml.safe_load((tmp_path / place / RESOLVED).read_text())
        train(config_from_mapping(resolved, world, ["train.epochs=3"]), tmp_path / place, resume=True)
    whole, parts = (load_file(tmp_path / place / "last" / MODEL) for place in ("whole", "parts"))
    assert all((whole[name] == parts[name]).all() for name in whole)
    # The source need not be named again, and the model's keys are those that it had.
    without = small(**{**options, "train": {"epochs": 3}})
    del without["model"]
    train(config_from_mapping(without, world), tmp_path / "longer", resume=True)
    longer = load_file(tmp_path / "longer" / "last" / MODEL)
    assert all((whole[name] == longer[name]).all() for name in whole)
    assert lstm_cli.evaluate(tmp_path / "longer").metrics["perplexity"] > 1
    (tmp_path / "longer" / REPORT_DATA).unlink()
    said: list[str] = []
    make_report(tmp_path / "longer", note=said.append)
    assert said == []


def test_what_cannot_be_is_refused_before_anything_is_written(world, tmp_path):
    with pytest.raises(ConfigError, match=r"train.init_from: .*nowhere: contains no run: expected a folder"):
        train(config_of(world, "nowhere"), tmp_path / "new")
    with pytest.raises(ConfigError, match=r"train.init_from: .*nowhere: contains no run: expected a folder"):
        train(config_of(world, "nowhere"), world / "labels", overwrite=True)
    with pytest.raises(ConfigError, match=r"train.init_from: .*did you mean .*labels\?"):
        train(config_of(world, "labels/best"), tmp_path / "new2")
    with pytest.raises(ConfigError, match=r"train.init_from: .*belongs to the run that --overwrite would remove"):
        train(config_of(world, "labels"), world / "labels", overwrite=True)
    assert (world / "labels" / BEST).is_dir()
    with pytest.raises(ConfigError, match=r"(?s)seed: 1 -> 2.*or start a new run with -o: --from .*labels starts it"):
        train(small_config(world, seed=2, model={"layers": [4], "cell": "gru"}), world / "labels", resume=True)


def test_the_check_shows_what_is_taken_and_writes_nothing(world):
    before = sorted(world.iterdir())
    found = check(config_of(world, "text", data={**TEXT, "train": "other.txt"}))
    assert any(note.startswith("weights of") and "5 new" not in note for note in found.notes)
    assert any("tokens are known" in note for note in found.notes)
    assert sorted(world.iterdir()) == before


def test_the_option_counts_from_the_current_folder_and_show_says_where_from(world, tmp_path, monkeypatch):
    config = {key: value for key, value in small(data=TEXT, train={"epochs": 1}).items() if key != "model"}
    (world / "again.yaml").write_text(json.dumps(config))
    monkeypatch.chdir(world)
    result = CliRunner().invoke(command, ["again.yaml", "--from", "text", "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "weights of text: embedding.text, layers.0, layers.1, output" in result.stderr
    assert lstm_cli.show(tmp_path / "run").provenance["weights from"] == str(world / "text")


@pytest.mark.slow
def test_a_text_of_the_same_words_is_learned_faster_than_from_scratch(tmp_path):
    draw = np.random.default_rng(5)
    words = ["the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs"]
    (tmp_path / "long.txt").write_text(" ".join(draw.choice(words, 900)))
    (tmp_path / "short.txt").write_text(" ".join(draw.choice([*words[4:], "wolf"], 150)))
    shape: dict[str, Any] = {"model": {"layers": [16], "embedding": 8, "dropout": 0.0}, "optimizer": "adam"}
    base: dict[str, Any] = {**shape, "threads": 1, "train": {"epochs": 6, "batch_size": 8}}
    base["optimizer"] = {"name": "adam", "learning_rate": 0.01}
    data = {"valid": 0.25, "window": 20}
    train(config_from_mapping({**base, "data": {**data, "train": "long.txt"}}, tmp_path), tmp_path / "long")
    short = {**base, "data": {**data, "train": "short.txt"}, "train": {"epochs": 2, "batch_size": 8}}
    scores = {}
    for name, more in (("scratch", {}), ("tuned", {"init_from": "long"})):
        config = config_from_mapping({**short, "train": {**short["train"], **more}}, tmp_path)
        train(config, tmp_path / name)
        scores[name] = lstm_cli.evaluate(tmp_path / name).metrics["perplexity"]
    assert scores["tuned"] < 0.7 * scores["scratch"]


def test_a_schema_of_its_own_is_its_continuation(world):
    """Opened again by its own schema, the data of a fine-tuned run gives the same schema."""
    job = job_of(config_of(world, "text", data={**TEXT, "train": "other.txt"}))
    schema: Schema = job.data.schema
    again = schema.tokens["text"].following(schema.tokens["text"])
    assert again.tokens == schema.tokens["text"].tokens and again.knows_unknown == schema.tokens["text"].knows_unknown
