"""``lstm init``: from data files to a config that trains as it is."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from lstm_cli import draft_config, train
from lstm_cli.cli.group import main
from lstm_cli.config import load_config
from lstm_cli.errors import ConfigError, DataError
from tests.support.drafts import drafted


def recordings(path, *, count=12, steps=6):
    """Recordings in blocks of rows, each with one label."""
    rng = np.random.default_rng(1)
    rows = ["recording,x,y,state"]
    for name in range(count):
        label = ("ok", "worn")[name % 2]
        rows += [f"r{name},{a:.3f},{b:.3f},{label}" for a, b in rng.normal(size=(steps, 2))]
    path.write_text("\n".join(rows) + "\n")


def test_recordings_in_blocks_with_a_constant_label_are_classified(tmp_path):
    recordings(tmp_path / "lab.csv")
    draft, config, data = drafted(tmp_path / "lab.csv")
    assert (draft.task, draft.target) == ("classify", "state")
    assert config.data.id == ("recording",)
    assert list(config.data.inputs) == ["x", "y"]
    assert (config.data.target.column, config.data.target.per) == ("state", "sequence")
    assert (len(data.train), len(data.valid)) == (10, 2)


def test_shares_of_labels_are_shares_of_sequences(tmp_path):
    kinds = [("long", 9), ("b", 3), ("b", 3), ("c", 3)]
    rows = [f"{name},{step}.5,{label}" for name, (label, steps) in enumerate(kinds) for step in range(steps)]
    (tmp_path / "lab.csv").write_text("recording,x,state\n" + "\n".join(rows) + "\n")
    draft = draft_config(tmp_path / "lab.csv", target="state", path=tmp_path / "made.yaml")
    assert "one label per sequence: b 50%, long 25%, c 25%" in draft.text


def test_every_set_key_has_a_comment(tmp_path):
    recordings(tmp_path / "lab.csv")
    lines = draft_config(tmp_path / "lab.csv", path=tmp_path / "made.yaml").text.splitlines()
    assert lines[0].startswith("# yaml-language-server: $schema=")
    sections = {"data:", "model:", "optimizer:", "train:"}
    keys = [line for line in lines if line.strip() and not line.lstrip().startswith("#") and line not in sections]
    assert len(keys) > 10
    above = [lines[place - 1].lstrip().startswith("#") for place, line in enumerate(lines) if line in keys]
    assert all(" # " in line or over for line, over in zip(keys, above, strict=True))


def test_paths_are_relative_to_the_folder_of_the_config(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    recordings(tmp_path / "lab.csv")
    monkeypatch.chdir(tmp_path)
    draft = draft_config("lab.csv", path="configs/made.yaml")
    assert "train: ../lab.csv" in draft.text


def test_jsonl_of_sequences(tmp_path):
    rng = np.random.default_rng(1)
    rows = [{"id": i, "x": rng.normal(size=(5, 3)).round(3).tolist(), "kind": "ab"[i % 2]} for i in range(10)]
    (tmp_path / "walks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    draft, config, _ = drafted(tmp_path / "walks.jsonl")
    assert (draft.task, draft.target) == ("classify", "kind")
    assert list(config.data.inputs) == ["x"]


def test_several_targets_are_named_and_asked_for(tmp_path):
    rows = [{"x": [0.1, 0.2], "mood": "ab"[i % 2], "place": "cd"[i % 2]} for i in range(10)]
    (tmp_path / "two.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(ConfigError, match=r"several targets fit: mood \(2 labels per sequence\), place .*--target"):
        draft_config(tmp_path / "two.jsonl", path=tmp_path / "made.yaml")
    draft, _, _ = drafted(tmp_path / "two.jsonl", target="place")
    assert draft.target == "place"
    draft, _, _ = drafted(tmp_path / "two.jsonl", choose=lambda candidates: candidates[0])
    assert draft.target == "mood"


def test_the_command_writes_a_file_once(tmp_path, monkeypatch):
    recordings(tmp_path / "lab.csv")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["init", "lab.csv"])
    assert done.exit_code == 0, done.output
    assert "lab.yaml: task classify; next:\n" in done.stdout
    assert "lstm-train lab.yaml" in done.stdout
    again = CliRunner().invoke(main, ["init", "lab.csv"])
    assert again.exit_code == 2
    assert "exists already" in again.output
    assert CliRunner().invoke(main, ["init", "lab.csv", "--overwrite"]).exit_code == 0
    wrong = CliRunner().invoke(main, ["init", "lab.csv", "--task", "clasify", "-o", "b.yaml"])
    assert "expected one of classify, tag, regress, forecast, language-model (did you mean classify?)" in wrong.output


def test_a_terminal_is_asked_which_target_is_meant(tmp_path, monkeypatch):
    rows = [{"x": [0.1, 0.2], "mood": "ab"[i % 2], "place": "cd"[i % 2]} for i in range(10)]
    (tmp_path / "two.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lstm_cli.cli.init._is_terminal", lambda: True)
    done = CliRunner().invoke(main, ["init", "two.jsonl"], input="2\n")
    assert done.exit_code == 0, done.output
    assert "2  place: 2 labels per sequence" in done.stderr
    assert load_config("two.yaml").data.target.column == "place"
    ended = CliRunner().invoke(main, ["init", "two.jsonl", "-o", "other.yaml"], input="")
    assert ended.exit_code == 2
    assert "several targets fit" in ended.stderr
    assert "choose one with --target" in ended.stderr
    assert not (tmp_path / "other.yaml").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--target", "stat"], r"--target: no column stat .*did you mean state"),
        (["--task", "language-model"], r"nothing to model as language in it \(tasks that fit: classify, forecast\)"),
        (["--target", "x", "--task", "tag"], r"--task tag does not fit x"),
        (["-o", "lab.csv"], r"-o lab.csv: is the file that is read as DATA"),
        (["-o", "none/lab.yaml"], r"there is no folder none"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(tmp_path, monkeypatch, options, message):
    recordings(tmp_path / "lab.csv")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["init", "lab.csv", *options])
    assert done.exit_code in (2, 74)
    assert re.search(message, done.output)
    assert done.output.count("\n") == 1
    assert not (tmp_path / "lab.yaml").exists()


def test_standard_input_and_missing_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "give a file" in CliRunner().invoke(main, ["init", "-"]).output
    absent = CliRunner().invoke(main, ["init", "nosuch.csv"])
    assert (absent.exit_code, "no such file" in absent.output) == (65, True)


def test_a_config_that_would_not_train_is_not_written(tmp_path):
    (tmp_path / "one.jsonl").write_text(json.dumps({"x": [0.5, 0.25], "mood": "a"}) + "\n")
    with pytest.raises(ConfigError, match=r"one\.jsonl: no config was written, as it would not train: data\.valid: "):
        draft_config(tmp_path / "one.jsonl", path=tmp_path / "made.yaml")


def test_a_drafted_config_trains(tmp_path):
    recordings(tmp_path / "lab.csv", count=8, steps=4)
    draft = draft_config(tmp_path / "lab.csv", path=tmp_path / "made.yaml")
    (tmp_path / "made.yaml").write_text(draft.text)
    result = train(tmp_path / "made.yaml", ["train.epochs=1"], run=tmp_path / "run", verbosity=-1)
    assert set(result.scores["valid"]) >= {"loss", "accuracy"}


@pytest.mark.parametrize(
    ("name", "content"), [("a.npz", b"PK\3\4no archive"), ("a.npz", b""), ("a.json", b"[" * 100_000)]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        draft_config([str(tmp_path / name)])
