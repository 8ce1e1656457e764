"""The JSON Schema accepts and refuses what the loader does, as far as that is a matter of shape."""

import json
import re

import jsonschema
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from lstm_cli.cli.group import main
from lstm_cli.config import Config
from lstm_cli.config.json_schema import DRAFT, FILE, json_schema, schema_line, schema_text, with_schema_line
from lstm_cli.config.yaml_reader import read_yaml
from tests.support.config import CONTRACT, GOOD
from tests.support.paths import ROOT
from tests.support.wrong_configs import DATA, TABLE

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
BLOCKS = [
    (f"{page.relative_to(ROOT)}-{number}", text)
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    if re.search(r"^data:", text, re.MULTILINE)
]


def problems(values):
    return [error.message for error in VALIDATOR.iter_errors(values)]


def test_the_schema_is_one_of_the_draft_and_the_shipped_file():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DRAFT == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    assert FILE.read_text(encoding="utf-8") == schema_text()
    assert json.loads(schema_text()) == SCHEMA


def test_every_key_has_its_description_and_its_default():
    for section in (SCHEMA, *SCHEMA["$defs"].values()):
        assert section["additionalProperties"] is False
        assert [key for key, field in section["properties"].items() if not field["description"]] == []
        without = [key for key, field in section["properties"].items() if "default" not in field]
        required = set(section.get("required", []))
        assert set(without) == required - {"name"}, section["title"]  # a name has one where it may be left out
    assert SCHEMA["required"] == ["data"]
    assert SCHEMA["properties"]["model"]["default"] == {}
    assert SCHEMA["properties"]["optimizer"]["default"] == "adam"


def test_every_default_fits():
    for section in (SCHEMA, *SCHEMA["$defs"].values()):
        for key, field in section["properties"].items():
            if "default" in field:
                validator = jsonschema.Draft202012Validator({**field, "$defs": SCHEMA["$defs"]})
                assert list(validator.iter_errors(field["default"])) == [], (section["title"], key)


@pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_every_shipped_config_fits(path):
    assert problems(read_yaml(path.read_bytes()).value) == []


@pytest.mark.parametrize(
    "text", [CONTRACT, *(text for _, text in BLOCKS)], ids=["contract", *(name for name, _ in BLOCKS)]
)
def test_every_config_of_the_documentation_fits(text):
    values = read_yaml(text.encode()).value
    values["data"].setdefault("train", "a.csv")
    assert problems(values) == []


SHORT = [
    "model: {layers: 64}",
    "model: {layers: {size: 4}}",
    "model: {layers: [64, {size: 4, cell: gru}], embedding: {x: 3}}",
    "track: mlflow",
    "track: [tensorboard, mlflow]",
    "optimizer: adam",
    "optimizer:",
    "optimizer: {learning_rate: 1}",
    "train: {schedule: plateau}",
    "train: {schedule: {warmup: 3}}",
    "train:\nmodel:\nloss:",
    "train: {evaluate_every: 3 epochs, checkpoint_every: 1.5 h}",
    "train: {evaluate_every: 20steps, checkpoint_every: 10min, monitor: valid.rmse.x}",
]
SHORT_DATA = [
    "target: y, inputs: x",
    "target: y, inputs: {x: tokens, z:, w: {static: true}}",
    "target: {column: y, horizon: 3}, inputs: [x]",
    "target: y, valid: 3, test: [a.csv, b.csv], split: null",
    "target: y, valid: {share: 0.3, by: time}",
    "target: y, valid: a*.csv, id: [a, b], time: t, calendar: hour",
    "target: y, inputs: [x], transform: {x: log, y: [difference, seasonal_difference( 12 )]}",
    "target: y, table:, missing: {values: -200, fill: {x: mean}}",
]


LOOPS = [
    "data: {train: a, target: y, inputs: [x]}\nmodel: {output: 1}\nrollout: {dynamics: p.py:f, steps: 3, loss_on: 0}",
    "data: {train: a, target: next, inputs: [x]}\nrollout: {steps: 3, teacher_forcing: 0.5, loss_at: [0, 1, 1]}",
]
FORMS = [*LOOPS, *(GOOD + text for text in SHORT), *(f"data: {{train: a, {text}}}" for text in SHORT_DATA)]


@pytest.mark.parametrize("text", FORMS)
def test_every_short_form_fits(text):
    values = read_yaml(text.encode()).value
    Config.model_validate(values)
    assert problems(values) == []


def test_the_line_for_editors_replaces_another():
    text = with_schema_line("data: {train: a.csv}\n")
    assert text == f"# yaml-language-server: $schema={FILE.as_uri()}\ndata: {{train: a.csv}}\n"
    assert with_schema_line(text) == text
    assert with_schema_line(schema_line("../x.json") + "\n# About\n") == schema_line() + "\n# About\n"


def test_the_command_prints_it():
    result = CliRunner().invoke(main, ["schema"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, SCHEMA)


#: What a schema cannot say: JSON has one kind of number, and comparisons with nan and infinity are its reader's.
NOT_BY_SHAPE = {"seed: 1.0", "model: {dropout: .nan}", "optimizer: {learning_rate: 1e999}"}


@pytest.mark.parametrize(
    "text",
    [*(GOOD + text for text, _ in TABLE), *(f"data: {{{text}}}" for text, _ in DATA)],
    ids=lambda text: text[:60],
)
def test_what_the_loader_refuses_by_its_shape_is_refused(text):
    """Keys that are right by themselves but not together are left to the loader; see `NOT_BY_SHAPE` for the others."""
    document = read_yaml(text.replace("'a b\\e'", '"a b\\e"').encode())
    try:
        Config.model_validate(document.value)
    except ValidationError:
        assert bool(problems(document.value)) is not (text.removeprefix(GOOD) in NOT_BY_SHAPE)
    else:
        assert problems(document.value) == []
