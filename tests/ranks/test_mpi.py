"""``mpiexec -n N lstm-train``: real ranks of MPI on this machine, and on two hosts that are network namespaces.

Each is started with a limit after which all of its processes are killed, so that no deadlock outlasts a test.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from tests.support.data import read_jsonl
from tests.support.runs import small, write_data

pytestmark = pytest.mark.slow
pytest.importorskip("mpi4py", reason="needs mpi4py: pip install '.[mpi]'")
MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent))
if MPIEXEC is None:
    pytest.skip("needs mpiexec: pip install '.[mpi]'", allow_module_level=True)

PROGRAM = "from lstm_cli.cli.start import train; train()"
TRAIN = [sys.executable, "-P", "-c", PROGRAM]
LIMIT = 150
LONG = [
    "train.epochs=4000", "train.checkpoint_every=20 steps", "train.evaluate_every=1000 epochs", "train.patience=null",
]  # fmt: skip


def command(ranks, *given, launch=()):
    return [MPIEXEC, *launch, "-n", str(ranks), *TRAIN, *map(str, given)]


def started(folder, ranks, *given, launch=()):
    return subprocess.Popen(
        command(ranks, *given, launch=launch), cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip


def ended(process, limit=LIMIT):
    """Exit code and what was printed, of a process that ends by itself."""
    try:
        printed = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    return process.returncode, "".join(filter(None, printed))


def ranks_of(process):
    """The processes of all ranks, in their order."""
    children = psutil.Process(process.pid).children(recursive=True)
    found = [child for child in children if PROGRAM in child.cmdline()]
    return sorted(found, key=lambda child: int(child.environ()["PMI_RANK"]))


def kill(process):
    for child in [*psutil.Process(process.pid).children(recursive=True), process]:
        child.kill()
    process.communicate()


def train(folder, ranks, *given, launch=()):
    code, errors = ended(started(folder, ranks, *given, launch=launch))
    assert code == 0, errors
    return errors


def alone(folder, *given):
    result = subprocess.run([*TRAIN, *given], cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert result.returncode == 0, result.stderr


def state(run, name="last"):
    return load_file(run / name / "model.safetensors") | load_file(run / name / "state.safetensors")


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one.keys() | other.keys())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("mpi"), sequences=40)
    (folder / "small.yaml").write_text(json.dumps(small(model={"dropout": 0.0}, train={"epochs": 10, "batch_size": 5})))
    (folder / "drops.yaml").write_text(json.dumps(small(model={"dropout": 0.3}, train={"epochs": 4, "batch_size": 5})))
    return folder


@pytest.mark.parametrize("ranks", [2, 3])
def test_equals_one_process_over_fifty_steps(data, ranks):
    alone(data, "small.yaml", "-o", f"one-{ranks}", "-q")
    train(data, ranks, "small.yaml", "-o", f"all-{ranks}", "-q")
    one, found = state(data / f"one-{ranks}"), state(data / f"all-{ranks}")
    assert json.loads((data / f"all-{ranks}" / "last" / "state.json").read_text())["step"] >= 50
    for name, values in one.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-6)
    scores = [read_jsonl(data / f"{run}-{ranks}" / "metrics.jsonl") for run in ("one", "all")]
    for own, expected in zip(scores[1], scores[0], strict=True):
        assert own["loss"] == pytest.approx(expected["loss"], abs=1e-5)
        assert own["accuracy"] == expected["accuracy"]


def test_repeats_bit_for_bit_and_resumes(data):
    train(data, 2, "drops.yaml", "-o", "whole", "-q")
    train(data, 2, "drops.yaml", "-o", "again", "-q")
    assert same(state(data / "whole"), state(data / "again"))
    shared = ["optimizer.learning_rate=0.001", "train.schedule=constant", *LONG[1:]]
    process = started(data, 2, "drops.yaml", "-o", "cut", LONG[0], *shared)
    stop_after(process, data / "cut")
    code, errors = ended(process)
    assert code == 143, errors
    step = json.loads((data / "cut" / "last" / "state.json").read_text())["step"]
    assert f"stopped by SIGTERM after step {step}; continue with --resume" in errors
    assert "Abort" not in errors
    epochs = f"train.epochs={-(-step // 6) + 3}"
    train(data, 2, "drops.yaml", "-o", "cut", "--resume", epochs, *shared, "-q")
    train(data, 2, "drops.yaml", "-o", "uncut", epochs, *shared, "-q")
    assert same(state(data / "cut"), state(data / "uncut"))


def stop_after(process, run):
    wait(process, run / "last")
    process.send_signal(signal.SIGTERM)


def wait(process, path, limit=LIMIT):
    end = time.monotonic() + limit
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.05)


def test_resumes_on_another_number_of_ranks(data):
    train(data, 2, "small.yaml", "-o", "other", "train.epochs=2", "-q")
    errors = train(data, 3, "small.yaml", "-o", "other", "--resume", "train.epochs=4")
    assert "ranks 2 -> 3" in errors
    alone(data, "small.yaml", "-o", "other", "--resume", "train.epochs=5")
    assert json.loads((data / "other" / "last" / "state.json").read_text())["epoch"] == 5


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_ends_all_and_the_state_is_whole(data, rank):
    run = data / f"killed-{rank}"
    process = started(data, 2, "small.yaml", "-o", run.name, *LONG)
    wait(process, run / "last")
    ranks_of(process)[rank].kill()
    code, errors = ended(process, limit=30)
    assert code == 9
    assert "KILLED BY SIGNAL: 9" in errors or "Killed (signal 9)" in errors
    step = json.loads((run / "last" / "state.json").read_text())["step"]
    train(data, 2, "small.yaml", "-o", run.name, "--resume", f"train.epochs={step // 6 + 3}", *LONG[1:], "-q")


def test_one_message_where_every_rank_fails(data):
    code, errors = ended(started(data, 3, "small.yaml", "data.train=missing.jsonl"))
    assert code == 65
    assert errors.count("missing.jsonl") == 1
    assert "Abort" not in errors and "Traceback" not in errors
    code, errors = ended(started(data, 2, "nothing.yaml"))
    assert code == 2
    assert errors.count("nothing.yaml") == 1


def in_two_folders(here, there, run):
    """Exit code and output of two ranks of one training, each of which reads its own folder."""
    each = [["-n", "1", "-wdir", str(folder), *TRAIN, "small.yaml", "-o", str(run)] for folder in (here, there)]
    process = subprocess.Popen(
        [MPIEXEC, *each[0], ":", *each[1]], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    return ended(process)


def test_a_machine_with_other_data_is_named(data, tmp_path):
    other = write_data(tmp_path, sequences=41)
    shutil.copy(data / "small.yaml", other)
    code, errors = in_two_folders(data, other, tmp_path / "run")
    assert code == 65
    assert "rank 1 on " in errors and "is not what rank 0 has read" in errors


def test_an_error_on_one_rank_ends_all(data, tmp_path):
    """One of the two finds no data where it runs."""
    shutil.copy(data / "small.yaml", tmp_path)
    code, errors = in_two_folders(data, tmp_path, tmp_path / "run")
    assert code == 65
    assert errors.count("gestures.jsonl") == 1
    assert "rank 1 on " in errors


ONE_FAILS = """
from lstm_cli.cli.common import reported
from lstm_cli.errors import Interrupted
from lstm_cli.ranks.joining import joined

with reported(0), joined().agreed():
    if joined().rank == 1:
        raise Interrupted("stopped by SIGTERM before the next step", 15)
"""


def test_a_signal_to_one_rank_while_all_start_ends_all():
    process = subprocess.Popen(
        [MPIEXEC, "-n", "3", sys.executable, "-c", ONE_FAILS], stderr=subprocess.STDOUT, stdout=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    code, errors = ended(process, limit=60)
    assert code == 143
    assert errors.count("stopped by SIGTERM before the next step") == 1
    assert errors.startswith("rank 1 on ")


def test_too_few_packages(data):
    code, errors = ended(started(data, 2, "small.yaml", launch=("-genv", "MPI4PY_LIBMPI", "/nowhere/libmpi.so")))
    assert code == 2
    assert "pip install 'lstm-cli[mpi]'" in errors


@pytest.fixture
def hosts(tmp_path):
    """Two network namespaces with a cable between them, and a launcher that starts processes in them."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("needs root and the command ip")
    made = ["ip netns add lstm-a", "ip netns add lstm-b", "ip link add lstm-va type veth peer name lstm-vb",
            "ip link set lstm-va netns lstm-a", "ip link set lstm-vb netns lstm-b",
            *(f"ip -n lstm-{x} {what}" for x, n in (("a", 1), ("b", 2)) for what in (
                f"addr add 10.213.7.{n}/24 dev lstm-v{x}", f"link set lstm-v{x} up", "link set lo up"))]  # fmt: skip
    try:
        for line in made:
            result = subprocess.run(line.split(), capture_output=True, text=True, check=False)
            if result.returncode:
                pytest.skip(f"no network namespaces here: {line}: {result.stderr.strip()}")
        launcher = tmp_path / "launch"
        launcher.write_text(
            '#!/bin/bash\nwhile [ "${1#-}" != "$1" ]; do shift; done\ncase "$1" in *.1) n=a;; *) n=b;; esac\n'
            'shift; exec ip netns exec "lstm-$n" bash -c "$*"\n'
        )
        launcher.chmod(0o755)
        yield launcher
    finally:
        for name in ("lstm-a", "lstm-b"):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def test_two_hosts(data, hosts):
    launch = ["-launcher", "ssh", "-launcher-exec", str(hosts), "-hosts", "10.213.7.1,10.213.7.2", "-ppn", "1",
              "-localhost", "10.213.7.1"]  # fmt: skip
    whole = ["ip", "netns", "exec", "lstm-a", *command(2, "small.yaml", "-o", "hosts", "-q", launch=launch)]
    process = subprocess.Popen(
        whole, cwd=data, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    code, errors = ended(process)
    assert code == 0, errors
    train(data, 2, "small.yaml", "-o", "host", "-q")
    one, two = state(data / "host"), state(data / "hosts")
    assert all(np.abs(one[name] - two[name]).max() <= 1e-6 for name in one)
