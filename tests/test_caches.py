"""Commands on accounts of all kinds: without a compiler that works, without a home, without any variable set."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_cli.kernels.runtime import caches
from lstm_cli.kernels.runtime.compilation import kernel_folder
from lstm_cli.ops.flags import set_pytensor_flags
from tests.support.paths import ROOT
from tests.support.runs import small, write_data

COMPILERS = ("g++", "c++", "gcc", "cc", "clang++", "clang")
COMMAND = "import sys; sys.path.insert(0, {root!r}); {before}from lstm_cli.cli.start import {name}; {name}()"
NOBODY = "import pwd; pwd.getpwuid = lambda uid: {}[uid]; "  # a user that the system has no entry for


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A folder with data, a config, compilers that find no headers, and a place for temporary files."""
    config = small(train={"epochs": 1})
    (write_data(tmp_path) / "config.yaml").write_text(json.dumps(config))
    (tmp_path / "bin").mkdir()
    for name in COMPILERS:
        compiler = tmp_path / "bin" / name
        compiler.write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/called\necho 'Python.h: not found' >&2\nexit 1\n")
        compiler.chmod(0o755)
    # Kernels that are compiled already lie where a command without a home looks for them: importing PyTensor gives it
    # one, in PyTensor's folder.
    cache = tmp_path / "tmp" / f"lstm-cli-{os.getuid()}"
    for place in (cache, cache / "pytensor" / ".cache" / "lstm-cli"):
        place.mkdir(mode=0o700, parents=True)
        (place / kernel_folder().name).symlink_to(kernel_folder())
    return tmp_path


def run_command(account: Path, name: str, *args: str, before: str = "", **environment: str) -> str:
    """Run a command with these variables and no others; return what it wrote to standard output."""
    code = COMMAND.format(root=str(ROOT), name=name, before=before)
    command = [sys.executable, "-c", code, *args]
    process = subprocess.run(command, cwd=account, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert not (account / "called").exists(), (account / "called").read_text()
    return process.stdout


ACCOUNTS = {
    "a compiler without headers": {"PATH": "{account}/bin", "HOME": "{account}", "LSTM_CLI_CACHE": "{kernels}"},
    "flags that ask for a compiler": {
        "PATH": "{account}/bin", "LSTM_CLI_CACHE": "{kernels}",
        "PYTENSOR_FLAGS": "cxx=g++,base_compiledir=/proc/nowhere,",
    },
    "no variable": {},
    "no home and no entry for the user": {"PATH": "{account}/bin", "TMPDIR": "{account}/tmp"},
    "a home that cannot be written": {"PATH": "{account}/bin", "HOME": "/proc", "TMPDIR": "{account}/tmp"},
}  # fmt: skip


# "No entry for the user" has less than "no variable", and tests/test_kernel_cache.py a home that cannot be written.
ALIKE = {"no variable", "a home that cannot be written", "a compiler without headers", "flags that ask for a compiler"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in ACCOUNTS]
)
def test_a_run_trains_and_predicts(account: Path, name: str) -> None:
    places = {"account": account, "kernels": kernel_folder().parent}
    environment = {key: value.format(**places) for key, value in ACCOUNTS[name].items()}
    before = NOBODY if name == "no home and no entry for the user" else ""
    run_command(account, "train", "config.yaml", "-o", "run", "-q", before=before, **environment)
    predict = ("predict", "run", "gestures.jsonl", "--evaluate")
    scores = json.loads(run_command(account, *predict, before=before, **environment))
    assert scores["accuracy"] > 0
    assert not (account / ".pytensor").exists()


def test_the_cache_is_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LSTM_CLI_CACHE", raising=False)
    assert caches.cache_folder("x") == tmp_path / "home" / ".cache" / "lstm-cli" / "x"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert caches.cache_folder("x") == tmp_path / "caches" / "lstm-cli" / "x"
    monkeypatch.setenv("LSTM_CLI_CACHE", str(tmp_path / "own"))
    assert caches.cache_folder("x") == tmp_path / "own" / "x"
    assert caches.cache_folder("x").is_dir()


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.fixture
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without a home, whose temporary files lie in the folder returned."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LSTM_CLI_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_without_a_home_later_processes_find_the_same_cache(no_cache: Path) -> None:
    folder = caches.cache_folder("x")
    assert folder == no_cache / f"lstm-cli-{os.getuid()}" / "x"
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert caches.cache_folder("x") == folder


def others_can_write(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def a_link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(place.parent / "elsewhere")


def a_file(place: Path) -> None:
    place.touch(mode=0o600)


@pytest.mark.parametrize("planted", [others_can_write, a_link, a_file])
def test_no_code_is_loaded_from_where_others_can_put_it(no_cache: Path, planted) -> None:
    place = no_cache / f"lstm-cli-{os.getuid()}"
    planted(place)
    with pytest.raises(OSError, match="no home folder"):
        caches.cache_folder("x")
    assert not list(place.parent.rglob("x"))


@pytest.fixture
def open_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache asked for, in a folder that every user can write."""
    tmp_path.chmod(0o1777)
    monkeypatch.setenv("LSTM_CLI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_cache_of_ours_may_lie_among_the_files_of_all(open_place: Path) -> None:
    assert caches.cache_folder("x") == open_place / "x"
    open_place.chmod(0o777)  # as folders of containers are
    assert caches.cache_folder("x") == open_place / "x"


def test_a_cache_that_all_can_write_is_not_used(open_place: Path) -> None:
    caches.cache_folder("x").chmod(0o777)
    with pytest.raises(OSError, match=r"other users can write to it: .*/cache/x"):
        caches.cache_folder("x")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's folder")
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_cache_that_another_user_put_there_is_not_used(open_place: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "theirs" / "x").mkdir(parents=True)
    if kind == "folder":
        (tmp_path / "theirs").rename(open_place)
    else:
        tmp_path.joinpath("ours").mkdir()
        (tmp_path / "theirs").rename(tmp_path / "ours" / "theirs")
        open_place.symlink_to(tmp_path / "ours" / "theirs")
    os.chown(open_place, 65534, 65534, follow_symlinks=False)
    with pytest.raises(OSError, match="other users can write to it"):
        caches.cache_folder("x")


def test_a_cache_asked_for_that_cannot_be_made_is_not_sought_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_CLI_CACHE", "/proc/none/cache")
    with pytest.raises(OSError, match="/proc/none/cache/x"):
        caches.cache_folder("x")


def test_nothing_is_put_into_the_working_folder(no_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(no_cache)  # where Python puts temporary files if it finds no other place
    with pytest.raises(OSError, match="no home folder"):
        caches.cache_folder("x")
    assert not list(no_cache.iterdir())


@pytest.mark.parametrize("name", ["plain", "with space", "a,comma", "a#hash", "it's"])
def test_pytensor_takes_the_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    code = "import lstm_cli, pytensor; print(pytensor.config.base_compiledir, repr(pytensor.config.cxx), sep='\\n')"
    environment = {**os.environ, "LSTM_CLI_CACHE": str(tmp_path / name)}
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout == f"{tmp_path / name / 'pytensor'}\n''\n"


def test_the_flags_do_not_grow_from_process_to_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_CLI_CACHE", str(tmp_path))
    monkeypatch.setenv("PYTENSOR_FLAGS", "floatX=float32, ")
    for _ in range(3):
        set_pytensor_flags()
    assert os.environ["PYTENSOR_FLAGS"] == f"floatX=float32,cxx=,base_compiledir='{tmp_path / 'pytensor'}'"


def test_a_pytensor_that_is_there_already_is_left_as_it_is() -> None:
    code = """
import os, pytensor, sys
before = list(sys.meta_path), dict(os.environ)
import lstm_cli.theano
own = "lstm_cli.theano_lstm.importing"  # the hook of Theano's modules, which knows no others
print(before == ([hook for hook in sys.meta_path if type(hook).__module__ != own], dict(os.environ)))
"""
    environment = {**os.environ, "GOMP_SPINCOUNT": "3000"}  # which the kernels set for themselves
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout == "True\n"


def test_the_hook_skips_no_other_one() -> None:
    code = """
import sys
import lstm_cli

class Recorder:
    seen = []

    def find_spec(self, name, path=None, target=None):
        self.seen.append(name)

sys.meta_path.insert(1, Recorder())
import pytensor
print("pytensor" in Recorder.seen, len(sys.meta_path), type(sys.meta_path[0]).__name__)
"""
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, count, name = process.stdout.split()
    assert (first, name) == ("True", "Recorder")
    assert int(count) >= 4
