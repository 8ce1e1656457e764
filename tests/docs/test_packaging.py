"""What several files say of versions agrees: pyproject.toml, constraints.txt, the workflow and pre-commit."""

import re
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.support.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = [
    Requirement(line)
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in lines
]
CONSTRAINTS = dict(
    re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
)
TESTED = {name.lower().replace("_", "-"): found for name, found in CONSTRAINTS.items()}
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
PYTHONS = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_every_requirement_has_an_upper_bound_and_a_tested_version(requirement):
    assert any(part.operator == "<" for part in requirement.specifier)
    assert requirement.specifier.contains(TESTED[requirement.name])


def test_the_workflow_runs_every_python_that_is_supported():
    jobs = WORKFLOW["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == PYTHONS
    supported = SpecifierSet(PROJECT["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if supported.contains(f"3.{minor}.0")] == PYTHONS


def test_the_workflow_runs_what_ci_runs_and_may_only_read():
    commands = [step.get("run") for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    assert {"pip install '.[test]'", "pytest", ".ci/run"} <= set(commands)
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert set(WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["os"]) == {"ubuntu-latest", "macos-latest"}


def test_pre_commit_has_the_tested_ruff():
    (hooks,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert hooks["rev"] == f"v{TESTED['ruff']}"


def test_the_changelog_has_the_version():
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert version("lstm-cli") == PROJECT["version"]
