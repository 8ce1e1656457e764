"""Reports of real runs: what they hold, and that they are the same when they are made again."""

from dataclasses import replace
from pathlib import Path

import pytest

import lstm_cli
from lstm_cli.report.contents import Contents, from_json
from tests.support.runs import SYMBOLS


def contents(run: Path) -> Contents:
    return from_json((run / "report.json").read_bytes())


def assert_made_again(run: Path) -> None:
    """Both files are the same after they were made again, and even without `report.json`, but for notes."""
    before = {name: (run / name).read_bytes() for name in ("report.json", "report.html")}
    assert lstm_cli.make_report(run, trust=True) == run / "report.html"
    assert {name: (run / name).read_bytes() for name in before} == before
    found = contents(run)
    (run / "report.json").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstm_cli.insight.samples.CHARACTERS", SYMBOLS)  # as in the training
        lstm_cli.make_report(run, trust=True)
    assert replace(contents(run), notes=()) == replace(found, notes=())
    for name, content in before.items():
        (run / name).write_bytes(content)
