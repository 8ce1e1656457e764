"""What ranks predict together is what one process predicts, byte for byte, in every kind of file."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import psutil
import pytest
from click.testing import CliRunner

import lstm_cli
from lstm_cli.cli.predict import predict as predict_command
from lstm_cli.cli.ranks import check_alone
from lstm_cli.config import config_from_mapping
from lstm_cli.data.batching import whole
from lstm_cli.predict import predict_run, trajectories
from lstm_cli.predict.cut import packed, unpacked
from lstm_cli.predict.hidden_files import hidden_run
from lstm_cli.ranks import World
from tests.support.config import merged
from tests.support.data import write_jsonl
from tests.support.kinds import KINDS, MODEL, TRAIN, data_of
from tests.support.ranks import on_ranks
from tests.support.runs import SERIES, small, write_data
from tests.support.worlds import CLOSED, write_world

QUICK = ("classifier", "tagger")
FEW = ("passengers", "pendulum", "plays", "words")  # too few sequences for three ranks
LIMIT = 60
ENTRY = "import sys; from lstm_cli.cli import start; getattr(start, sys.argv.pop(1))()"


@pytest.fixture
def small_batches(monkeypatch):
    """So small that a few short sequences fill many batches, and are run piece by piece."""
    monkeypatch.setattr(whole, "BATCH_STEPS", 12)
    monkeypatch.setattr(whole, "PIECE_STEPS", 4)
    monkeypatch.setattr(trajectories, "BATCH_STEPS", 12)
    monkeypatch.setattr(whole, "SEQUENCES_HELD", 11)


def same_files(folder, ranks, work, few=False):
    """Let one process and several ranks write into folders, and compare what is there."""
    (folder / "one").mkdir()
    (folder / "all").mkdir()
    expected = work(folder / "one", None)
    found = on_ranks(ranks, lambda world: (work(folder / "all", world), world.found))
    assert few or all(given for _, given in found[1:])  # each has computed some
    written = sorted(path.name for path in (folder / "one").iterdir())
    assert written == sorted(path.name for path in (folder / "all").iterdir())
    assert written
    for name in written:
        assert (folder / "all" / name).read_bytes() == (folder / "one" / name).read_bytes()
    return expected, [result for result, _ in found]


def trained(folder, config):
    lstm_cli.train(config_from_mapping({"threads": 1, **config}, folder), run=folder / "run", verbosity=-1)
    return folder / "run"


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in KINDS]
)
def test_every_kind(kind, tmp_path, small_batches):
    config = merged({"model": MODEL, "train": TRAIN}, KINDS[kind](tmp_path, np.random.default_rng(5)))
    run = trained(tmp_path, config)
    data = data_of(tmp_path)

    def work(folder, world):
        for out in ("found.jsonl", "found.csv"):
            predict_run(run, data, out=folder / out, keep=["all"], world=world)
        return predict_run(run, data, evaluate=True, world=world)

    expected, found = same_files(tmp_path, 3, work, few=kind in FEW)
    assert expected == pytest.approx(found[0], rel=1e-5, nan_ok=True)
    assert found[0] == found[1] == found[2]


def test_forecasts_and_states(tmp_path, small_batches):
    write_data(tmp_path)
    run = trained(tmp_path, small(data=SERIES, train={"epochs": 1}))
    rows = [{"id": f"s{n}", "a": np.sin(np.arange(5 + 3 * n % 17)).tolist()} for n in range(25)]
    write_jsonl(tmp_path / "more.jsonl", rows)

    def work(folder, world):
        more = tmp_path / "more.jsonl"
        predict_run(run, more, out=folder / "ahead.csv", steps=3, state_out=folder / "s.npz", world=world)
        (world or World()).gathered(b"")  # states are read once rank 0 has written them
        predict_run(run, more, out=folder / "on.jsonl", state_in=folder / "s.npz", world=world)
        hidden_run(run, more, out=folder / "hidden.npz", world=world)

    same_files(tmp_path, 2, work)


@pytest.mark.slow
def test_trajectories(tmp_path, small_batches):
    run = trained(write_world(tmp_path), CLOSED)

    def work(folder, world):
        predict_run(run, tmp_path / "drives.jsonl", out=folder / "found.jsonl", steps=9, trust=True, world=world)

    same_files(tmp_path, 3, work)


def test_arrays_come_back_as_they_were():
    found = {4: (np.arange(6.0).reshape(3, 2), np.ones(2, np.float32)), 7: (np.zeros((0, 2)), np.zeros(2, np.float32))}
    back = unpacked(packed(found))
    assert back.keys() == found.keys()
    for one, other in zip(found.values(), back.values(), strict=True):
        for array, again in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, again, strict=True)
    assert unpacked(packed({})) == {}


def test_refused_without_work(monkeypatch):
    check_alone("--check")
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "3")
    check_alone("--check", given=False)
    for option in (["x.jsonl", "--follow"], ["--generate", "3"]):
        result = CliRunner().invoke(predict_command, ["run", *option])
        assert result.exit_code == 2
        assert "cannot be shared by 3 ranks of MPI: start it without mpiexec" in result.output
    with pytest.raises(click.UsageError, match="--check: cannot be shared by 3 ranks of MPI"):
        check_alone("--check")


@pytest.fixture(scope="module")
def mpi(tmp_path_factory):
    """A folder with a run and data that fill several batches, and the mpiexec of this Python."""
    pytest.importorskip("mpi4py", reason="needs mpi4py: pip install '.[mpi]'")
    if (mpiexec := shutil.which("mpiexec", path=str(Path(sys.executable).parent))) is None:
        pytest.skip("needs mpiexec: pip install '.[mpi]'")
    folder, draw = tmp_path_factory.mktemp("mpi"), np.random.default_rng(2)
    write_data(folder)
    trained(folder, small(train={"epochs": 1}))
    rows = [{"id": f"s{n}", "x": draw.normal(size=(400 + n, 2)).round(2).tolist(), "y": "up"} for n in range(80)]
    write_jsonl(folder / "long.jsonl", rows)
    return folder, mpiexec


def start(mpi, ranks, *given, command="predict"):
    folder, mpiexec = mpi
    launch = [mpiexec, "-n", str(ranks)] if ranks else []
    return subprocess.Popen(
        [*launch, sys.executable, "-P", "-c", ENTRY, command, *given], cwd=folder, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def end(process):
    """Exit code, output and messages; after the limit all processes are killed."""
    try:
        out, errors = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, errors


def predict(mpi, ranks, *given):
    code, out, errors = end(start(mpi, ranks, "run", "long.jsonl", *given))
    assert (code, errors) == (0, "")
    return out


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_bytes_are_those_of_one_process(mpi, ranks):
    folder, _ = mpi
    kinds = {
        2: ((["--probabilities", "--keep", "x"], "p.csv"), (["--hidden"], "h.npz")),
        3: ((["--state-out", "s.npz"], "q.jsonl"),),
    }
    for given, name in kinds[ranks]:
        found = []
        for count in (0, ranks):
            predict(mpi, count, *given, "-o", name)
            states = (folder / "s.npz").read_bytes() if "--state-out" in given else b""
            found.append((folder / name).read_bytes() + states)
        assert found[0] == found[1]
    if ranks == 2:
        assert predict(mpi, ranks) == predict(mpi, 0)
    scores = [json.loads(predict(mpi, count, "--evaluate")) for count in (0, ranks)]
    assert scores[1] == pytest.approx(scores[0], rel=1e-5)


@pytest.mark.slow
def test_one_message_and_no_file_after_an_error(mpi):
    folder, _ = mpi
    (folder / "bad.jsonl").write_text((folder / "long.jsonl").read_text() + '{"x": [["a", 1]]}\n')
    for given, code, words in (
        (["run", "bad.jsonl", "-o", "bad.csv"], 65, "bad.jsonl:81"),
        (["run", "bad.jsonl", "--evaluate"], 65, "bad.jsonl:81"),
        (["run", "long.jsonl", "-o", "no/where.csv"], 74, "where.csv"),
        (["run", "long.jsonl", "--keep", "other"], 2, "--keep other"),
        (["run", "missing.jsonl"], 65, "missing.jsonl"),
        (["run", "-"], 2, "standard input: cannot be shared"),
        (["--nonsense"], 2, "--nonsense"),
    ):
        found, _, errors = end(start(mpi, 2, *given))
        assert (found, errors.count(words)) == (code, 1), errors
        assert "Traceback" not in errors and "BAD TERMINATION" not in errors
    assert not (folder / "bad.csv").exists()


@pytest.mark.slow
def test_other_commands_run_as_one_process(mpi):
    for command, given in (("main", ["show", "run"]), ("train", ["x.yaml", "--check"]),
                           ("train", ["x.yaml", "--seeds", "2"]), ("train", ["x.yaml", "--folds", "2"])):  # fmt: skip
        code, out, errors = end(start(mpi, 2, *given, command=command))
        assert (code, out, errors.count("cannot be shared by 2 ranks of MPI")) == (2, "", 1), errors
    assert end(start(mpi, 2, "--version", command="main"))[1].count("lstm-cli") == 1


def is_running(pid, session):
    try:
        return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


@pytest.mark.slow
def test_a_reader_that_has_enough_and_a_rank_that_reads_other_data(mpi):
    folder, mpiexec = mpi
    process = start(mpi, 2, "run", "long.jsonl")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(LIMIT) in (0, -signal.SIGPIPE)  # mpiexec itself writes to the pipe too
    process.stderr.close()
    left = time.monotonic() + LIMIT
    while any(is_running(pid, process.pid) for pid in psutil.pids()):
        assert time.monotonic() < left
        time.sleep(0.05)
    shutil.copy(folder / "gestures.jsonl", folder / "short.jsonl")
    one = [sys.executable, "-P", "-c", ENTRY, "predict", "run"]
    process = subprocess.Popen(
        [mpiexec, "-n", "1", *one, "long.jsonl", "-o", "x.csv", ":", "-n", "1", *one, "short.jsonl", "-o", "x.csv"],
        cwd=folder, text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    code, _, errors = end(process)
    assert code == 65 and "rank 1 has read other data than rank 0" in errors
    assert not (folder / "x.csv").exists()
