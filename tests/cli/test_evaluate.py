"""``lstm evaluate``: options, and JSON or tables."""

import json
import re
from pathlib import Path
from unittest.mock import ANY

import pytest

from lstm_cli import errors
from lstm_cli.cli.group import evaluate, main
from lstm_cli.insight.evaluation import Evaluation

DEFAULTS = {"by": None, "out": None, "form": None, "safe_csv": False, "trust": False, "note": ANY}
FOUND = Evaluation("a.csv", 20, 20, {"loss": 0.3, "accuracy": 0.95}, intervals={"accuracy": (0.85, float("nan"))})


@pytest.mark.parametrize(
    ("args", "data", "options"),
    [
        (("r",), None, {}),
        (("r", "a.csv"), Path("a.csv"), {}),
        (("r", "-", "--by", "length"), Path("-"), {"by": "length"}),
        (("--by", "site", "r", "a.csv", "-o", "e.csv", "--safe-csv"), Path("a.csv"),
         {"by": "site", "out": Path("e.csv"), "safe_csv": True}),
        (("r", "a.txt", "--format", "csv", "--trust", "-q"), Path("a.txt"), {"form": "csv", "trust": True}),
    ],
)  # fmt: skip
def test_the_options_are_passed_on(invoke, calls, args, data, options):
    calls.stand_in("lstm_cli.insight.evaluate", "evaluate", FOUND)
    result = invoke(evaluate, *args)
    assert result.exit_code == 0, result.output
    assert calls == [("evaluate", ([Path("r")], data), DEFAULTS | options)]


def test_a_pipe_gets_json_that_has_no_nan(invoke, calls):
    calls.stand_in("lstm_cli.insight.evaluate", "evaluate", FOUND)
    result = invoke(main, "evaluate", "r")
    assert json.loads(result.stdout) == {
        "data": "a.csv", "sequences": 20, "positions": 20, "metrics": {"loss": 0.3, "accuracy": 0.95},
        "intervals": {"accuracy": [0.85, None]},
    }  # fmt: skip
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize("asked", [False, True])
def test_a_terminal_gets_tables_unless_json_is_asked_for(invoke, calls, monkeypatch, asked):
    calls.stand_in("lstm_cli.insight.evaluate", "evaluate", FOUND)
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    result = invoke(evaluate, "r", *["--json"] * asked)
    assert result.stdout.startswith("{" if asked else "a.csv: 20 sequences\n\n")


@pytest.mark.parametrize(("error", "code"), [(errors.DataError("no"), 65), (errors.ConfigError("no"), 2)])
def test_errors_are_messages(invoke, calls, error, code):
    calls.stand_in("lstm_cli.insight.evaluate", "evaluate", error)
    result = invoke(evaluate, "r", "a.csv")
    assert (result.exit_code, result.stderr) == (code, "no\n")


def test_examples_are_understood():
    lines = re.findall(r"^\s+lstm evaluate (.*)$", evaluate.help, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        evaluate.make_context("lstm", line.partition(" > ")[0].split())
