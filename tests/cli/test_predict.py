from pathlib import Path
from unittest.mock import ANY

import pytest

from lstm_cli import errors
from lstm_cli.cli.group import main, predict
from lstm_cli.cli.predict import _table

DEFAULTS = {
    "out": None, "probabilities": False, "evaluate": False, "steps": None, "state_in": None, "state_out": None,
    "keep": (), "form": None, "future": None, "safe_csv": False, "follow": False,
    "trust": False, "note": ANY, "world": ANY,
}  # fmt: skip


@pytest.mark.parametrize(
    ("args", "data", "options"),
    [
        (("r", "a.csv"), Path("a.csv"), {}),
        (("r", "-"), Path("-"), {}),
        (("r", "a.csv", "-o", "-"), Path("a.csv"), {}),
        (
            ("r", "a.csv", "-o", "p.csv", "--probabilities"),
            Path("a.csv"),
            {"out": Path("p.csv"), "probabilities": True},
        ),
        (("--evaluate", "-q", "r", "a.csv"), Path("a.csv"), {"evaluate": True}),
        (("--evaluate", "r", "a.csv", "-o", "p.csv"), Path("a.csv"), {"evaluate": True, "out": Path("p.csv")}),
        (("r", "a.csv", "--keep", "user, load", "--keep", "x"), Path("a.csv"), {"keep": ("user", "load", "x")}),
        (("r", "log.txt", "--format", "csv"), Path("log.txt"), {"form": "csv"}),
        (("r", "--steps", "5", "a.csv"), Path("a.csv"), {"steps": 5}),
        (
            ("r", "a.csv", "--steps", "3", "--state-in", "s", "--state-out", "t"),
            Path("a.csv"),
            {"steps": 3, "state_in": Path("s"), "state_out": Path("t")},
        ),
    ],
)
def test_the_options_are_passed_on(invoke, calls, args, data, options):
    result = invoke(predict, *args)
    assert (result.exit_code, result.output) == (0, "")
    assert calls == [("predict_run", ([Path("r")], data), DEFAULTS | options)]


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((), {}),
        (("-o", "-", "--seed", "0"), {"seed": 0}),
        (
            ("--prompt", "To be", "--temperature", "0", "--top-k", "5", "--top-p", "0.9", "-o", "t.txt"),
            {"prompt": "To be", "temperature": 0.0, "top_k": 5, "top_p": 0.9, "out": Path("t.txt")},
        ),
        (("--samples", "3", "--stop", "A:", "--stop", "B:", "-q"), {"samples": 3, "stop": ("A:", "B:")}),
    ],
)
def test_the_options_of_a_text_are_passed_on(invoke, calls, args, options):
    result = invoke(predict, "r", "--generate", "9", *args)
    assert (result.exit_code, result.output) == (0, "")
    assert calls == [("generate_run", ([Path("r")], 9), {"out": None, "trust": False, "note": ANY} | options)]


def test_the_umbrella_runs_the_same_command(invoke, calls):
    assert invoke(main, "predict", "r", "a.csv").exit_code == 0
    assert calls == [("predict_run", ([Path("r")], Path("a.csv")), DEFAULTS)]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Missing argument 'RUN... [DATA]'"),
        (("r",), "Missing DATA: a file of sequences, - for standard input, or --generate N instead."),
        (("r", "--steps", "3"), "Missing DATA"),
        (("r", "a", "--evaluate", "--steps", "3"), "--evaluate scores predictions: leave --steps and --future out"),
        (("r", "a", "--evaluate", "--keep", "x"), "--evaluate prints metrics, and predictions only with -o OUT"),
        (("r", "a", "--keep", "x,"), "Invalid value for '--keep': expected names of columns"),
        (("r", "a", "-q", "-v"), "-q and -v exclude each other"),
        (("r", "a", "b"), "a and b are no run folders, and only one may be DATA"),
        (("r", "a", "--generate", "3"), "--generate cannot be combined with DATA, --steps, --probabilities or states"),
        (
            ("r", "--generate", "3", "--state-in", "s"),
            "--generate cannot be combined with DATA, --steps, --probabilities or",
        ),
        (("r", "a", "--prompt", "x"), "--prompt is for --generate N: give it too, or leave it out"),
        (("r", "a", "--seed", "0", "--top-k", "1"), "--top-k, --seed are for --generate N: give it too, or leave them"),
        (("r", "--generate", "3", "--top-p", "0"), "Invalid value for '--top-p'"),
        (("r", "--generate", "3", "--top-k", "0"), "Invalid value for '--top-k'"),
        (("r", "--generate", "3", "--temperature", "-1"), "Invalid value for '--temperature'"),
        (("r", "--generate", "3", "--temperature", "nan"), "got nan, expected a number of 0 or more, such as 0.8"),
        (("r", "--generate", "3", "--temperature", "1e400"), "got inf, expected a number of 0 or more, such as 0.8"),
        (("r", "--generate", "1000000000000000000"), "Invalid value for '--generate'"),
        (("r", "a", "--steps", "0"), "Invalid value for '--steps'"),
        (("r", "a", "--steps", "1000000000000"), "Invalid value for '--steps'"),
        (("r", "a", "--stpes", "3"), "No such option"),
    ],
)
def test_wrong_usage(invoke, calls, args, message):
    result = invoke(predict, *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert calls == []


def test_an_error_is_one_message_and_its_exit_code(invoke, calls):
    calls.stand_in("lstm_cli.predict", "predict_run", errors.DataError("a.csv:3: x: not a number: write one"))
    result = invoke(predict, "r", "a.csv")
    assert (result.exit_code, result.stdout, result.stderr) == (65, "", "a.csv:3: x: not a number: write one\n")


def test_scores_are_one_json_object(invoke, calls):
    calls.stand_in("lstm_cli.predict", "predict_run", {"loss": 0.25, "accuracy": 0.5, "r2": float("nan")})
    result = invoke(predict, "r", "a.csv", "--evaluate")
    assert result.stdout == '{"loss": 0.25, "accuracy": 0.5, "r2": null}\n'


def test_scores_are_a_table_on_a_terminal(invoke, calls):
    table = _table({"loss": 0.25, "frame_accuracy": 1 / 3})
    assert table.splitlines() == ["loss                    0.25", "frame_accuracy      0.333333"]
