"""Predictions are never written onto what is read, onto a run's own files, onto each other, or in place of a folder."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from lstm_cli.errors import ConfigError
from lstm_cli.predict import predict_run
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.names import CHECKPOINT_FILES, CHECKPOINTS, FILES, LOCK
from tests.support.paths import ROOT

#: One command after the other, each on streams of its own; prints its exit code.
COMMANDS = """
import json, os, sys
from lstm_cli.cli.group import main
codes = []
for arguments, read, added in json.loads(sys.argv[1]):
    os.dup2(os.open(read, os.O_RDONLY), 0)
    os.dup2(os.open(added, os.O_WRONLY | os.O_APPEND), 1)
    try:
        main(["predict", *arguments])
    except SystemExit as end:
        codes.append(end.code)
sys.stderr.write(json.dumps(codes))
"""


@pytest.fixture
def place(trained, tmp_path, monkeypatch):
    """The current folder, with a run and data, and links to both."""
    shutil.copytree(trained("numbered") / "run", tmp_path / "run")
    shutil.copy(trained("numbered") / "train.jsonl", tmp_path / "data.jsonl")
    os.link(tmp_path / "data.jsonl", tmp_path / "hard.jsonl")
    (tmp_path / "soft.jsonl").symlink_to("data.jsonl")
    (tmp_path / "linked").symlink_to("run")
    (tmp_path / "folder.jsonl").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(place):
    """Every file below a folder with its content and its inode."""
    files = (path for path in sorted(place.rglob("*")) if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_ino) for path in files}


def refused(place, *options, match):
    """The command ends with a message and changes nothing, before the run is loaded."""
    before = content(place)
    given = {option: place.__class__(value) for option, value in zip(options[::2], options[1::2], strict=True)}
    with pytest.raises(ConfigError, match=match):
        predict_run(place / "nothing to load", given.pop("data", place / "data.jsonl"), **given)
    assert content(place) == before


@pytest.mark.parametrize("name", ["data.jsonl", "./data.jsonl", "run/../data.jsonl", "hard.jsonl", "soft.jsonl"])
def test_not_onto_the_data(place, name):
    for option, shown in (("out", "-o"), ("state_out", "--state-out")):
        refused(place, option, name, match=rf"^{shown} .*: is the file that is read as DATA: give another name$")
        refused(place, option, str(place / name), match="is read as DATA")


def test_not_onto_other_inputs(place):
    shutil.copy("data.jsonl", "more.jsonl")
    refused(place, "out", "more.jsonl", "future", "more.jsonl", match="is read as --future")
    refused(place, "state_out", "more.jsonl", "state_in", "more.jsonl", match="is read as --state-in")


@pytest.mark.parametrize("name", [*FILES, LOCK, *(f"best/{name}" for name in (*CHECKPOINT_FILES, "other.jsonl"))])
def test_not_onto_files_of_any_run(place, name):
    for run in ("run", "linked", "./folder.jsonl/../run"):
        refused(place, "state_out", f"{run}/{name}", match="belongs to the run (run|linked): give another name, or")


def test_other_files_in_a_run_folder_are_written(place):
    predict_run(place / "run", place / "data.jsonl", out=place / "run" / "predictions.jsonl")
    assert (place / "run" / "predictions.jsonl").stat().st_size


def test_not_onto_a_folder_and_not_onto_each_other(place):
    refused(place, "out", "folder.jsonl", match=r"^-o folder\.jsonl: is a folder: give the name of a file in it$")
    refused(place, "out", "run/best", match="is a folder")
    refused(place, "out", "new.csv", "state_out", "run/../new.csv", match=r"^--state-out .* is the file that -o writes")
    refused(place, "out", "New.csv", "state_out", "new.csv", match="is the file that -o writes")


def test_a_stream_may_be_read_and_written(place, trained):
    predict_run(place / "run", place / "data.jsonl", state_out=place / "s.npz", out=place / "p.jsonl")
    (place / "null.jsonl").symlink_to("/dev/null")
    predict_run(place / "run", place / "data.jsonl", out=place / "null.jsonl", state_out=place / "null.jsonl")


def test_standard_streams_on_the_same_file(place):
    (place / "other.txt").touch()
    before = content(place)
    commands = [
        (["run", "-", "-o", "data.jsonl"], "data.jsonl", "other.txt"),
        (["run", "data.jsonl"], "other.txt", "data.jsonl"),
        (["run", "-"], "data.jsonl", "data.jsonl"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(commands)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    *messages, codes = done.stderr.splitlines()
    assert codes == "[2, 2, 2]", done.stderr
    assert ["is the file that is read as " in message for message in messages] == [True] * 3
    assert content(place) == before


@pytest.mark.parametrize("name", [*CHECKPOINTS, "best/inner", "schema.json", "linked/../run/last"])
def test_a_run_is_not_made_inside_another_ones_checkpoint(place, name):
    before = content(place)
    with pytest.raises(ConfigError, match=r"belongs to the run .*: choose another folder with -o"):
        RunFolder.create(place / "run" / name if "/.." not in name else place / name)
    assert content(place) == before
