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

RELEASED = Path(__file__).parent / "released" / "format-1"
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
# Does what its arguments say, and prints every event of the interpreter (opening, listing, compiling, importing,
# starting a process, ...) that one of the strings above took part in.
WATCHED = """
import os, sys
caught = []
def hook(event, args):
    if any("malefic" in str(value) for value in args if isinstance(value, (str, bytes, list, tuple, os.PathLike))):
        caught.append((event, str(args)[:300]))
sys.addaudithook(hook)
open(sys.argv[1] + "/malefic-of-the-test", "w").close()
from lstm_cli.cli.group import main
try:
    main(sys.argv[2:])
except SystemExit as end:
    code = end.code
assert caught.pop(0)[0] == "open"
print(caught)
sys.exit(code)
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return shutil.copytree(RELEASED, tmp_path / "runs")


def execute(runs: Path, *args: Path | str) -> subprocess.CompletedProcess:
    """Run a command under watch."""
    command = [sys.executable, "-c", WATCHED, str(runs), *map(str, args)]
    done = subprocess.run(command, cwd=runs, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout
    assert "Traceback" not in done.stderr
    return done


def forge(run: Path, **changes: dict) -> None:
    """Replace parts of both states by others, hashes and all; the manifest lists files that are none of its own."""
    for name in (LAST, BEST):
        parts = vars(load(run / name)) | changes
        save(State(**parts), run / name)
        manifest = json.loads((run / name / MANIFEST).read_text())
        manifest["files"] |= {text: {"size": 1, "sha256": text} for text in HOSTILE}
        manifest |= {"path": HOSTILE[0], "sha256": checkpoint.UNHASHED}
        (run / name / MANIFEST).write_bytes(checkpoint._sealed(manifest))


def predict(runs: Path) -> subprocess.CompletedProcess:
    return execute(runs, "predict", "labels", "gestures.jsonl", "-o", "out.jsonl")


def resume(runs: Path) -> subprocess.CompletedProcess:
    return execute(runs, "train", "labels.yaml", "-o", "labels", "--resume")


def test_what_it_belongs_to(runs: Path) -> None:
    kept = load(runs / "labels" / LAST).identity
    hostile = {key: {**value, **dict.fromkeys(HOSTILE, HOSTILE[0])} for key, value in kept.items() if key != "data"}
    forge(runs / "labels", identity={**kept, **hostile, **dict.fromkeys(HOSTILE, HOSTILE[1])})
    assert predict(runs).returncode == 0
    assert resume(runs).returncode == 0


def test_names_of_arrays(runs: Path) -> None:
    forge(runs / "labels", model={name: np.ones(1, np.float32) for name in HOSTILE})
    for done in (predict(runs), resume(runs)):
        assert done.returncode == 65
        assert "../../malefic: expected nothing, got float32[1]" in done.stderr


@pytest.mark.parametrize("where", ["position", "schedule"])
def test_positions(runs: Path, where: str) -> None:
    position = load(runs / "labels" / LAST).position
    hostile = dict.fromkeys(HOSTILE, HOSTILE[3])
    changed = {**position, **hostile} if where == "position" else {**position, "schedule": HOSTILE}
    forge(runs / "labels", position=changed)
    assert predict(runs).returncode == 0
    done = resume(runs)
    assert done.returncode == 65
    assert "the checkpoint's position is not one that this version knows" in done.stderr
    assert not [path for path in runs.rglob("malefic*") if path.name != "malefic-of-the-test"]
