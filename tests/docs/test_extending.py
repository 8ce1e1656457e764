"""What the page on extending shows works: each section is applied to a copy of the package, and its check passes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import ROOT, Block, blocks

PAGE = ROOT / "docs/extending.md"
TITLES = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
# A new cell compiles kernels of its own; the others listed here go the same way as those that are not.
SLOW = ("A cell", "An optimizer", "A config key")
SECTIONS = [pytest.param(title, marks=pytest.mark.slow if title in SLOW else ()) for title in TITLES]
NEW_FILE = re.compile(r"# (lstm_cli/\S+\.py)\n")


def blocks_of(title: str) -> list[Block]:
    """The blocks below a heading."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"## {title}") + 1
    end = next((number for number in range(start, len(lines)) if lines[number].startswith("## ")), len(lines))
    return [block for block in blocks(PAGE) if start < block.line <= end]


def patched(content: str, hunk: str) -> str:
    """A file's content after one hunk: its lines without + occur once, those without - take their place."""
    lines = hunk.splitlines(keepends=True)
    old, new = ("".join(line[1:] or line for line in lines if line[0] != sign) for sign in "+-")
    assert content.count(old) == 1, f"{content.count(old)} times in the file:\n{old}"
    return content.replace(old, new)


def apply(block: Block, copy: Path) -> str | None:
    """Do to a copy of the package what a block shows; return the block if it is a check instead."""
    if found := NEW_FILE.match(block.text):
        assert not (copy / found[1]).exists()
        (copy / found[1]).write_text(block.text.removeprefix(found[0]))
        return None
    if block.language != "diff":
        return block.text
    head, *hunks = block.text.split("@@\n")
    file = copy / head.removeprefix("--- ").strip()
    for hunk in hunks:
        file.write_text(patched(file.read_text(), hunk))
    return None


def run(script: str, copy: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy)}
    where = f"import lstm_cli\nassert lstm_cli.__file__.startswith({str(copy)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", where + script], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("lstm_cli", "configs", "data/gestures", "data/oscillator"):
        shutil.copytree(ROOT / folder, tmp_path / folder)  # with the bytecode, which costs seconds
    return tmp_path


@pytest.mark.parametrize("title", TITLES)
def test_a_section_fits_the_package_and_ends_with_a_check(title: str, copy: Path) -> None:
    shown = blocks_of(title)
    checks = [text for block in shown if (text := apply(block, copy)) is not None]
    assert checks == [shown[-1].text]
    assert shown[-1].language == "python"
    for file in (copy / "lstm_cli").rglob("*.py"):
        original = ROOT / file.relative_to(copy)
        if not original.exists() or file.read_bytes() != original.read_bytes():
            compile(file.read_text(), str(file), "exec")


@pytest.mark.parametrize("title", SECTIONS)
def test_what_a_section_shows_works(title: str, copy: Path) -> None:
    *changes, check = blocks_of(title)
    assert run(check.text, copy).returncode != 0, "the check passes without the change"
    shutil.rmtree(copy / "runs", ignore_errors=True)
    for change in changes:
        apply(change, copy)
    done = run(check.text, copy)
    assert done.returncode == 0, done.stderr


def test_a_hunk_that_no_longer_fits_is_found() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+d\n") == "a\nd\nc\n"
    with pytest.raises(AssertionError, match="0 times"):
        patched("a\nx\nc\n", " a\n-b\n+d\n")


def test_there_is_a_section_for_each_thing_people_add() -> None:
    assert TITLES == ["A cell", "A format", "An optimizer", "A metric", "A config key"]
