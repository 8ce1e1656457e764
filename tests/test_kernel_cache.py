"""Real processes on kernels that are damaged, on disks of all kinds and at the same time: the weights are the same."""

import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from copy import copy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lstm_cli.kernels.runtime.compilation import kernel_folder
from tests.support.crash import needs, why_no_mount
from tests.support.paths import ROOT
from tests.support.runs import small, write_data

FOLDER = kernel_folder()
TRAIN = [sys.executable, "-c", "from lstm_cli.cli.start import train; train()", "config.yaml", "-q", "-o"]
LIBRARY = [sys.executable, "-c", "import lstm_cli; lstm_cli.train('config.yaml', run='sound', verbosity=-1)"]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class Sound:
    """A folder with a config and data, the kernels that training needs, and the weights that it ends with."""

    def __init__(self, place: Path) -> None:
        self.place = write_data(place)
        (place / "config.yaml").write_text(json.dumps(small(threads=2, train={"epochs": 1})))
        (place / "tmp").mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DEBUG_CACHE": "1"}
        done = subprocess.run(LIBRARY, cwd=place, env=environment, capture_output=True, text=True, check=True)
        found = set(re.findall(r"\[cache\] data (?:loaded from|saved to) '.*/(.*)'", done.stdout))
        self.names = sorted(found, key=lambda name: (FOLDER / name).stat().st_size)
        self.weights = self.weights_of("sound")
        assert len(self.names) >= 8

    def weights_of(self, run: str) -> list[bytes]:
        """All arrays in the last state of a run."""
        files = sorted(self.place.joinpath(run, "last").glob("*.safetensors"))
        assert files
        return [path.read_bytes() for path in files]

    def copied(self, to: Path, *, missing: int = 0) -> Path:
        """Copy the kernels but for some of them into a cache; return their folder there."""
        (to / FOLDER.name).mkdir(parents=True)
        for name in self.names[missing:]:
            shutil.copy(FOLDER / name, to / FOLDER.name)
        return to / FOLDER.name

    def start(self, run: str, *, setup: str = "", prefix: Sequence[str] = (), **environment: str) -> subprocess.Popen:
        """Start a training with no other variables, after a shell script in a mount namespace of its own."""
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(self.place / "tmp"), **environment}
        command = [*prefix, *TRAIN, run]
        if setup:
            script = f'set -e\n{setup}\nexec "$@"'
            command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", *command]
        return subprocess.Popen(command, cwd=self.place, env=given, stderr=subprocess.PIPE, text=True)

    def check(self, process: subprocess.Popen, run: str) -> str:
        """Wait for a training, which succeeds and leaves nothing elsewhere; return what it said."""
        _, said = process.communicate()
        assert process.returncode == 0, said
        assert self.weights_of(run) == self.weights
        assert not list((self.place / "tmp").iterdir())
        return said

    def train(self, run: str, *, setup: str = "", prefix: Sequence[str] = (), **environment: str) -> str:
        """Train and check it; return what was said."""
        return self.check(self.start(run, setup=setup, prefix=prefix, **environment), run)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    return Sound(tmp_path_factory.mktemp("sound"))


def flip(path: Path, number: int) -> None:
    """Damage a file: one bit, or what else happens to files."""
    content = bytearray(path.read_bytes())
    if number % 4 == 1:
        content = content[: len(content) // 2]
    elif number % 4 == 2:
        content = bytearray()
    else:
        place = random.Random(number).randrange(len(content))
        content[place] ^= 1 << number % 8
    path.write_bytes(content)


def seen(folder: Path) -> dict[str, int]:
    """The files of a folder and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("count", [pytest.param(1, id="one"), pytest.param(99, id="every one")])
def test_damaged_kernels_are_compiled_anew(sound: Sound, tmp_path: Path, count: int) -> None:
    kernels = sound.copied(tmp_path)
    damaged = sound.names[:count]
    for number, name in enumerate(damaged):
        flip(kernels / name, number)
    before = seen(kernels)
    assert sound.train(f"damaged{count}", LSTM_CLI_CACHE=str(tmp_path)) == ""
    after = seen(kernels)
    assert sorted(name for name in after if after[name] != before.get(name)) == sorted(damaged)
    if count > 1:
        assert sound.train("mended", LSTM_CLI_CACHE=str(tmp_path)) == ""
        assert seen(kernels) == after


@pytest.mark.slow  # tests/kernels/test_cache_damage.py has it with one kernel
def test_processes_fill_one_cache_at_the_same_time(sound: Sound, tmp_path: Path) -> None:
    kernels = sound.copied(tmp_path, missing=2)
    runs = [f"together{number}" for number in range(2)]
    for run, process in [(run, sound.start(run, LSTM_CLI_CACHE=str(tmp_path))) for run in runs]:
        assert sound.check(process, run) == ""
    assert sorted(seen(kernels)) == sorted(sound.names)


def is_one_warning(said: str, folder: Path, cause: str) -> bool:
    expected = (
        rf"warning: {re.escape(str(folder))}: compiled code cannot be kept there \({cause}\): .*LSTM_CLI_CACHE.*\n"
    )
    return bool(re.fullmatch(expected, said))


@needs(why_no_mount())
def test_a_warm_cache_is_used_where_nothing_may_be_written_or_run(sound: Sound, tmp_path: Path) -> None:
    sound.copied(tmp_path)
    disk = shlex.quote(str(tmp_path))
    setup = f"mount --bind {disk} {disk}; mount -o remount,bind,ro,noexec {disk}"
    assert sound.train("read-only", setup=setup, LSTM_CLI_CACHE=str(tmp_path)) == ""


@needs(why_no_mount())
@pytest.mark.slow
def test_a_warm_cache_in_a_home_that_is_read_only(sound: Sound, tmp_path: Path) -> None:
    sound.copied(tmp_path / ".cache/lstm-cli")
    home = shlex.quote(str(tmp_path))
    setup = f"mount --bind {home} {home}; mount -o remount,bind,ro {home}"
    assert sound.train("home", setup=setup, HOME=str(tmp_path)) == ""


@pytest.mark.slow
@needs(why_no_mount())
def test_a_full_disk_costs_one_warning(sound: Sound, tmp_path: Path) -> None:
    kernels = sound.copied(tmp_path / "warm", missing=2)
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(path.stat().st_size for path in kernels.iterdir()) + (1 << 18)
    setup = f"mount -t tmpfs -o size={size} none {shlex.quote(str(disk))}\n"
    setup += f"cp -r {shlex.quote(str(kernels))} {shlex.quote(str(disk))}\n"
    setup += f"head -c {size} /dev/zero > {shlex.quote(str(disk / 'rest'))} 2>/dev/null || true"
    said = sound.train("full", setup=setup, LSTM_CLI_CACHE=str(disk))
    assert is_one_warning(said, disk / FOLDER.name, "No space left on device")


@pytest.mark.slow
@needs(why_no_mount())
def test_only_the_run_folder_can_be_written(sound: Sound, tmp_path: Path) -> None:
    kernels = sound.copied(tmp_path, missing=2)
    place = shlex.quote(str(sound.place / "elsewhere"))
    (sound.place / "elsewhere").mkdir()
    setup = f"mount --bind {place} {place}\n"
    setup += "while read -r _ at _; do case $at in /proc*|/sys*|/dev*|*/elsewhere) ;; "
    setup += "*) mount -o remount,bind,ro $at 2>/dev/null || true ;; esac; done < /proc/self/mounts\n"
    setup += f"if touch {shlex.quote(str(tmp_path / 'probe'))} 2>/dev/null; then echo it can be written >&2; exit 9; fi"
    nowhere = {"LSTM_CLI_CACHE": str(tmp_path), "HOME": "/nowhere", "TMPDIR": "/nowhere"}
    said = sound.train("elsewhere/run", setup=setup, **nowhere)
    assert is_one_warning(said, kernels, "Read-only file system")
    assert [path.name for path in (sound.place / "elsewhere").iterdir()] == ["run"]


@cache
def why_no_other_user() -> str:
    """Why no command can be run as a user who may not write to our folders; empty if one can."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return "only root can run a command as another user, with setpriv"
    command = [*NOBODY, sys.executable, "-c", "import lstm_cli.api"]
    probe = subprocess.run(command, cwd="/", env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    return f"another user cannot read this installation: {probe.stderr[-200:]}" if probe.returncode else ""


@needs(why_no_other_user())
@pytest.mark.slow
@pytest.mark.parametrize("missing", [0, 2])
def test_a_cache_of_another_user(sound: Sound, missing: int) -> None:
    with TemporaryDirectory(dir="/tmp") as shared:  # where this user can come, as into no folder of pytest's
        Path(shared).chmod(0o755)
        kernels, place = sound.copied(Path(shared) / "cache", missing=missing), Path(shared) / "place"
        theirs = copy(sound)
        theirs.place = shutil.copytree(sound.place, place, ignore=shutil.ignore_patterns("sound", "run*"))
        for path in (place, place / "tmp"):
            os.chown(path, 65534, 65534)
        said = theirs.train("run", prefix=NOBODY, LSTM_CLI_CACHE=str(kernels.parent), HOME="/nowhere")
        assert said == "" if not missing else is_one_warning(said, kernels, "Permission denied")
