"""``lstm report``: what it prints, and what it refuses."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lstm_cli.cli.group import main
from tests.support.paths import RELEASED


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "an old\nrun"
    shutil.copytree(RELEASED / "series", folder)
    return folder


def test_it_prints_where_the_page_is_and_what_it_lacks(run: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(run)])
    assert done.exit_code == 0
    assert done.stdout == str(run / "report.html").replace("\n", r"\n") + "\n"
    assert "an earlier version trained this run, and did not record where its data is" in done.stderr
    assert "see what lstm evaluate RUN DATA says" in done.stderr and done.stderr.count("\n") == 1
    assert "<!DOCTYPE html>" in (run / "report.html").read_text()


def test_quiet_prints_no_note(run: Path) -> None:
    assert CliRunner().invoke(main, ["report", "-q", str(run)]).stderr == ""


def test_a_folder_without_a_run_is_refused(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (65, "")
    assert done.stderr == f"{tmp_path}: contains no run: expected a folder that lstm-train wrote\n"
    done = CliRunner().invoke(main, ["report", str(run / "best")])
    assert done.stderr.endswith(f"(did you mean {str(run)!r}?)\n".replace("'", ""))
