"""Shell completion: by click's own protocol, and in the shells that are there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PROGRAMS = {"lstm": "main", "lstm-train": "train", "lstm-predict": "predict"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder with the three commands of this clone."""
    folder = tmp_path_factory.mktemp("bin")
    for name, function in PROGRAMS.items():
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from lstm_cli.cli.start import {function}; {function}()"
        (folder / name).write_text(f"#!{sys.executable}\n{code}\n")
        (folder / name).chmod(0o755)
    return folder


def variable(program):
    return f"_{program.upper().replace('-', '_')}_COMPLETE"


def run(programs, words, folder, **environment):
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=folder, env={**os.environ, "PATH": path, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def completed(programs, folder, line):
    """What click answers when the last word of a line is to be completed."""
    words = line.split(" ")
    environment = {variable(words[0]): "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return run(programs, [words[0]], folder, **environment).split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lstm pre", ["plain,predict"]),
        ("lstm train x.yaml train.ep", ["plain,train.epochs="]),
        ("lstm-train x.yaml data.tab", [f"plain,data.table.{key}=" for key in
         ("row", "delimiter", "decimal", "thousands", "header", "columns", "comment", "skip", "encoding")]),
        ("lstm-train --resu", ["plain,--resume"]),
        ("lstm-train con", ["file,con"]),
        ("lstm-predict runs/x --prob", ["plain,--probabilities"]),
        ("lstm-predict ru", ["file,ru"]),
    ],
)  # fmt: skip
def test_words_complete(programs, tmp_path, line, expected):
    assert sorted(completed(programs, tmp_path, line)) == sorted(expected)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("shell", "check"),
    [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])],
)
def test_each_shell_has_a_script_that_it_understands(programs, tmp_path, program, shell, check):
    script = run(programs, [program], tmp_path, **{variable(program): f"{shell}_source"})
    assert variable(program) in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here: its script is printed, but not read")
    (tmp_path / "script").write_text(script)
    run(programs, [*check, "script"], tmp_path)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed here")
def test_a_real_bash_completes(programs, tmp_path):
    script = f"""
{"".join(f'eval "$({variable(name)}=bash_source {name})"' + chr(10) for name in PROGRAMS)}
complete_line() {{
    COMP_WORDS=($1); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
    compopt() {{ :; }}
    local function=$(complete -p "${{COMP_WORDS[0]}}" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    $function "${{COMP_WORDS[0]}}"
    echo "${{COMPREPLY[@]}}"
}}
complete_line "lstm-train x.yaml train.ep"
complete_line "lstm sch"
complete_line "lstm-predict r --temp"
"""
    (Path(tmp_path) / "script").write_text(script)
    assert run(programs, ["bash", "script"], tmp_path).splitlines() == ["train.epochs=", "schema", "--temperature"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed here")
def test_a_real_fish_completes(programs, tmp_path):
    script = f"{variable('lstm-train')}=fish_source lstm-train | source; complete -C 'lstm-train x.yaml train.ep'"
    assert run(programs, ["fish", "-c", script], tmp_path) == "train.epochs=\tPasses over the training data\n"
