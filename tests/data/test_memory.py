"""The free memory by every limit: of the system, of the process, and of control groups of both versions."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lstm_cli.data import memory
from tests.support.paths import ROOT

V1 = "9:name=systemd:/\n4:memory,hugetlb:{path}\n1:cpu:/\n0::/\n"
V2 = "0::{path}\n"
NO_LIMIT = 9223372036854771712
# What the process says of its groups, the files in the tree of groups, and what is free.
TREES: dict[str, tuple[str, dict[str, object], list[int]]] = {
    "v2": (V2.format(path="/job"), {"job/memory.max": 1000, "job/memory.current": 300}, [700]),
    "v2 in a namespace": (V2.format(path="/"), {"memory.max": 1000, "memory.current": 300}, [700]),
    "v2 of a container whose groups above are not mounted": (
        V2.format(path="/docker/0123"), {"memory.max": 1000, "memory.current": 300}, [700],
    ),
    "v2 from outside a namespace": (V2.format(path="/../job"), {"memory.max": 1000, "memory.current": 300}, [700]),
    "v2, a limit above": (
        V2.format(path="/user/job"),
        {"user/job/memory.max": "max", "user/job/memory.current": 10, "user/memory.max": 90, "user/memory.current": 20},
        [70],
    ),
    "v2, both": (
        V2.format(path="/user/job"),
        {"user/job/memory.max": 50, "user/job/memory.current": 10, "user/memory.max": 90, "user/memory.current": 95},
        [40, 0],
    ),
    "v2, slowed down before": (
        V2.format(path="/job"), {"job/memory.max": "max", "job/memory.high": 500, "job/memory.current": 300}, [200],
    ),
    "v2, the cache of files": (
        V2.format(path="/job"),
        {
            "job/memory.max": 1000,
            "job/memory.current": 900,
            "job/memory.stat": "anon 100\nfile 800\ninactive_file 500\nactive_file 200\n",
        },
        [800],
    ),
    "v1": (
        V1.format(path="/job"),
        {"memory/job/memory.limit_in_bytes": 1000, "memory/job/memory.usage_in_bytes": 300},
        [700],
    ),
    "v1 in a namespace": (
        V1.format(path="/"), {"memory/memory.limit_in_bytes": 1000, "memory/memory.usage_in_bytes": 300}, [700],
    ),
    "v1 of a container whose groups above are not mounted": (
        V1.format(path="/docker/0123"),
        {"memory/memory.limit_in_bytes": 1000, "memory/memory.usage_in_bytes": 300},
        [700],
    ),
    "v1, a limit above": (
        V1.format(path="/user/job"),
        {
            "memory/user/job/memory.limit_in_bytes": NO_LIMIT,
            "memory/user/job/memory.usage_in_bytes": 10,
            "memory/user/memory.limit_in_bytes": 90,
            "memory/user/memory.usage_in_bytes": 20,
        },
        [70],
    ),
    "v1, the cache of files": (
        V1.format(path="/job"),
        {
            "memory/job/memory.limit_in_bytes": 1000,
            "memory/job/memory.usage_in_bytes": 900,
            "memory/job/memory.stat": "cache 1\ninactive_file 3\ntotal_inactive_file 500\ntotal_active_file 200\n",
        },
        [800],
    ),
    "no limit": (
        V1.format(path="/job"),
        {"memory/job/memory.limit_in_bytes": NO_LIMIT, "memory/job/memory.usage_in_bytes": 300},
        [],
    ),
    "no groups for memory": ("1:cpu:/job\n", {"memory/job/memory.limit_in_bytes": 1000}, []),
    "not what is expected": (
        "?\n::\n" + V2.format(path="/job"),
        {"job/memory.max": "?", "job/memory.high": 5, "job/memory.current": "?"},
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TREES)
def test_every_control_group_with_a_limit_counts(tmp_path: Path, name: str) -> None:
    said, files, free = TREES[name]
    (tmp_path / "self").write_text(said)
    for place, content in files.items():
        path = tmp_path / "groups" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(content))
    assert list(memory.group_limits(tmp_path / "groups", tmp_path / "self")) == free


def test_a_system_without_control_groups_has_no_limit_of_them(tmp_path: Path) -> None:
    assert list(memory.group_limits(tmp_path, tmp_path / "missing")) == []


def answers(script: str) -> list[str]:
    """Run a script in a process that cannot open anything below /proc and /sys, and return what it prints."""
    closed = """
        import sys
        def refuse(event, args):
            if event == "open" and str(args[0]).startswith(("/proc", "/sys")):
                raise FileNotFoundError(args[0])
        sys.addaudithook(refuse)
    """
    script = textwrap.dedent(closed) + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_macos_is_asked_through_psutil() -> None:
    """There the address space is far larger than what is in use, and its limit is not applied."""
    script = """
        import resource, types
        from lstm_cli.data import memory as module
        from lstm_cli.errors import DataError
        sys.platform = "darwin"
        memory = types.SimpleNamespace(rss=70_000_000, vms=400_000_000_000)
        process = types.SimpleNamespace(memory_info=lambda: memory)
        sys.modules["psutil"] = types.SimpleNamespace(
            virtual_memory=lambda: types.SimpleNamespace(available=5_000_000_000), Process=lambda: process
        )
        resource.getrlimit = lambda kind: (8_000_000_000, 8_000_000_000)
        print(module.available(), module.resident())
        module.Watch().check("a.csv", more=4_000_000_000)
        try:
            module.Watch().check("a.csv", more=6_000_000_000)
        except DataError as error:
            print(error)
    """
    assert answers(script) == [
        "5000000000 70000000",
        "a.csv: reading this takes 6 GB of memory, but only 5 GB are free: give fewer or shorter sequences, or use a "
        "machine with more memory",
    ]


@pytest.mark.parametrize("installed", [True, False])
def test_what_cannot_be_known_stops_nothing(installed: bool) -> None:
    """As where /proc is hidden; without psutil too, which a broken installation may lack."""
    script = f"""
        if not {installed}:
            sys.modules["psutil"] = None
        from lstm_cli.data import memory
        print(memory.available(), memory.resident())
        memory.Watch().check("a.csv", more=10**15)
    """
    assert answers(script) == ["None None"]


LIMIT = 400 << 20


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of its own, below that of this process, with a limit on memory."""
    path = Path("/sys/fs/cgroup/memory")
    version, limit = ("memory", "memory.limit_in_bytes") if path.is_dir() else ("", "memory.max")
    try:
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        (own,) = (line[2] for line in lines if version in line[1].split(","))
        group = Path("/sys/fs/cgroup", version) / own.strip("/") / f"lstm-cli-test-{os.getpid()}"
        group.mkdir()
    except (OSError, ValueError) as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        try:
            (group / limit).write_text(str(LIMIT))
            subprocess.run(["sh", "-c", f"echo $$ > {group}/cgroup.procs"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no control group here can have a limit: {error}")
        yield group
    finally:
        with suppress(OSError):
            group.rmdir()


def test_a_real_control_group_is_the_limit(group: Path, tmp_path: Path) -> None:
    """A file that does not fit is refused in words, where the system would kill the process without any."""
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(LIMIT)
    (tmp_path / "c.yaml").write_text("data: {train: a.json, inputs: [x], target: y}\n")
    script = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    command = [
        sys.executable,
        "-c",
        "from lstm_cli.cli.start import train; train()",
        str(tmp_path / "c.yaml"),
        "--check",
    ]
    done = subprocess.run(["sh", "-c", script, "sh", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 65, done.stderr
    assert "a.json: reading this takes 419 MB of memory, but only " in done.stderr
    assert "are free: give fewer or shorter sequences" in done.stderr
