"""The reference in docs/ is what the code says, and a page that is not is found."""

import importlib
import re
import sys
from functools import cache
from itertools import zip_longest
from pathlib import Path

import click
import pytest
from pydantic import Field

import lstm_cli
from lstm_cli.cli.group import main
from lstm_cli.config import Config, config_from_mapping
from lstm_cli.config.fields import Flag, Section
from lstm_cli.config.grammar import resume_rules, sections_at, tag_of
from lstm_cli.config.yaml_reader import read_yaml

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module", autouse=True)
def generators():
    """The modules in docs/, importable while these tests run."""
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))


def module(name):
    return importlib.import_module(name)


def test_the_reference_is_up_to_date():
    assert module("generate").stale(DOCS.parent) == [], "run: python docs/generate.py"


@pytest.fixture(scope="module")
def pages():
    """The functions that make the pages, each of which works once."""
    return {name: cache(page) for name, page in module("generate").PAGES.items()}


@pytest.mark.parametrize(
    "name",
    ["docs/reference/commands.md", "docs/reference/config.md", "lstm_cli/config/lstm-config.schema.json"],
)
@pytest.mark.parametrize("change", ["one word", "missing"])
def test_a_stale_page_is_found(tmp_path, capsys, monkeypatch, pages, name, change):
    generate = module("generate")
    monkeypatch.setattr(generate, "PAGES", pages)
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0
    page = tmp_path / name
    page.unlink() if change == "missing" else page.write_text(page.read_text() + "word\n")
    assert generate.main(["--check"], tmp_path) == 1
    assert f"{name} is stale" in capsys.readouterr().err
    assert generate.stale(tmp_path) == [name]


def test_a_new_key_changes_the_page():
    class New(Section):
        """A section."""

        fresh: Flag = Field(False, description="Whether it is new.")

    reference = module("reference_config")
    shown = reference._section(reference.Place("new", New))
    assert "| `fresh` | true or false | `false` | Whether it is new. | refused |" in shown


def test_every_key_has_a_row_with_a_meaning():
    reference = module("reference_config")
    page = reference.config_page()
    for place in reference.places(Config, ""):
        assert f" {place.title}\n" in page
        for key, field in place.section.model_fields.items():
            assert f"| `{key}` | " in page
            assert field.description or list(reference._sections_in(field.annotation)), f"{place.title}: {key}"


OPTIMIZERS, SCHEDULES = ([*map(tag_of, sections_at(path))] for path in (("optimizer",), ("train", "schedule")))


@pytest.mark.parametrize(("optimizer", "schedule"), list(zip_longest(OPTIMIZERS, SCHEDULES, fillvalue="cosine")))
def test_what_may_change_on_resume_is_what_resuming_allows(optimizer, schedule):
    """The column, for every key of a config, against the rules that resuming applies to that config."""
    reference = module("reference_config")
    config = {
        "data": {"train": "a.csv", "inputs": ["x"], "target": "next"},
        "optimizer": optimizer,
        "train": {"schedule": schedule},
        "rollout": {"steps": 3, "teacher_forcing": 0.5},
    }
    rules = resume_rules(config_from_mapping(config).model_dump(mode="json"))
    seen = set()
    for place in reference.places(Config, ""):
        if place.name in (None, optimizer, schedule):
            for key, field in place.section.model_fields.items():
                path = f"{place.path}.{key}".lstrip(".")
                shown = reference._on_resume(place, key, field)
                seen |= {path} & rules.keys()
                if path.startswith("sweep"):  # no run has it
                    assert shown == "may change"
                elif path in rules:
                    assert shown == f"may change {rules[path].condition}".strip()
                else:
                    assert shown == "refused" or any(rule.startswith(f"{path}.") for rule in rules)
    assert seen == rules.keys()


def test_every_link_in_the_config_page_has_its_heading():
    reference = module("reference_config")
    page = reference.config_page()
    anchors = {place.anchor for place in reference.places(Config, "")}
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert links
    assert links <= anchors


def test_every_option_has_a_row():
    page = module("reference_commands").commands_page()
    options = [p for command in main.commands.values() for p in command.params if isinstance(p, click.Option)]
    assert options
    for option in options:
        assert all(f"`{name}`" in page for name in option.opts)


def test_every_public_name_is_in_the_api_page():
    page = (DOCS / "reference/api.md").read_text(encoding="utf-8")
    missing = [name for name in lstm_cli.__all__ if f"lstm_cli.{name}" not in page]
    assert missing == []


def test_the_defaults_shown_are_the_defaults():
    """Each section's table, read as YAML, is the config that setting nothing gives."""
    page = (DOCS / "reference/config.md").read_text(encoding="utf-8")
    shown: dict[str, object] = {}
    for section in ("Top level", "data", "model", "loss", "train"):
        table = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
        rows = re.findall(r"^\| `(\w+)` \| .* \| `([^`]*)` \| [^|]*\| [^|]*\|$", table, re.MULTILINE)
        values = {key: read_yaml(default.encode()).value for key, default in rows}
        shown |= values if section == "Top level" else {section: values}
    data = {"train": "a.jsonl", "inputs": ["x"], "target": "y"}
    assert len(shown["data"]) > 10
    shown["data"] |= data
    assert config_from_mapping(shown) == config_from_mapping({"data": data})
