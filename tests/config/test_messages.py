"""Every kind of wrong config, and the exact words of its message."""
# ruff: noqa: E501

import pytest

from lstm_cli.config import config_from_mapping, load_config
from lstm_cli.errors import ConfigError
from tests.support.config import GOOD, errors, load, write
from tests.support.wrong_configs import DATA, TABLE


@pytest.mark.parametrize(("text", "message"), TABLE, ids=[text[:40] for text, _ in TABLE])
def test_one_thing_wrong_is_one_line(tmp_path, text, message):
    text = text.replace("'a b\\e'", '"a b\\e"')
    assert errors(tmp_path, GOOD + text) == [message.replace("\\\\e", "\\x1b")]


@pytest.mark.parametrize(("section", "message"), DATA, ids=[section[:60] for section, _ in DATA])
def test_data(tmp_path, section, message):
    assert errors(tmp_path, f"data: {{{section}}}") == [message]


@pytest.mark.parametrize(("word", "shown"), [("automatic", "'automatic'"), ("null", "null"), ("''", "''")])
def test_layers_are_no_word_but_auto(tmp_path, word, shown):
    data = "data: {train: a.csv, target: y}\n"
    expected = "expected auto, a whole number of 1 or more, or a list of layers"
    assert errors(tmp_path, f"{data}model: {{layers: {word}}}") == [
        f"c.yaml:2:17: model.layers: got {shown}, {expected}"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {layers: [{size: 4, bidirectional: true}]}", "c.yaml:2:43: model.layers.0.bidirectional: "),
        ("model: {bidirectional: true}", "c.yaml:2:24: model.bidirectional: "),
    ],
)
def test_a_bidirectional_layer_neither_carries_its_state_nor_predicts_the_next_step(tmp_path, text, message):
    carrying = "data: {train: a.csv, target: y, window: 5, carry_state: true}\n"
    reason = "a bidirectional layer also reads from the end and cannot carry its state: set one of them false"
    assert errors(tmp_path, carrying + text) == [message + reason]
    reason = "a bidirectional layer sees the next step, which it should predict: set it to false"
    assert errors(tmp_path, "data: {train: a.csv, target: next}\n" + text) == [message + reason]
    assert errors(tmp_path, "data: {train: a.txt}\n" + text) == [message + reason]


@pytest.mark.parametrize(
    ("data", "rest", "reason"),
    [
        ("valid: null", "seed: 1", "there is no data.valid to score"),
        ("valid: 0.2", "model: {bidirectional: true}", "a layer that also reads from the end cannot continue a state"),
        ("valid: 0.2", "rollout: {steps: 3}", "a closed loop is scored window by window"),
    ],
)
def test_only_a_series_read_forward_is_scored_in_streams(tmp_path, data, rest, reason):
    target = "next" if "rollout" in rest else "y"
    text = (
        f"train: {{valid_streams: 8}}\ndata: {{train: a.csv, inputs: [x], target: {target}, window: 3, {data}}}\n{rest}"
    )
    assert errors(tmp_path, text) == [f"c.yaml:1:24: train.valid_streams: {reason}: leave it out"]


@pytest.mark.parametrize("entry", ["kind: category", "per: sequence", "ahead: 1"])
def test_a_goal_is_numbers_for_the_steps_of_the_loop(tmp_path, entry):
    text = f"data: {{train: a.jsonl, inputs: [x], target: {{column: y, {entry}}}}}\n"
    text += "model: {output: 1}\nrollout: {dynamics: p.py:f, steps: 3}"
    (line,) = errors(tmp_path, text)
    assert line.startswith(f"c.yaml:1:{text.index(entry) + entry.index(':') + 3}: data.target.{entry.split(':')[0]}: ")
    assert line.endswith("with rollout.dynamics the goal is numeric, for the steps of the closed loop: leave it out")


@pytest.mark.parametrize("entry", ["end: 0.5", "steps: 7"])
def test_constant_forcing_does_not_change(tmp_path, entry):
    text = "data: {train: a.csv, inputs: [x], target: next}\n"
    text += f"rollout: {{teacher_forcing: {{name: constant, {entry}}}}}"
    (line,) = errors(tmp_path, text)
    assert (
        f"rollout.teacher_forcing.{entry.split(':')[0]}: constant forcing keeps its start value: leave it out, or set name: linear or exponential"
        in line
    )


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(tmp_path):
    text = """
data:
  train: a.csv
  trian: b.csv
  target: y
  carry_state: true
model: {cell: lstn, layers: [0]}
optimizer: {name: adm, rho: 3}
train:
  epochs: many
  epochs: 3
  schedule: {name: linear, final: 2}
"""
    lines = errors(tmp_path, text, "seed=x", "train.epoch=5", "data")
    assert [line.split(": ")[0] + ": " + line.split(": ")[1] for line in lines] == [
        "c.yaml:11:3: train.epochs",
        "command line: data",
        "c.yaml:4:3: data.trian",
        "c.yaml:6:16: data.carry_state",
        "c.yaml:7:15: model.cell",
        "c.yaml:7:30: model.layers.0",
        "c.yaml:8:19: optimizer.name",
        "c.yaml:10:11: train.epochs",
        "c.yaml:12:35: train.schedule.final",
        "command line: seed=x",
        "command line: train.epoch=5",
    ]


def test_a_check_that_depends_on_a_wrong_value_waits(tmp_path):
    lines = errors(tmp_path, "data: {train: a.csv, target: y, carry_state: true, window: wide}")
    assert lines == ["c.yaml:1:60: data.window: got 'wide', expected a whole number of 1 or more"]


def test_only_the_first_problems_are_shown(tmp_path):
    lines = errors(tmp_path, GOOD + "".join(f"key{i}: 1\n" for i in range(80)))
    assert len(lines) == 51
    assert lines[-1] == "… and 30 more"


def test_long_values_and_keys_are_cut(tmp_path):
    (line,) = errors(tmp_path, GOOD + "model: {cell: " + "x" * 5000 + "}")
    assert len(line) < 200
    (line,) = errors(tmp_path, GOOD + "k" * 900 + ": 1")
    assert len(line) < 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "c.yaml: data.train: missing: give the training data: a file, a pattern such as `logs/*.csv`, a folder, or a list of them, relative to the config file"),
        (b"- 1", "c.yaml:1:1: got a list, expected a config: sections such as 'data:' with keys below"),
        (b"hello", "c.yaml:1:1: got text, expected a config: sections such as 'data:' with keys below"),
        # another file, of which nothing is shown
        (
            b"root:$6$abc:19000:0:99999:7:::\ndaemon:*:1:0:99999:7:::\n",
            "c.yaml:1:1: got keys that no config has, expected a config: sections such as 'data:' with keys below",
        ),
        (b"data: {train: [", "c.yaml:1:16: not YAML: expected the node content, but found '<stream end>' while parsing a flow node"),
        (b"data: \xff", "c.yaml:1:7: byte 0xff is not UTF-8: save the file as UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_config(tmp_path, content, message):
    assert errors(tmp_path, content)[0] == message


def test_a_missing_file_names_the_one_that_was_meant(tmp_path):
    write(tmp_path, GOOD, "vowels.yaml")
    with pytest.raises(
        ConfigError, match=r"vowls\.yaml: no such file, expected a YAML config \(did you mean .*vowels.yaml\?"
    ):
        load_config(tmp_path / "vowls.yaml")
    with pytest.raises(ConfigError, match=r"no such file, expected a YAML config$"):
        load_config(tmp_path / "nowhere" / "x.yaml")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"is a folder, expected a YAML config: give the file in it"):
        load_config(tmp_path)


@pytest.mark.parametrize("path", ["a\0b.yaml", "x" * 5000, "c.yaml/d.yaml"])
def test_what_cannot_be_opened_is_reported(tmp_path, path):
    write(tmp_path, GOOD)
    with pytest.raises(ConfigError, match=r"cannot be read \(.*\): give a readable YAML file"):
        load_config(f"{tmp_path}/{path}")


def test_python_values_have_no_place():
    with pytest.raises(ConfigError) as caught:
        config_from_mapping({"data": {"train": "a", "target": "y"}, "model": {"cell": "lstn"}})
    assert str(caught.value) == "model.cell: got 'lstn', expected one of lstm, gru, rnn (did you mean lstm?)"


def test_errors_found_later_name_the_place(tmp_path):
    config = load(tmp_path, GOOD + "train:\n  epochs: 3\n", "seed=7")
    path = tmp_path / "c.yaml"
    assert str(config.error("data.target", "no column y")) == f"{path}:1:45: data.target: no column y"
    assert str(config.error("data.inputs.x", "no column x")) == f"{path}:1:24: data.inputs.x: no column x"
    assert str(config.error("seed", "too small")) == "command line: seed=7: too small"
    assert str(config.error("model.cell", "is slow")) == f"{path}: model.cell: is slow"
    assert config.source.locate(("train", "epochs")) == f"{path}:3:11"
