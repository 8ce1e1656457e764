"""Nothing that a checkpoint says becomes a path or code, even where every hash is right."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_cli.run import checkpoint
from lstm_cli.run.checkpoint import State, load, save
from lstm_cli.run.names import BEST, LAST, MANIFEST
from tests.support.paths import RELEASED

HOSTILE = [
    "../../malefic",
    "/tmp/malefic",
    "~/malefic",
    "malefic.pickle",
    "__import__('os').system('touch malefic')",
    "!!python/object/apply:os.system [touch malefic]",
    "$(touch malefic)",
    "malefic:attack",
]
# Runs commands, and prints their outcomes and every event of the interpreter (opening, listing, compiling, importing,
# starting a process, ...) that one of the strings above took part in.
WATCHED = """
import io, json, os, sys
from contextlib import redirect_stderr
caught = []
def hook(event, args):
    if any("malefic" in str(value) for value in args if isinstance(value, (str, bytes, list, tuple, os.PathLike))):
        caught.append((event, str(args)[:300]))
sys.addaudithook(hook)
open(sys.argv[1] + "/malefic-of-the-test", "w").close()
from lstm_cli.cli.group import main
outcomes = []
for command in json.loads(sys.argv[2]):
    with redirect_stderr(io.StringIO()) as messages:
        try:
            main(command)
        except SystemExit as end:
            outcomes.append((end.code, messages.getvalue()))
assert caught.pop(0)[0] == "open"
print(json.dumps({"outcomes": outcomes, "caught": caught}))
"""
PREDICT = ["predict", "labels", "gestures.jsonl", "-o", "out.jsonl"]
RESUME = ["train", "labels.yaml", "-o", "labels", "--resume"]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return shutil.copytree(RELEASED, tmp_path / "runs")


def execute(runs: Path, *commands: list[str]) -> list[tuple[int, str]]:
    """Run commands under watch, one after the other; return the exit code and the messages of each."""
    command = [sys.executable, "-c", WATCHED, str(runs), json.dumps(commands)]
    done = subprocess.run(command, cwd=runs, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["caught"] == []
    assert len(found["outcomes"]) == len(commands)
    assert not any("Traceback" in messages for _, messages in found["outcomes"])
    return found["outcomes"]


def forge(run: Path, **changes: dict) -> None:
    """Replace parts of both states by others, hashes and all; the manifest lists files that are none of its own."""
    for name in (LAST, BEST):
        parts = vars(load(run / name)) | changes
        save(State(**parts), run / name)
        manifest = json.loads((run / name / MANIFEST).read_text())
        manifest["files"] |= {text: {"size": 1, "sha256": text} for text in HOSTILE}
        manifest |= {"path": HOSTILE[0], "sha256": checkpoint.UNHASHED}
        (run / name / MANIFEST).write_bytes(checkpoint._sealed(manifest))


def test_what_it_belongs_to(runs: Path) -> None:
    kept = load(runs / "labels" / LAST).identity
    hostile = {key: {**value, **dict.fromkeys(HOSTILE, HOSTILE[0])} for key, value in kept.items() if key != "data"}
    forge(runs / "labels", identity={**kept, **hostile, **dict.fromkeys(HOSTILE, HOSTILE[1])})
    assert [code for code, _ in execute(runs, PREDICT, RESUME)] == [0, 0]


def test_names_of_arrays(runs: Path) -> None:
    forge(runs / "labels", model={name: np.ones(1, np.float32) for name in HOSTILE})
    for code, messages in execute(runs, PREDICT, RESUME):
        assert code == 65
        assert "../../malefic: expected nothing, got float32[1]" in messages


@pytest.mark.parametrize("where", ["position", pytest.param("schedule", marks=pytest.mark.slow)])
def test_positions(runs: Path, where: str) -> None:
    position = load(runs / "labels" / LAST).position
    hostile = dict.fromkeys(HOSTILE, HOSTILE[3])
    changed = {**position, **hostile} if where == "position" else {**position, "schedule": HOSTILE}
    forge(runs / "labels", position=changed)
    predicted, resumed = execute(runs, PREDICT, RESUME)
    assert predicted[0] == 0
    assert resumed[0] == 65
    assert "this version cannot read the checkpoint's position" in resumed[1]
    assert not [path for path in runs.rglob("malefic*") if path.name != "malefic-of-the-test"]
