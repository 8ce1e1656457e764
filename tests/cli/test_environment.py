"""Real commands started in odd places: nothing set there changes a result, and what they lack is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_cli.kernels.runtime.compilation import kernel_folder
from tests.support.crash import needs, why_no_mount
from tests.support.paths import ROOT
from tests.support.process import write_endless_config

ODD = {
    "NUMBA_": {
        "NUM_THREADS": "0", "THREADING_LAYER": "nonsense", "THREADING_LAYER_PRIORITY": "a b", "OPT": "0",
        "DISABLE_JIT": "1", "DEBUG_CACHE": "1", "DUMP_ASSEMBLY": "1", "CACHE_DIR": "/proc/nowhere", "BOUNDSCHECK": "1",
        "CPU_NAME": "nonsense", "CPU_FEATURES": "", "CAPTURED_ERRORS": "x", "LOOP_VECTORIZE": "0",
        "CACHE_LOCATOR_CLASSES": "None", "ENABLE_CUDASIM": "1", "CHROME_TRACE": "/proc/nowhere",
    },
    "OMP_": {
        "NUM_THREADS": "garbage", "THREAD_LIMIT": "1", "DYNAMIC": "true", "STACKSIZE": "100G", "SCHEDULE": "dynamic,1",
        "PLACES": "{9999}", "PROC_BIND": "x", "WAIT_POLICY": "x", "DISPLAY_ENV": "verbose", "MAX_ACTIVE_LEVELS": "0",
    },
    "": {
        "GOMP_SPINCOUNT": "bad", "GOMP_CPU_AFFINITY": "9999", "MKL_NUM_THREADS": "x", "OPENBLAS_NUM_THREADS": "0",
        "OPENBLAS_CORETYPE": "Prescott", "NPY_ENABLE_CPU_FEATURES": "AVX512F", "NPY_DISABLE_CPU_FEATURES": "AVX2",
        "NUMPY_MADVISE_HUGEPAGE": "x", "THEANO_FLAGS": "floatX=float16", "TQDM_NCOLS": "bad",
        "PYTENSOR_FLAGS": "floatX=float16,mode=Nonsense,linker=bad,foo=bar,warn_float64=raise,'", "PYTENSORRC": "/proc",
    },
}  # fmt: skip
SETTINGS = {prefix + name: value for prefix, names in ODD.items() for name, value in names.items()}
PYTHON = {
    "PYTHONWARNINGS": "error", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii", "PYTHONHASHSEED": "7", "COLUMNS": "x", "TZ": ":/etc/passwd",
    "MALLOC_PERTURB_": "165", "TERM": "dumb",
}  # fmt: skip
FILES = {
    ".pytensorrc": "[global]\nfloatX = float16\nlinker = cvm\n",
    ".numba_config.yaml": "num_threads: 1\ndisable_jit: 1\nopt: 0\nthreading_layer: tbb\n",
}


def command(name: str, *args: str | bytes | Path, cwd: Path, before: str = "", **environment: str) -> list[object]:
    """Run a command after a line of shell; return its exit code, standard output and standard error."""
    code = f"from lstm_cli.cli.start import {name}; {name}()"
    given = {key: value for key, value in os.environ.items() if key not in SETTINGS}
    done = subprocess.run(
        ["bash", "-c", f'{before}\nexec "$@"', "bash", sys.executable, "-c", code, *args],
        cwd=cwd,
        env={**given, "PYTHONPATH": str(ROOT), "LSTM_CLI_CACHE": str(kernel_folder().parent), **environment},
        capture_output=True,
        text=True,
        errors="backslashreplace",
    )
    return [done.returncode, done.stdout, done.stderr]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a config, and a run of it that nothing odd was near, with its predictions."""
    folder = tmp_path_factory.mktemp("plain")
    write_endless_config(folder)
    assert train(folder, "plain") == [0, "", ""]
    assert predict(folder, "plain") == [0, "", ""]
    return folder


def train(folder: Path, run: str, *options: str, **environment: str) -> list[object]:
    short = ("train.epochs=2", "threads=2", "-q", *options)
    return command("train", folder / "config.yaml", *short, "-o", folder / run, cwd=folder, **environment)


def predict(folder: Path, run: str, **environment: str) -> list[object]:
    out = (folder / "gestures.jsonl", "--probabilities", "-o", folder / f"{run}.jsonl")
    return command("predict", folder / run, *out, cwd=folder, **environment)


def assert_as_plain(folder: Path, run: str) -> None:
    for name in ("{}/best/model.safetensors", "{}/last/model.safetensors", "{}.jsonl"):
        assert (folder / name.format(run)).read_bytes() == (folder / name.format("plain")).read_bytes(), name


def check(folder: Path, run: str, **environment: str) -> None:
    """A training and a prediction in an environment succeed in silence, with the result of the plain ones."""
    assert train(folder, run, **environment) == [0, "", ""]
    assert predict(folder, run, **environment) == [0, "", ""]
    assert_as_plain(folder, run)


@pytest.mark.slow
def test_no_setting_around_a_command_changes_its_result(place: Path) -> None:
    for name, content in FILES.items():
        (place / name).write_text(content)
    check(place, "odd", **SETTINGS, **PYTHON, HOME=str(place))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        {"PYTHONWARNINGS": "error"},
        {"PYTHONDEVMODE": "1"},
        {"PYTHONUTF8": "0", "LC_ALL": "C"},
        {"PYTHONOPTIMIZE": "2"},  # compiles every module of every library anew
    ],
    ids=" ".join,
)
def test_none_changes_it_alone(place: Path, settings: dict[str, str]) -> None:
    check(place, f"odd-{next(iter(settings))}", **settings)


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>&-"])
def test_closed_streams_cost_no_work(place: Path, closed: str) -> None:
    check(place, f"closed{len(closed)}", before=f"exec {closed}")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_opened_on_the_null_device(closed: str, tmp_path: Path) -> None:
    code = "import os, sys; from lstm_cli.cli.environment import open_streams; open_streams(); "
    code += "print('x', flush=True); sys.stderr.write('x'); assert not '<' in sys.argv[1] or not sys.stdin.read(); "
    code += "assert os.open('seen', os.O_CREAT | os.O_WRONLY) > 2; os.write(os.open('seen', os.O_WRONLY), b'done')"
    shell = f'exec "$@" {closed}'
    subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, "-c", code, closed],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert (tmp_path / "seen").read_bytes() == b"done"


def test_warnings_of_ours_are_one_line_and_others_none(tmp_path: Path) -> None:
    code = "import warnings; from lstm_cli.cli.environment import prepare; from lstm_cli.errors import CacheWarning\n"
    code += "prepare(); warnings.warn('a'); warnings.warn('b', CacheWarning); warnings.warn('c', DeprecationWarning)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == "warning: b\n"


NAMED = {
    "a width": ("LSTM_CLI_LANES", "7", "LSTM_CLI_LANES: got '7', expected one of 16, 8, 4: change or unset it"),
    "no compilation": (
        "NUMBA_DISABLE_JIT", "1", "NUMBA_DISABLE_JIT is set, but models are computed by compiled code: unset it"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_what_no_kernel_can_work_with_is_named(name: str, tmp_path: Path) -> None:
    variable, value, message = NAMED[name]
    code = "from lstm_cli.errors import ConfigError\ntry:\n    import lstm_cli.kernels.dense\n"
    code += "except ConfigError as error:\n    print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), variable: value}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == f"{message}\n", done.stderr


@pytest.mark.slow
def test_a_folder_that_was_removed_is_named(place: Path, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    gone = "cd gone; rmdir ../gone"
    for name, args in (("train", ["c.yaml"]), ("predict", [place / "plain", "x.jsonl"])):
        found = command(name, *args, cwd=tmp_path, before=gone)
        assert found == [74, "", "the current folder was removed: change to one that exists\n"]
        (tmp_path / "gone").mkdir()


LIMITS = {
    "-n 8": (1, "too many open files for the limit of 8 (ulimit -n): raise it"),
    "-v 300000": (1, "too little memory: the limit (ulimit -v) is 300,000 kB: raise it to 524,288 kB"),
    "-f 1": (74, "free some space, or raise the quota or the limit on file sizes"),
}


@pytest.mark.slow
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_is_too_low_is_named(place: Path, limit: str) -> None:
    code, message = LIMITS[limit]
    found, _, said = train(place, f"limited{limit}", before=f"ulimit {limit}")
    if found == 0 and limit.startswith("-n"):
        pytest.skip("the libraries here need fewer files at a time")
    assert (found, said.count("\n"), message in said) == (code, 1, True), said


@pytest.mark.slow
@needs(why_no_mount())
@pytest.mark.parametrize("missing", ["/proc", "/sys", "/dev/shm", "/dev"])
def test_parts_of_the_system_that_are_missing_cost_no_work(place: Path, missing: str) -> None:
    hidden = f'exec unshare --mount --map-root-user sh -c \'mount -t tmpfs none {missing}; exec "$@"\' sh "$@"'
    check(place, f"hidden{missing.replace('/', '-')}", before=hidden)


@pytest.mark.slow
def test_names_may_hold_any_byte(place: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"odd \xff\n"))
    try:
        (tmp_path / odd).mkdir()
    except OSError:
        pytest.skip("this file system keeps no names that are not UTF-8")
    for name in ("gestures.jsonl", "config.yaml"):
        (tmp_path / odd / name).write_bytes((place / name).read_bytes())
    given = ("train.epochs=2", "threads=2", "-o", odd / odd)
    code, _, said = command("train", odd / "config.yaml", *given, cwd=tmp_path)
    assert code == 0, said
    assert "odd \\udcff" in (tmp_path / odd / odd / "train.log").read_text(encoding="utf-8")
    data = (odd / "gestures.jsonl", "-o", odd / "plain.jsonl", "--probabilities")
    assert command("predict", odd / odd, *data, cwd=tmp_path) == [0, "", ""]
    assert (tmp_path / odd / "plain.jsonl").read_bytes() == (place / "plain.jsonl").read_bytes()
