"""The command itself, as a process: asked to stop at any time, in another one's way, with its output closed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from lstm_cli.run.checkpoint import load
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.names import LAST, LOCK
from lstm_cli.signals import ASKED, SIGNALS
from tests.support.paths import ROOT
from tests.support.process import COMMAND, STUCK, Process, started
from tests.support.runs import metrics

# One by default: tests/test_signals.py has all of them.
EACH = pytest.mark.parametrize(
    "number",
    [number if number == signal.SIGTERM else pytest.param(number, marks=pytest.mark.slow) for number in SIGNALS],
    ids=lambda number: number.name,
)


def pairs(*works: str, numbers: Iterable[signal.Signals] = ASKED) -> list[Any]:
    """Every work with every signal: each of both once by default, the other pairs slow."""
    quick = list(zip(works, ASKED, strict=True))
    marks = {False: pytest.mark.slow, True: ()}
    return [
        pytest.param(*pair, marks=marks[pair in quick], id=f"{pair[0]}-{pair[1].name}")
        for pair in product(works, numbers)
    ]


def stop(process: Process, number: int) -> None:
    """Ask a process to stop that does not end by itself, and check how it ends."""
    process.send(number)
    assert process.end() == 128 + number, process.said
    assert "Traceback" not in process.said


@EACH
def test_a_run_asked_to_stop_writes_its_state_first(endless_config: Path, tmp_path: Path, number: int) -> None:
    with started(endless_config, tmp_path / "run") as process:
        process.wait_for(lambda: "epoch 3, " in process.said)
        stop(process, number)
    step = load(process.run / LAST).position["step"]
    end = f"stopped by {signal.Signals(number).name} after step {step}; continue with --resume"
    assert process.said.splitlines()[-1] == end
    with started(endless_config, process.run, "--resume", f"train.epochs={step // 5 + 3}") as resumed:
        assert resumed.end() == 0
    assert f"continuing after step {step}" in resumed.said
    assert [entry["step"] for entry in metrics(process.run)] == [5 * epoch for epoch in range(1, step // 5 + 4)]


@pytest.mark.slow
def test_a_run_whose_terminal_is_closed_writes_its_state_first(endless_config: Path, tmp_path: Path) -> None:
    """Its output, which is that terminal, then fails too."""
    run, said = tmp_path / "run", b""
    terminal, inside = os.openpty()
    login = [sys.executable, "-c", "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"]
    process = subprocess.Popen([*login, *COMMAND, str(endless_config), "-o", str(run)], cwd=ROOT, stdin=inside)
    os.close(inside)
    while b" 15   " not in said:  # the row of the third epoch
        said += os.read(terminal, 4096)
    os.close(terminal)
    assert process.wait(timeout=100) == 128 + signal.SIGHUP
    assert load(run / LAST).position["step"] > 10


@pytest.mark.slow
def test_a_run_whose_processor_time_is_used_up_writes_its_state_first(endless_config: Path, tmp_path: Path) -> None:
    """The soft limit: SIGXCPU comes from then on every second."""
    run = tmp_path / "run"
    command = ["sh", "-c", 'ulimit -S -t 6 && exec "$@"', "sh", *COMMAND, str(endless_config), "-o", str(run)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 128 + signal.SIGXCPU, done.stderr
    step = load(run / LAST).position["step"]
    assert done.stderr.splitlines()[-1] == f"stopped by SIGXCPU after step {step}; continue with --resume"


@pytest.mark.slow
def test_a_run_under_nohup_is_not_stopped_by_its_terminal(endless_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            ["nohup", *COMMAND, str(endless_config), "train.epochs=60", "-o", str(run)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    while process.poll() is None:
        if run.exists():
            process.send_signal(signal.SIGHUP)
        time.sleep(0.01)
    assert process.returncode == 0
    assert load(run / LAST).position["epoch"] == 60


def stop_before_the_first_step(process: Process, number: int) -> None:
    stop(process, number)
    end = f"stopped by {signal.Signals(number).name} before the next step; nothing was lost"
    assert process.said.splitlines()[-1] == end
    assert "first step" not in process.said
    assert not (process.run / LAST).exists()


@pytest.mark.parametrize(("moment", "number"), pairs("reading and importing", "compiling"))
def test_a_run_is_left_while_it_starts(endless_config: Path, tmp_path: Path, moment: str, number: int) -> None:
    with started(endless_config, tmp_path / "run", LSTM_CLI_CACHE=str(tmp_path / "cache")) as process:
        if moment == "compiling":
            process.wait_for(lambda: "starting: " in process.said)
            time.sleep(1)
        else:
            process.wait_for((process.run / LOCK).exists)
            time.sleep(0.2)
        stop_before_the_first_step(process, number)


NEVER_DONE = {
    "importing": {"pytensor.py": f"{STUCK}stuck()"},
    "compiling": {"sitecustomize.py": f"{STUCK}import numba\nnumba.core.dispatcher.Dispatcher.compile = stuck"},
}


@pytest.mark.parametrize(("work", "number"), pairs(*NEVER_DONE, numbers=(*ASKED, signal.SIGUSR1)))
def test_a_run_is_left_within_work_that_never_ends(
    endless_config: Path, tmp_path: Path, work: str, number: int
) -> None:
    for name, content in NEVER_DONE[work].items():
        (tmp_path / name).write_text(content)
    modules = f"{tmp_path}{os.pathsep}{ROOT}"
    with started(
        endless_config, tmp_path / "run", PYTHONPATH=modules, LSTM_CLI_CACHE=str(tmp_path / "cache")
    ) as process:
        process.wait_for(lambda: "stuck" in process.said)
        stop_before_the_first_step(process, number)


def test_the_second_of_two_runs_in_a_folder_ends_before_what_takes_long(endless_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with RunFolder.create(run), started(endless_config, run, "--resume", PYTHONPROFILEIMPORTTIME="1") as process:
        assert process.end() == 75
    *imports, message = process.said.splitlines()
    assert re.fullmatch(rf"{run}: in use by process {os.getpid()} on .+: wait for it, stop it, or choose .+", message)
    imported = {line.split("|")[-1].strip().partition(".")[0] for line in imports}
    assert "lstm_cli" in imported and not imported & {"numba", "pytensor"}


def test_a_file_that_may_not_grow_is_one_line(endless_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["sh", "-c", 'ulimit -f 8 && exec "$@"', "sh", *COMMAND, str(endless_config), "-q", "-o", str(run)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 74
    said = (
        rf"{run}/[\w./]+: cannot be written: File too large \([\d,]+ bytes needed, [\d,]+ free\): free some space.+\n"
    )
    assert re.fullmatch(said, done.stderr)


def test_a_run_that_diverges_is_one_line(endless_config: Path, tmp_path: Path) -> None:
    options = ["optimizer={name: sgd, learning_rate: 1e30, clip_norm: null}", "train.checkpoint_every=1 steps", "-q"]
    with started(endless_config, tmp_path / "run", *options) as process:
        assert process.end() == 70
    step = load(tmp_path / "run" / LAST).position["step"]
    (message,) = process.said.splitlines()
    assert re.match(rf"step {step + 1}, epoch \d+: .+ on sequences s\d+, s\d+, s\d+: this update is discarded", message)
    assert message.endswith(f"Last good state: {tmp_path}/run/last, step {step}")


@pytest.mark.slow
def test_a_run_continues_when_its_output_is_closed(endless_config: Path, tmp_path: Path) -> None:
    """As in `lstm-train … 2>&1 | head`."""
    command = [*COMMAND, str(endless_config), "train.epochs=3", "-o", str(tmp_path / "run")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stderr.close()
    assert process.wait(timeout=100) == 0
    assert load(tmp_path / "run" / LAST).position["epoch"] == 3
    assert "finished: 3 epochs" in (tmp_path / "run" / "train.log").read_text()
