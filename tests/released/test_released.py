"""Runs that a released version wrote load, predict and resume as they did then."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lstm_cli.run.checkpoint import FORMAT, load
from lstm_cli.run.names import BEST, LAST
from tests.released.make import CONFIGS, STOPS, predictions, resumed
from tests.support.paths import ROOT

FOLDERS = sorted(Path(__file__).parent.glob("format-*"))
RUNS = [pytest.param(folder, name, id=f"{folder.name}-{name}") for folder in FOLDERS for name in CONFIGS]
# Other processors and library versions round differently.
CLOSE = {"labels": {"rel": 1e-3, "abs": 1e-5}, "text": {"rel": 1e-3, "abs": 1e-5}, "series": {"rel": 1e-7}}


def expected(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / "expected.json").read_text())[name]


def assert_contains(found: Any, then: Any, name: str) -> None:
    """What was there then is there now; a newer version may say more."""
    if isinstance(then, dict):
        for key, value in then.items():
            assert_contains(found[key], value, name)
    elif isinstance(then, list):
        assert len(found) == len(then)
        for one, other in zip(found, then, strict=True):
            assert_contains(one, other, name)
    else:
        assert found == (pytest.approx(then, **CLOSE[name]) if isinstance(then, float) else then)


def test_every_format_is_here() -> None:
    assert [folder.name for folder in FOLDERS] == [f"format-{number}" for number in range(1, FORMAT + 1)]


@pytest.mark.parametrize(("folder", "name"), RUNS)
def test_it_loads(folder: Path, name: str) -> None:
    best, last = (load(folder / name / kind) for kind in (BEST, LAST))
    assert json.loads((folder / name / LAST / "manifest.json").read_text())["format"] == int(folder.name[-1])
    assert best.position["step"] <= last.position["step"]
    assert last.position["step"] == STOPS[name]
    assert last.position["batch"] > 0
    assert bool(last.carried) == (name != "labels")


@pytest.mark.parametrize(("folder", "name"), RUNS)
def test_it_predicts_the_same(folder: Path, name: str) -> None:
    assert_contains(predictions(folder, name), expected(folder, name)["answers"], name)


@pytest.mark.parametrize(("folder", "name"), RUNS)
def test_it_resumes_to_the_same_end(folder: Path, name: str) -> None:
    assert_contains(resumed(folder, name), expected(folder, name)["metrics"], name)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed: no checkout was made")
@pytest.mark.parametrize("settings", [["core.autocrlf=true"], ["core.autocrlf=false", "core.eol=crlf"]])
def test_a_checkout_converts_no_line_end_in_them(tmp_path: Path, settings: list[str]) -> None:
    """As git does on Windows, or where a user asks for it; the digests would no longer fit."""
    committed, copied = Path(__file__).parent, tmp_path / "tests" / "released"
    shutil.copytree(committed, copied, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    options = [part for setting in ("user.name=x", "user.email=x@x", *settings) for part in ("-c", setting)]

    def git(*command: str) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        subprocess.run(["git", *options, *command], cwd=tmp_path, env=environment, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    shutil.rmtree(tmp_path / "tests")
    git("checkout", ".")
    files = [path for path in copied.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"manifest.json", "state.json", "model.safetensors"}
    for path in files:
        assert path.read_bytes() == (committed / path.relative_to(copied)).read_bytes(), path
