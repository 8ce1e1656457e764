"""Help is a tested surface: every command and option explains itself, with an example, and imports nothing heavy."""

import keyword
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from lstm_cli.cli import group
from lstm_cli.cli.group import main, predict, train

COMMANDS = {"lstm": main, **{f"lstm {name}": command for name, command in main.commands.items()}}
HEAVY = {"numpy", "scipy", "numba", "pytensor", "safetensors", "tqdm"}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_has_an_example(command, flag):
    result = CliRunner().invoke(command, [flag])
    assert result.exit_code == 0
    assert re.search(r"Example:\n    lstm", result.output)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_option_has_help(command):
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (train, "-o --resume --overwrite --check --seed -q -v"),
        (predict, "-o --probabilities --evaluate --steps --generate --prompt --temperature --state-in --state-out"),
        (predict, "--trust"),
    ],
)
def test_the_documented_options_are_there(command, options):
    known = {name for parameter in command.params for name in parameter.opts}
    assert set(options.split()) <= known


def test_every_example_is_understood(monkeypatch, tmp_path):
    """Each line of the examples parses; what it would do is left out."""
    for command in (train, predict):
        lines = re.findall(r"^\s+(lstm-\w+ .*)$", command.help, re.MULTILINE)
        assert lines
        for line in lines:
            words = re.findall(r'"[^"]*"|\S+', line)
            command.make_context("lstm", [word.strip('"') for word in words[1:]])


def test_the_version_is_printed(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.2.3")
    assert "1.2.3" in CliRunner().invoke(main, ["--version"]).output


def test_every_command_is_exported():
    assert set(group.__all__) == {"main", *(name + "_" * keyword.iskeyword(name) for name in main.commands)}


@pytest.mark.parametrize(
    ("args", "code", "also"),
    [
        (["lstm", "--help"], 0, {"pydantic", "yaml", "importlib.metadata"}),
        (["lstm", "train", "--help"], 0, {"pydantic", "yaml", "importlib.metadata"}),
        (["lstm", "train", "nowhere.yaml"], 2, set()),
        (["lstm", "train", "wrong.yaml"], 2, set()),
        (["lstm", "predict", "--generate", "3", "--steps", "3", "run"], 2, {"pydantic", "yaml"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path, args, code, also):
    (tmp_path / "wrong.yaml").write_text("data: {trian: a}")
    script = f"""
import os, sys
os.chdir({str(tmp_path)!r})
from lstm_cli.cli.group import main
sys.argv = {args!r}
try:
    main()
except SystemExit as stop:
    assert stop.code == {code}, stop.code
print(*({HEAVY | also!r} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == ""
