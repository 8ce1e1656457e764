"""Examples from the repository and as a build copies them: the config is the shipped one, and works where it is."""

from importlib import util

import pytest
import yaml
from click.testing import CliRunner

from lstm_cli.cli.init import init
from lstm_cli.config import load_config
from lstm_cli.data import open_data
from lstm_cli.errors import ConfigError, DiskError
from lstm_cli.insight import examples as module
from lstm_cli.insight.examples import examples, listing, write_example
from tests.support.paths import ROOT

NAMES = ("quickstart", "embedded_reber", "hourly", "oscillator", "pendulum_swing")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_examples_are_the_configs_whose_data_is_committed():
    assert tuple(examples(ROOT)) == NAMES


def test_the_list_has_a_line_for_each_and_says_where_more_are():
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(examples())
    assert all(len(line) <= 80 for line in lines[:-1])
    assert "github.com" in lines[-1] and lines[-1].endswith("/configs")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_the_shipped_config_with_data_that_can_be_read(name, tmp_path):
    path = write_example(name, tmp_path / "new")
    shipped = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())
    written = yaml.safe_load(path.read_text())
    for key in ("train", "valid", "test"):
        if isinstance(shipped["data"].get(key), str):
            assert shipped["data"].pop(key) == f"../{written['data'].pop(key)}"
    assert written == shipped
    data = open_data(load_config(path))
    assert len(data.train) > 0 and data.test is not None
    assert "configs/" not in path.read_text() and "../" not in path.read_text().partition("\n")[2]


def test_what_is_there_already_stays(tmp_path):
    path = write_example("quickstart", tmp_path)
    before = contents(tmp_path)
    assert write_example("quickstart", tmp_path) == path  # all of it is there
    path.write_text(path.read_text() + "# mine\n")
    (tmp_path / "data/gestures/test.jsonl").unlink()
    with pytest.raises(ConfigError, match=r"quickstart\.yaml: is there already, with other content: move it away, or"):
        write_example("quickstart", tmp_path)
    assert len(contents(tmp_path)) == len(before) - 1  # nothing was written
    (tmp_path / "hourly.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"hourly\.yaml: is there already"):
        write_example("hourly", tmp_path)


def test_an_unknown_example_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(ConfigError, match=r"no example 'airline': expected one of quickstart, .*; configs for other"):
        write_example("airline", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        write_example("quickstart", tmp_path / "file" / "folder")


def test_a_build_copies_the_examples_into_the_package(tmp_path, monkeypatch):
    """The class that pyproject.toml names, run by setuptools as a build does, on a small package."""
    distribution = pytest.importorskip("setuptools").Distribution
    spec = util.spec_from_file_location("examples_build", ROOT / "data" / "examples.py")
    build = util.module_from_spec(spec)
    spec.loader.exec_module(build)
    monkeypatch.chdir(ROOT)
    package = {"packages": ["lstm_cli"], "package_dir": {"lstm_cli": "lstm_cli/scores"}, "script_name": "setup.py"}
    command = build.BuildPy(distribution(package))
    command.build_lib = str(tmp_path)
    command.ensure_finalized()
    command.run()
    built = tmp_path / "lstm_cli" / "examples"
    assert contents(built) == {path: (ROOT / path).read_bytes() for path in build.files()}
    assert tuple(examples(built)) == NAMES
    assert {str(path.relative_to(tmp_path)) for path in built.rglob("*") if path.is_file()} <= {
        path.removeprefix(f"{tmp_path}/") for path in command.get_outputs()
    }
    assert {"data/examples.py", "configs/pendulum.py", "data/hourly/future.csv"} <= set(command.get_source_files())
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "lstm_cli")
    write_example("quickstart", tmp_path / "installed")
    monkeypatch.setattr(module, "_PACKAGE", ROOT / "lstm_cli")
    write_example("quickstart", tmp_path / "editable")
    assert contents(tmp_path / "installed") == contents(tmp_path / "editable")


def test_the_command_writes_an_example_and_prints_what_to_type_next(tmp_path):
    runner = CliRunner()
    assert runner.invoke(init, ["--list"]).stdout.rstrip("\n") == listing()
    done = runner.invoke(init, ["--example", "quickstart", "-o", str(tmp_path)])
    path = tmp_path / "quickstart.yaml"
    assert done.stdout == f"{path}: next:\n  lstm check {path}\n  lstm-train {path}\n"
    assert runner.invoke(init, ["--example", "none"]).exit_code == 2
    for wrong in ([], ["x.csv", "--list"], ["--example", "hourly", "--list"], ["--list", "--target", "y"]):
        refused = runner.invoke(init, wrong)
        assert refused.exit_code == 2 and "give data" in refused.stderr.lower()
