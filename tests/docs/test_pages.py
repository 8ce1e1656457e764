"""What the pages show is so: configs load, commands and their options exist, Python runs, files are there."""

import re
import shlex
import shutil

import pytest

from lstm_cli.cli.group import main
from lstm_cli.config import config_from_mapping
from lstm_cli.config.yaml_reader import read_yaml
from tests.support.pages import PAGES, ROOT, every_block, spans

COMMANDS = {f"lstm-{name}": command for name, command in main.commands.items()}
MINIMAL = {"data": {"train": "mine.jsonl", "inputs": ["x"], "target": "y"}}
# Folders that pages name files in: at the top of the clone, and the rooms of the package.
ROOMS = {path.name for path in (ROOT / "lstm_cli").iterdir() if (path / "__init__.py").exists()}
FOLDERS = {"configs", "data", "docs", "lstm_cli", "tests", ".ci", ".github", *ROOMS}
# What a user makes or fetches.
ABSENT = re.compile(r"data/public/|data/x/|tests/released/format-[2-9]|.*[A-Z]{3}")
OVERRIDE = re.compile(r"[a-z_]+(\.[a-z_0-9]+)*=.*")


def ids(items):
    return [str(item) for item in items]


YAML, PYTHON, SHELL = every_block("yaml"), every_block("python"), every_block("shell")


@pytest.mark.parametrize("block", YAML, ids=ids(YAML))
def test_every_config_loads(block):
    shown = read_yaml(block.text.encode())
    assert not shown.problems
    config = dict(shown.value)
    if block.fragment:
        config["data"] = {**MINIMAL["data"], **config.get("data", {})}
    config_from_mapping(config)


def commands_in(text):
    """Yield the words of each command of ours in a text of shell lines."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\|(?!\|)", line):
            words = shlex.split(part, comments=True)
            if words and words[0] in COMMANDS:
                yield words


def written_commands():
    """Return where each command is shown and its line: in shell blocks, and between backticks."""
    lines = [(str(block), line) for block in SHELL for line in block.text.splitlines()]
    for page in PAGES:
        lines += [
            (str(page.relative_to(ROOT)), span) for span in spans(page) if re.match(r"lstm-(train|predict) .", span)
        ]
    return [(where, line) for where, line in lines if "lstm-" in line]


@pytest.mark.parametrize(("where", "line"), written_commands())
def test_every_command_is_understood(where, line):
    for program, *words in commands_in(line):
        known = [word.replace("CONFIG.yaml", "configs/quickstart.yaml") for word in words]
        context = COMMANDS[program].make_context(program, known)
        for override in context.params.get("overrides", ()):
            config_from_mapping(MINIMAL, overrides=[override])


@pytest.mark.parametrize("block", [*SHELL, *every_block("console")], ids=str)
def test_brackets_are_quoted(block):
    """Shells such as zsh take them for patterns."""
    for line in block.text.splitlines():
        bare = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", line)
        assert not set(bare) & set("[]{}"), line


def named_files():
    for page in PAGES:
        for span in dict.fromkeys(spans(page)):
            for word in span.split():
                path = word.rstrip(",;:").partition("::")[0]
                if path.split("/")[0] in FOLDERS and "/" in path and not ABSENT.match(path):
                    yield pytest.param(path, id=f"{page.relative_to(ROOT)}-{path}")


@pytest.mark.parametrize("path", list(named_files()))
def test_every_file_named_is_there(path):
    name = path.partition(":")[0]
    assert (ROOT / name).exists() or (ROOT / "lstm_cli" / name).exists()


def links():
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                yield target


@pytest.mark.parametrize("target", list(links()))
def test_every_link_of_the_readme_leads_somewhere(target):
    """Those between the pages are checked when the site is built."""
    assert (ROOT / target.partition("#")[0]).exists()


PYTHON_PAGES = list(dict.fromkeys(block.page for block in PYTHON if block.page.name != "extending.md"))


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=[str(page.relative_to(ROOT)) for page in PYTHON_PAGES])
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    """As it stands, block after block, in a folder that looks like a clone; `test_extending` runs that of its page."""
    for folder in ("configs", "data/gestures"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for block in PYTHON:
        if block.page == page:
            source = "\n" * block.line + block.text  # so that an error names the page's own line
            exec(compile(source, str(page), "exec"), namespace)


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8").split()
    pages = (ROOT / "docs").rglob("*.md")
    names = [page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in pages]
    missing = [name for name in names if name not in index and name != "index"]
    assert missing == []


def test_the_rooms_of_the_architecture_are_those_of_the_package():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE)) == ROOMS
    assert set(re.findall(r"`(\w+\.py)`", page)) == {path.name for path in (ROOT / "lstm_cli").glob("[!_]*.py")}
