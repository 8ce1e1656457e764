"""The section `sweep`: what can be searched, and the messages about what cannot."""

import pytest

from lstm_cli.config import load_config
from lstm_cli.config.space import Parameter, overrides_of, space_of
from lstm_cli.config.sweep import without_passwords
from lstm_cli.errors import ConfigError

HEAD = "data: {train: a.jsonl, target: y, inputs: [x], valid: 0.2}\n"


def config_of(folder, space, head=HEAD, more=""):
    path = folder / "c.yaml"
    path.write_text(f"{head}sweep:\n  space:\n    {space}\n{more}")
    return load_config(path)


def test_a_space_is_what_its_keys_take(tmp_path):
    config = config_of(
        tmp_path,
        "{train.batch_size: {low: 8, high: 64, log: true}, model.layers.0.dropout: [0.1, 0.2], seed: [3, 4], "
        "model.dropout: {low: 0, high: 0.5}, model.layers: [[64], [{size: 8, cell: gru}]]}",
    )
    assert space_of(config) == [
        Parameter("seed", ("3", "4")),
        Parameter("train.batch_size", (), 8.0, 64.0, log=True, whole=True),
        Parameter("model.dropout", (), 0.0, 0.5),
        Parameter("model.layers", ("[64]", '[{"size": 8, "cell": "gru"}]')),
        Parameter("model.layers.0.dropout", ("0.1", "0.2")),
    ]
    values = {"model.layers.0.dropout": "0.2", "model.layers": "[64]", "seed": "4"}
    assert overrides_of(config, values) == [
        "seed=4", "model.layers=[64]", "model.layers.0.dropout=0.2", "data.split_seed=1",
    ]  # fmt: skip


def test_choices_that_are_sections_may_differ_in_their_keys(tmp_path):
    space = "optimizer: [adam, {name: sgd, momentum: 0.9}]\n    optimizer.learning_rate: {low: 1e-4, high: 0.01}"
    assert [parameter.whole for parameter in space_of(config_of(tmp_path, space))] == [False, False]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("model.dropot: [0.1]", "c.yaml:4:20: sweep.space: model.dropot=0.1: unknown key (did you mean dropout?)"),
        ("model.dropout: [0.1, 1.5]", "c.yaml:4:26: sweep.space: model.dropout=1.5: got 1.5, expected a number of 0"),
        ("optimizer: [adam, adm]", "c.yaml:4:23: sweep.space: optimizer=\"adm\": got 'adm', expected one of adadelta"),
        ("model.dropout: {low: 0, high: 1}", "c.yaml:4:35: sweep.space: model.dropout=1: got 1, expected"),
        (
            "optimizer: [{name: sgd}, adam]\n    optimizer.momentum: [0.5]",
            "optimizer.momentum=0.5: unknown key of adam",
        ),
        ("data.valid: [0.1, 0.2]", "c.yaml:4:5: sweep.space.'data.valid': trials would be compared by different sc"),
        ("train: [{epochs: 3}]", "c.yaml:4:5: sweep.space.train: a section with keys that cannot be searched"),
        ("sweep.trials: [1]", "c.yaml:4:5: sweep.space.'sweep.trials': a sweep is not part of what it searches"),
        ("threads: [1, 2]", "the cores are shared out among the trials"),
        ("loss.normalize: [step, sequence]", "the loss means something else for every value of loss.normalize"),
    ],
)
def test_what_cannot_be_searched(tmp_path, space, message):
    with pytest.raises(ConfigError) as caught:
        space_of(config_of(tmp_path, space))
    assert message in str(caught.value)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{}", "c.yaml:4:5: sweep.space: nothing to search"),
        ("a: {low: 1, high: 0}", "c.yaml:4:8: sweep.space.a: low is 1 and high 0: low must be smaller"),
        ("a: {low: 0, high: 1, log: true}", "c.yaml:4:8: sweep.space.a: low is 0, which has no logarithm"),
        ("a: {lo: 0, high: 1}", "c.yaml:4:9: sweep.space.a.lo: unknown key (did you mean low?)"),
        ("a: 3", "c.yaml:4:8: sweep.space.a: got 3, expected a list of choices, or a range"),
        ("a: []", "sweep.space.a: got a list, expected a list of choices"),
        ("a: [1, 1]", "sweep.space.a: 1 is listed twice"),
    ],
)
def test_what_is_no_space(tmp_path, space, message):
    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path, space)
    assert message in str(caught.value)


def test_other_keys_of_a_sweep(tmp_path):
    for more, message in {
        "  time: 2 days\n": "sweep.time: got '2 days', expected a time such as 10min or 2h",
        "  storage: mysql://h/d\n": "sweep.storage: got 'mysql://h/d', expected postgresql://HOST/DATABASE",
        "  storage: postgresql://u:secret@h\n": "sweep.storage: got 'postgresql://u:***@h', expected postgresql://",
    }.items():
        with pytest.raises(ConfigError, match=r"c\.yaml:5:") as caught:
            config_of(tmp_path, "seed: [1, 2]", more=more)
        assert message in str(caught.value)
        assert "secret" not in str(caught.value)


def test_without_the_section_there_is_nothing_to_search(tmp_path):
    (tmp_path / "c.yaml").write_text(HEAD)
    with pytest.raises(ConfigError, match=r"c.yaml: sweep: missing: give the keys to search, such as sweep: \{space"):
        space_of(load_config(tmp_path / "c.yaml"))


def test_passwords_are_left_out():
    for text, shown in {
        "postgresql://me:pa@ss:w@host:5432/db": "postgresql://me:***@host:5432/db",
        "sweep.storage=postgresql://host/db?user=me&password=abc": "sweep.storage=postgresql://host/db?user=me&password=***",
        "postgresql://me@host/db": "postgresql://me@host/db",
        "a: b@c": "a: b@c",
    }.items():
        assert without_passwords(text) == shown
