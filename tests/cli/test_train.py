# ruff: noqa: E501
from pathlib import Path

import pytest

from lstm_cli import errors
from lstm_cli.cli.group import main, train


def test_a_run_with_every_default(invoke, calls):
    result = invoke(train, "c.yaml")
    assert (result.exit_code, result.output) == (0, "")
    ((name, (config, folder), options),) = calls
    assert (name, folder) == ("train_run", None)  # by default in runs/, see tests/training/test_user_sinks.py
    assert options == {"sinks": [], "resume": False, "overwrite": False, "verbosity": 0}
    assert config.train.epochs == 3


@pytest.mark.parametrize(
    "args",
    [
        ("c.yaml", "train.epochs=5", "model.layers=[7]", "-o", "out/r", "--resume", "--seed", "9", "-v"),
        ("-o", "out/r", "--resume", "--seed", "9", "-v", "c.yaml", "train.epochs=5", "model.layers=[7]"),
        ("-v", "c.yaml", "--seed=9", "train.epochs=4", "--resume", "train.epochs=5", "-oout/r", "model.layers=[7]"),
    ],
)
def test_options_stand_before_and_after_the_rest(invoke, calls, args):
    assert invoke(train, *args).exit_code == 0
    ((_, (config, folder), options),) = calls
    assert (config.train.epochs, config.model.layers[0].size, config.seed) == (5, 7, 9)
    assert (folder, options) == (Path("out/r"), {"sinks": [], "resume": True, "overwrite": False, "verbosity": 1})


@pytest.mark.parametrize(
    ("args", "resume"),
    [
        (("--resume", "c.yaml"), True),
        (("c.yaml", "--resume", "train.epochs=5"), True),
        (("--resume=auto", "c.yaml"), "auto"),
        (("c.yaml", "--resume=auto"), "auto"),
        (("c.yaml", "--", "seed=4"), False),
    ],
)
def test_resume_takes_no_following_word(invoke, calls, args, resume):
    assert invoke(train, *args).exit_code == 0
    ((_, _, options),) = calls
    assert options["resume"] == resume


def test_a_word_after_two_dashes_is_no_option(invoke, calls):
    result = invoke(train, "c.yaml", "--", "--resume=auto")
    assert result.exit_code == 2
    assert "--resume=auto" in result.stderr


def test_the_umbrella_runs_the_same_command(invoke, calls):
    assert invoke(main, "train", "c.yaml", "--overwrite", "-q").exit_code == 0
    ((_, _, options),) = calls
    assert options == {"sinks": [], "resume": False, "overwrite": True, "verbosity": -1}


def test_check_prints_what_it_finds_and_trains_nothing(invoke, calls):
    result = invoke(train, "c.yaml", "--check")
    assert (result.exit_code, result.stdout) == (0, "the model\n")
    assert [name for name, _, _ in calls] == ["check"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Missing argument 'CONFIG.yaml'"),
        (("c.yaml", "--resum"), "No such option"),
        (("c.yaml", "--seed", "x"), "Invalid value for '--seed'"),
        (("c.yaml", "--seed", "-1"), "Invalid value for '--seed'"),
        (("c.yaml", "-q", "-v"), "-q and -v exclude each other"),
        (("c.yaml", "--resume", "--overwrite"), "--resume and --overwrite exclude each other"),
        (("c.yaml", "--resume=auto", "--overwrite"), "--resume and --overwrite exclude each other"),
        (("c.yaml", "--resume=always"), "--resume: got 'always', expected nothing or auto"),
    ],
)
def test_wrong_usage(invoke, calls, args, message):
    result = invoke(train, *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert calls == []


def test_all_errors_of_a_config_go_to_stderr(invoke, calls):
    result = invoke(train, "c.yaml", "train.epoch=5", "seed=x", "now")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "command line: now: expected KEY=VALUE, such as train.epochs=5",
        "command line: train.epoch=5: unknown key (did you mean epochs?)",
        "command line: seed=x: got 'x', expected a whole number of 0 or more",
    ]
    assert calls == []


def test_a_missing_config(invoke):
    result = invoke(train, "d.yaml")
    assert (result.exit_code, result.stderr) == (
        2,
        "d.yaml: no such file, expected a YAML config (did you mean c.yaml?)\n",
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DataError("a.jsonl:3: x: not a number"), 65),
        (errors.CheckpointError("last/model.safetensors is damaged"), 65),
        (errors.Diverged("step 3: loss nan"), 70),
        (errors.DiskError("runs/c: the disk is full"), 74),
        (errors.RunBusy("runs/c is used by process 7 on here"), 75),
        (errors.Interrupted("stopped at step 8", 2), 130),
        (errors.Interrupted("stopped at step 8", 15), 143),
    ],
)
def test_each_error_is_one_message_and_its_exit_code(invoke, calls, error, code):
    calls.stand_in("lstm_cli.api", "train_run", error)
    result = invoke(train, "c.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{error}\n")
    result = invoke(train, "c.yaml", "-v")
    assert result.exit_code == code
    assert result.stderr.startswith("Traceback")
    assert result.stderr.endswith(f"{error}\n")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ZeroDivisionError("a\nb"), 1, "unexpected ZeroDivisionError: a b (-v shows where; please report it)\n"),
        (MemoryError(), 1, "too little memory: free some, raise the limit (ulimit -v) or train a smaller model\n"),
        (PermissionError(13, "no", "f"), 74, "f: cannot be read or written: no: check the disk, the path and its permissions\n"),
        (OSError(28, "No space left on device", "runs/c/last"), 74, "runs/c/last: cannot be written: No space left on device: free some space, or raise the quota or the limit on file sizes (ulimit -f)\n"),
        (OSError(5, "Input/output error"), 74, "standard output or a file: cannot be read or written: Input/output error: check the disk, the path and its permissions\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)  # fmt: skip
def test_whatever_else_happens_is_one_line(invoke, calls, error, code, message):
    calls.stand_in("lstm_cli.api", "train_run", error)
    result = invoke(train, "c.yaml")
    assert (result.exit_code, result.stderr) == (code, message)
