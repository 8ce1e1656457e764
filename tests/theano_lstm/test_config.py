"""Theano's flags: set by scripts, by THEANO_FLAGS and by files."""

import copy
import os
import subprocess
import sys
import warnings

import pytensor
import pytest

from lstm_cli import theano
from lstm_cli.theano_lstm.theano.configuration import change_flags, config
from lstm_cli.theano_lstm.theano.flag_sources import set_flags_from_outside


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    """Leave the flags, PyTensor's too, as they were."""
    remembered, held = dict(config._flags.set), {f: getattr(pytensor.config, f) for f in ("floatX", "scan__allow_gc")}
    for variable in ("THEANO_FLAGS", "PYTENSOR_FLAGS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("THEANORC", os.devnull)
    yield
    config._flags.set.clear()
    config._flags.set.update(remembered)
    for flag, value in held.items():
        setattr(pytensor.config, flag, value)


def test_flags_of_pytensor_have_an_effect_in_sections_too():
    theano.config.scan.allow_gc = True
    assert pytensor.config.scan__allow_gc is True
    assert theano.config.scan.allow_gc is True
    theano.config.floatX = "float32"
    assert theano.tensor.vector().dtype == pytensor.config.floatX == "float32"
    assert theano.config.NanGuardMode.nan_is_error is True


@pytest.mark.parametrize(
    "name",
    [
        *(
            "nvcc.fastmath",
            "nvcc.flags",
            "blas.ldflags",
            "lib.cnmem",
            "dnn.enabled",
            "dnn.conv.algo_fwd",
            "gcc.cxxflags",
        ),
        *("gpuarray.preallocate", "traceback.limit", "warn.round", "warn.ignore_bug_before", "optimizer_including"),
        *("compute_test_value", "linker", "cxx", "compiledir", "allow_gc", "profile", "exception_verbosity", "device"),
    ],
)
def test_flags_are_read_and_set_again(name):
    *sections, last = name.split(".")
    place = theano.config
    for section in sections:
        assert hasattr(place, section)
        place = getattr(place, section)
    before = getattr(place, last)
    setattr(place, last, before)
    assert getattr(place, last) == before == theano.config[name]
    assert last in dir(place)
    assert f"{name} = {before}" in str(theano.config).splitlines()


def test_flags_that_nobody_knows():
    theano.config.mine = 3
    theano.config["of.mine"] = "four"
    assert (theano.config.mine, theano.config.of.mine) == (3, "four")
    assert not hasattr(theano.config, "yours")
    assert not hasattr(theano.config.scan, "yours")
    with pytest.raises(AttributeError, match=r"theano.config.nvcc.yours: Theano has no such flag, and none was set"):
        theano.config.nvcc.yours


@pytest.mark.parametrize("of", ["theano", "config", "configparser"])
def test_flags_change_within_a_block_or_a_function(of):
    change = {
        "theano": theano.change_flags,
        "config": theano.config.change_flags,
        "configparser": theano.configparser.change_flags,
    }[of]
    with change({"scan.allow_gc": True, "nvcc.fastmath": True}, floatX="float32"), change(floatX="float16"):
        assert theano.config.floatX == "float16"
        assert (theano.config.scan.allow_gc, theano.config.nvcc.fastmath) == (True, True)
    assert (theano.config.floatX, theano.config.scan.allow_gc, theano.config.nvcc.fastmath) == ("float64", False, False)

    @change(floatX="float32", scan__allow_gc=True)
    def inside(calls):
        return theano.config.floatX, theano.config.scan.allow_gc, calls and inside(calls - 1)

    assert inside(1) == ("float32", True, ("float32", True, 0))
    assert theano.config.floatX == "float64"


def test_what_cannot_be_changed_is_put_back():
    with pytest.raises(ValueError, match="float31"), change_flags({"optimizer": "fast_compile"}, floatX="float31"):
        pass
    assert (theano.config.optimizer, theano.config.floatX) == ("o4", "float64")
    with pytest.raises(KeyError, match=r"theano.config.yours"):
        change_flags(yours=1)


def test_the_variable_goes_before_the_files_and_the_last_file_first(monkeypatch, tmp_path):
    first, last = tmp_path / "first", tmp_path / "last"
    mark = "\ufeff"  # as Notepad begins a file
    first.write_text(f"{mark}[global]\nfloatx = float32 ; for the card\nlinker = py\n[nvcc]\nfastmath = True\n")
    with first.open("a") as file:
        file.write("flags = -D%(USER)s=100%\n")
    last.write_text("[global]\nlinker = vm\nmode = FAST_COMPILE\noptimizer = None\n[lib]\ncnmem = 0.8\n[mine]\nA = b\n")
    monkeypatch.setenv("THEANORC", os.pathsep.join(map(str, [tmp_path / "none", first, last])))
    monkeypatch.setenv("THEANO_FLAGS", "mode=FAST_RUN, scan.allow_gc=True,gcc.cxxflags='-O3,-g' ,")
    set_flags_from_outside()
    flags = "floatX linker mode optimizer nvcc.fastmath nvcc.flags lib.cnmem mine.A scan.allow_gc gcc.cxxflags"
    assert [theano.config[name] for name in flags.split()] == [
        *("float32", "vm", "FAST_RUN", "None", True, "-D%(USER)s=100%", 0.8, "b", True, "-O3,-g")
    ]
    assert (pytensor.config.floatX, pytensor.config.scan__allow_gc) == ("float32", True)


def test_pytensors_own_variable_goes_first(monkeypatch):
    monkeypatch.setenv("PYTENSOR_FLAGS", "floatX=float64,scan__allow_gc=False,cxx=")
    monkeypatch.setenv("THEANO_FLAGS", "floatX=float32,scan.allow_gc=True,cxx=g++,base_compiledir=/tmp/mine")
    set_flags_from_outside()
    assert (theano.config.floatX, theano.config.scan.allow_gc) == ("float64", False)
    assert (theano.config.cxx, theano.config.base_compiledir, pytensor.config.cxx) == ("g++", "/tmp/mine", "")
    monkeypatch.setattr(pytensor.config, "linker", "numba")
    assert theano.config.linker == "numba"


def test_the_flags_can_be_copied():
    assert copy.copy(theano.config).floatX == "float64"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("floatX=float31", "THEANO_FLAGS: .*float31.*float64"),
        ("mode=FASTRUN", "THEANO_FLAGS: config.mode: expected one of FAST_RUN, .* got 'FASTRUN'"),
        ("optimizer=fast", "THEANO_FLAGS: config.optimizer: expected one of o4, .* got 'fast'"),
        ("device=cpu floatX=float32", "THEANO_FLAGS: config.device: expected cpu, .* got 'cpu floatX=float32'"),
        ("floatX='float32", "THEANO_FLAGS: No closing quotation: separate flags by commas"),
        ("nvcc.fastmath=yes", "THEANO_FLAGS: config.nvcc.fastmath: expected True or False, got 'yes'"),
        ("lib.cnmem=all", "THEANO_FLAGS: config.lib.cnmem: expected a number, got 'all'"),
        ("allow_gc=maybe", "THEANO_FLAGS: .*maybe.*allow_gc"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(flags, message, monkeypatch):
    monkeypatch.setenv("THEANO_FLAGS", flags)
    with pytest.raises(ValueError, match=message):
        set_flags_from_outside()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"floatX = float32\n", "expected sections .global., … with lines name = value: File contains no section"),
        (b"[global]\nfloatX\n", "contains parsing errors"),
        (b"[global]\nfloatX = \xff\n", "expected sections"),
        (b"[global]\ndevice = cpu\nfloatX = float31\n", r"section \[global\]: .*float31"),
        (b"[scan]\nallow_gc = perhaps\n", r"section \[scan\]: .*perhaps"),
    ],
)
def test_a_damaged_file_is_named(text, message, monkeypatch, tmp_path):
    (tmp_path / "rc").write_bytes(text)
    monkeypatch.setenv("THEANORC", str(tmp_path / "rc"))
    with pytest.raises(ValueError, match=f"{tmp_path / 'rc'}.*{message}"):
        set_flags_from_outside()


def test_a_flag_without_a_value_is_ignored(monkeypatch, caplog):
    monkeypatch.setenv("THEANO_FLAGS", "floatX,scan.allow_gc=True")
    set_flags_from_outside()
    assert "THEANO_FLAGS: expected name=value, got 'floatX': it is ignored" in caplog.text
    assert theano.config.scan.allow_gc is True


def test_a_graphics_card_is_remembered_and_said_once_to_be_unused(monkeypatch, caplog):
    monkeypatch.setattr("lstm_cli.theano_lstm.theano.configuration._logged_devices", [])
    monkeypatch.setenv("THEANO_FLAGS", "device=cuda0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_flags_from_outside()
        theano.config.device = "gpu"
    assert theano.config.device == "gpu"
    assert [record.getMessage() for record in caplog.records] == [
        "device=cuda0: lstm_cli.theano uses no graphics card: graphs are computed on the CPU"
    ]


def test_flags_are_read_when_theano_is_imported(tmp_path):
    (tmp_path / ".theanorc").write_text("[global]\nfloatX = float32\nmode = FAST_COMPILE\n[blas]\nldflags = -lblas\n")
    code = (
        "from lstm_cli import LSTM, Layer, theano\nimport lstm_cli.theano.tensor as T, pytensor\n"
        "x = T.matrix()\n"
        "y = Layer(3, 2, T.nnet.sigmoid).activate(x)\n"
        "values = theano.function([x], y)([[1, 2, 3]])\n"
        "print(x.dtype, LSTM(3, 2).params[0].dtype, values.dtype, theano.config.mode, theano.config.blas.ldflags)"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "THEANO_FLAGS": "device=cpu,mode=FAST_RUN,linker=cvm"}
    del environment["THEANORC"]
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("float32 float32 float32 FAST_RUN -lblas\n", 0), run.stderr


def test_spaces_around_values_and_a_byte_order_mark_are_passed_over(monkeypatch, tmp_path):
    file = tmp_path / "theanorc"
    file.write_bytes(b"\xef\xbb\xbf[scan]\r\nallow_gc = True\r\n")
    monkeypatch.setenv("THEANORC", str(file))
    monkeypatch.setenv("THEANO_FLAGS", " floatX = float32 , mode = FAST_RUN")
    set_flags_from_outside()
    assert (config.floatX, config.mode, config.scan.allow_gc) == ("float32", "FAST_RUN", True)


@pytest.mark.parametrize(("name", "value"), [("mode", 3), ("mode", None), ("optimizer_excluding", 3)])
def test_a_value_of_another_type_is_an_error_at_once(name, value):
    with pytest.raises(ValueError, match=f"config.{name}: expected .*, got {value}"):
        setattr(config, name, value)
