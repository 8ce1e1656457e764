"""The ends of a command: a signal stops it from its first moments on, and changes nothing in its last."""

import os
import signal
import subprocess
import time
import tomllib
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import pytest

from lstm_cli.signals import SIGNALS
from tests.support.paths import ROOT
from tests.support.process import COMMAND, STUCK, Process, started

EACH = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


def start(config: Path, folder: Path, modules: dict[str, str], *options: str) -> AbstractContextManager[Process]:
    for name, content in modules.items():
        (folder / name).write_text(content)
    return started(config, folder / "run", *options, PYTHONPATH=f"{folder}{os.pathsep}{ROOT}")


def test_the_scripts_begin_where_signals_are_heard() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    for place in scripts.values():
        module, name = place.split(":")
        assert module == "lstm_cli.cli.start"
        assert callable(getattr(import_module(module), name))


@EACH
@pytest.mark.parametrize("module", ["click", "pydantic"])
def test_a_command_is_left_while_it_imports(endless_config: Path, tmp_path: Path, module: str, number: int) -> None:
    with start(endless_config, tmp_path, {f"{module}.py": f"{STUCK}stuck()"}) as process:
        process.wait_for(lambda: process.said == "stuck\n")
        process.send(number)
        assert process.end() == 128 + number
        assert process.said == f"stuck\nstopped by {signal.Signals(number).name}\n"


def test_what_is_ignored_from_the_start_stays_ignored(endless_config: Path, tmp_path: Path) -> None:
    """As by `lstm-train … &` in a script: Ctrl-C is for what is in the foreground."""
    ignoring = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"
    with start(endless_config, tmp_path, {"click.py": f"{STUCK}stuck()", "sitecustomize.py": ignoring}) as process:
        process.wait_for(lambda: process.said == "stuck\n")
        process.send(signal.SIGINT)
        process.send(signal.SIGTERM)
        assert process.end() == 143
        assert process.said == "stuck\nstopped by SIGTERM\n"


LEAVING = """
import atexit, os, sys, time
from pathlib import Path
def leave():
    sys.stderr.write("leaving\\n")
    while not Path(__file__).with_name("left").exists():
        time.sleep(0.01)
atexit.register(leave)
"""
ENDS = {
    "by a signal": (130, ["train.epochs=100000"]),
    "well": (0, ["train.epochs=1"]),
    "with a message": (2, ["train.epoch=1"]),
}


@pytest.mark.parametrize("end", ["by a signal", pytest.param("well", marks=pytest.mark.slow), "with a message"])
def test_a_signal_while_python_leaves_changes_nothing(endless_config: Path, tmp_path: Path, end: str) -> None:
    code, options = ENDS[end]
    with start(endless_config, tmp_path, {"sitecustomize.py": LEAVING}, *options) as process:
        if code == 130:
            process.wait_for(lambda: "epoch 1, " in process.said)
            process.send(signal.SIGINT)
        process.wait_for(lambda: "leaving" in process.said)
        before = process.said
        for number in (signal.SIGTERM, signal.SIGINT):
            process.send(number)
        (tmp_path / "left").touch()
        assert process.end() == code
        assert process.said == before


FULL = """
import os
os.set_blocking(2, False)
for size in 1000, 1:
    try:
        while True:
            os.write(2, bytes(size))
    except BlockingIOError:
        pass
os.set_blocking(2, True)
os.write(1, b"full")
while True:
    pass
"""


def test_the_second_signal_does_not_wait_for_the_message_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(FULL)
    modules = f"{tmp_path}{os.pathsep}{ROOT}"
    process = subprocess.Popen(
        COMMAND, env={**os.environ, "PYTHONPATH": modules}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout.read(4) == b"full"
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130


@pytest.mark.parametrize("limit", [0, 20])
def test_a_message_that_a_full_disk_does_not_take_changes_no_exit_code(tmp_path: Path, limit: int) -> None:
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); {COMMAND[-1]}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with (tmp_path / "said").open("wb") as said:
        words = [*COMMAND[:-1], code, "missing.yaml"]
        assert subprocess.run(words, cwd=tmp_path, env=environment, stderr=said).returncode == 2
    assert (tmp_path / "said").read_text() == "missing.yaml: no such file"[:limit]
