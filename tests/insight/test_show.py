"""What a run is, from folders of an earlier version and from one that was trained here."""

import json
import os
import shutil
from contextlib import closing

import pytest
from click.testing import CliRunner

from lstm_cli import load, show
from lstm_cli.cli.group import main
from lstm_cli.errors import CheckpointError
from lstm_cli.insight.show_text import description_text
from lstm_cli.insight.tables import width_of
from lstm_cli.run.lock import FolderLock
from lstm_cli.training.events import Started
from tests.support.paths import RELEASED
from tests.support.runs import Watcher, small_config, watched, write_data


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, and the event that opened it."""
    folder = write_data(tmp_path_factory.mktemp("shown"))
    started = []

    class Opened(Watcher):
        def __call__(self, event):
            started.extend([event] if isinstance(event, Started) else [])
            super().__call__(event)

    model = {"layers": [4, {"size": 3, "cell": "gru", "bidirectional": True, "dropout": 0.0}], "pool": "attention"}
    config = small_config(folder, model=model, train={"epochs": 1})
    watched(config, folder / "run", Opened())
    return folder / "run", started[0]


def test_the_model_is_the_one_that_was_trained(trained):
    run, started = trained
    found = show(run)
    sizes = {layer.name: layer.parameters for layer in found.model}
    joined = sizes["output"] + sizes["attention"]  # one line at the start of a training
    assert [sizes["layers.0"], sizes["layers.1"], joined] == [part.parameters for part in started.model]
    assert found.parameters == sum(part.parameters for part in started.model)
    words = {layer.name: layer.description for layer in found.model}
    assert words["layers.0"] == "LSTM of 4 units, dropout 0.3"
    assert words["layers.1"] == "GRU of 3 units, in both directions"
    assert words["output"] == "2 outputs"


def test_schema_checkpoints_and_provenance_are_those_of_the_run(trained):
    run, _ = trained
    found, model = show(run), load(run)
    (column,) = found.inputs
    assert (column["name"], column["kind"], column["width"]) == ("x", "number", 2)
    assert column["center"] == model.schema.scaling["x"].center.tolist()
    assert found.target == {"column": "y", "kind": "category", "per": "sequence", "size": 2, "labels": ["down", "up"]}
    state = json.loads((run / "best" / "state.json").read_text())
    best = found.checkpoints["best"]
    assert (best.step, best.epoch, best.best) == (state["step"], state["epoch"], state["best"])
    assert best.bytes == found.files["best"] == sum(path.stat().st_size for path in (run / "best").iterdir())
    environment = json.loads((run / "environment.json").read_text())
    assert found.provenance["started"] == environment["started"]
    assert found.provenance["versions"]["numpy"] == environment["versions"]["numpy"]
    assert found.provenance["folder"] == str(run.parent)
    manifest = json.loads((run / "best" / "manifest.json").read_text())
    assert found.data["digests"] == manifest["identity"]["data"]
    assert (found.state, found.problems) == ("finished", ())
    assert found.files["resolved.yaml"] == (run / "resolved.yaml").stat().st_size


@pytest.mark.parametrize("name", ["labels", "series", "text"])
def test_runs_of_earlier_versions_are_shown(name):
    found = show(RELEASED / name)
    assert found.problems == ()
    assert found.state == "stopped"
    assert found.model and found.inputs and found.target["kind"] in ("category", "number")
    assert found.checkpoints.keys() == {"best", "last"}
    if name == "text":
        assert found.target["next"] is True and found.inputs[0]["vocabulary"] > 3
        assert found.model[0].name.startswith("embedding.")


def test_the_text():
    first, _, text = description_text(show(RELEASED / "text"), 80).partition("\n")
    assert first.endswith("format-1/text")
    assert (
        text
        == """\
  stopped

model, 160 weights
  embedding.text   21  7 tokens to 3 numbers
  layers.0        104  GRU of 4 units, dropout 0.3
  output           35  7 outputs

inputs
  text  6  different tokens

target
  next      true
  kind      category
  per       step
  ahead     1
  7 labels  <unk>, e, a, b,  , c, d

scores of the best state
  valid  loss 1.877  perplexity 6.533  bits/step 2.708

checkpoints
  last  step 13  epoch 1  best valid.loss 1.877  4.21 kB
  best  step 10  epoch 1  best valid.loss 1.877  4.09 kB

data
  train            text.txt
  valid            0.25
  format           text
  id               id
  scale            standard
  window           6
  digest of train  db26d6bcfcb22c35…
  digest of valid  ea09f54e0c12ba83…

made
  seed      1
  versions  python 3.11.7, lstm-cli 0.1.0, pytensor 3.0.7, numba 0.65.1, numpy
            2.4.6, safetensors 0.8.0

files
  best              4.09 kB
  config.yaml         377 B
  environment.json    168 B
  last              4.21 kB
  metrics.jsonl       206 B
  resolved.yaml     1.25 kB
  scaling.json         35 B
  schema.json         584 B
  vocabulary.json     219 B"""
    )


def test_a_scaling_is_said_as_the_config_names_it(trained):
    """By minimum and range with minmax, by mean and deviation otherwise."""
    assert "\n  x  2  numbers, scaled from -2.828 to 3.323 | -2.034 to 2.55\n" in description_text(
        show(RELEASED / "labels"), 80
    )
    scaling = load(trained[0]).schema.scaling["x"]
    words = " | ".join(f"{c:.4g} ± {s:.4g}" for c, s in zip(scaling.center, scaling.spread, strict=True))
    assert f"\n  x  2  numbers, scaled from {words}\n" in description_text(show(trained[0]), 80)


@pytest.mark.parametrize("gone", ["best", "last"])
def test_a_run_with_one_checkpoint_has_a_model(tmp_path, gone):
    run = shutil.copytree(RELEASED / "text", tmp_path / "run")
    shutil.rmtree(run / gone)
    found, whole = show(run), show(RELEASED / "text")
    assert (found.model, found.parameters, found.inputs) == (whole.model, whole.parameters, whole.inputs)
    assert found.checkpoints.keys() == {"best", "last"} - {gone}


@pytest.mark.parametrize("width", [80, 50])
@pytest.mark.parametrize("name", ["labels", "series", "text"])
def test_the_text_fits_the_terminal(name, width):
    text = description_text(show(RELEASED / name), width)
    assert max(map(width_of, text.splitlines())) <= width
    for heading in ("model, ", "inputs", "target", "checkpoints", "data", "made", "files"):
        assert f"\n{heading}" in text


def test_damaged_parts_are_named_and_the_rest_is_shown(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(RELEASED / "labels", run)
    with (run / "last" / "model.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x7f")
    (run / "vocabulary.json").write_text("{}")
    (run / "environment.json").write_text("no JSON")
    (run / "metrics.jsonl").write_text('{"step": 1}\n' + (run / "metrics.jsonl").read_text())
    found = show(run)
    parts = (
        "metrics.jsonl:1: a damaged line",
        "environment.json: damaged",
        "last/model.safetensors: damaged",
        "vocabulary.json",
    )
    assert len(found.problems) == len(parts)
    assert all(part in problem for part, problem in zip(parts, found.problems, strict=True))
    assert found.model and found.checkpoints and found.inputs == ()
    assert description_text(found, 80).count("damaged: ") >= len(parts)


def test_a_run_before_its_first_checkpoint_is_shown(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(RELEASED / "labels", run)
    for name in ("best", "last"):
        shutil.rmtree(run / name)
    (run / "metrics.jsonl").unlink()
    with closing(FolderLock(run)):
        found = show(run)
    assert (found.state, found.model, found.checkpoints) == ("training", (), {})
    assert found.problems == (f"{run}: no checkpoint that can be read: its model and schema are not shown",)


def test_the_command_prints_json_into_a_pipe(trained, tmp_path):
    run, _ = trained
    result = CliRunner().invoke(main, ["show", str(run)])
    found = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert found == show(run).to_json()
    assert found["parameters"] == sum(layer["parameters"] for layer in found["model"])
    result = CliRunner().invoke(main, ["show", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (65, "")
    with pytest.raises(CheckpointError, match="contains no run"):
        show(tmp_path)
