"""Messages fit the terminal that shows them, and stay on one line everywhere else."""

import pytest
from click.testing import CliRunner

from lstm_cli.cli.common import fitted, noting, typed, written
from lstm_cli.cli.group import main
from tests.support.terminal import FakeTerminal, command, on_terminal

LONG = "runs/machines: holds a run: continue it with --resume or replace it with --overwrite, well-known"


def test_a_message_is_broken_at_spaces_of_a_terminal_only(monkeypatch):
    assert fitted(LONG) == LONG, "standard error is no terminal here"
    for columns in (30, 40, 80):
        monkeypatch.setattr("sys.stderr", FakeTerminal(columns))
        lines = fitted(LONG).split("\n")
        assert max(map(len, lines)) <= columns
        assert all(line.startswith("  ") for line in lines[1:])
        assert " ".join(line.strip() for line in lines) == LONG
        assert fitted("short\n  and indented") == "short\n  and indented"
    monkeypatch.setattr("sys.stderr", FakeTerminal(0))
    assert fitted(LONG) == LONG
    monkeypatch.setattr("sys.stderr", None)
    assert fitted(LONG) == LONG


def test_words_that_are_only_for_somebody_at_a_terminal(monkeypatch, capsys, tmp_path):
    typed("-", quiet=False)
    written(tmp_path / "a.csv", quiet=False)
    assert capsys.readouterr().err == "", "in a pipe nothing is said"
    screen = FakeTerminal(80)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("sys.stdin", FakeTerminal(80))
    for quiet in (True, False):
        typed("-", quiet=quiet)
        typed("new.csv", quiet=quiet)
        written(None, quiet=quiet)
        written("a\n.csv", quiet=quiet)
        noting(quiet=quiet)("a note")
    assert screen.getvalue().split("\n") == [
        "reading standard input: Ctrl-D on an empty line ends it",
        "written: a\\n.csv",
        "a note",
        "",
    ]


def test_errors_and_usage_fit_a_real_terminal(tmp_path):
    (tmp_path / "new.csv").write_text("a\n1\n")
    for words, code, message in (
        (["init", "nw.csv"], 65, "check the path, which is relative to the current folder (did you mean new.csv?)"),
        (["predict", "runs/x", "--prompt", "Once"], 2, "--prompt is for --generate N: give it too"),
    ):
        found, output = on_terminal([*command("main"), *words], columns=50, folder=tmp_path)
        assert found == code, output
        assert max(map(len, output.split("\n"))) <= 50
        assert message in " ".join(output.split())


@pytest.mark.parametrize("name", ["check", "train"])
def test_a_data_file_is_no_config(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my data.csv").write_text("a,b\n1,2\n")
    done = CliRunner().invoke(main, [name, "my data.csv"])
    assert done.exit_code == 2
    assert done.stderr == "my data.csv: is a data file, not a config: lstm init 'my data.csv' writes one for it\n"


def test_backtest_says_what_series_it_needs():
    done = CliRunner().invoke(main, ["backtest", "runs/x"])
    assert done.exit_code == 2
    assert "Missing SERIES: a file of series to forecast, such as the one that RUN was trained on." in done.stderr
