# ruff: noqa: E501
import pytest

from tests.support.config import GOOD, errors, load


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("train.epochs=5", lambda c: c.train.epochs, 5),
        ("optimizer.learning_rate=1e-3", lambda c: c.optimizer.learning_rate, 1e-3),
        ("model.layers=[64,64]", lambda c: [layer.size for layer in c.model.layers], [64, 64]),
        ("model.layers.0.size=32", lambda c: [layer.size for layer in c.model.layers], [32, 9]),
        ("model.layers.1={size: 7, cell: gru}", lambda c: c.model.layers[1].cell, "gru"),
        ("train.patience=", lambda c: c.train.patience, None),
        ("train.patience=null", lambda c: c.train.patience, None),
        ("train.evaluate_every=10 steps", lambda c: str(c.train.evaluate_every), "10 steps"),
        ("data.target.kind=category", lambda c: (c.data.target.column, c.data.target.kind), ("y", "category")),
        ("data.train=b=c.jsonl", lambda c: c.data.train, "b=c.jsonl"),
        ("data.inputs={w: tokens}", lambda c: c.data.inputs["w"].kind, "tokens"),
        ("train.schedule.final=0.5", lambda c: (c.train.schedule.name, c.train.schedule.final), ("linear", 0.5)),
        ("optimizer=adam", lambda c: c.optimizer.name, "adam"),
        ("loss.weight=w", lambda c: c.loss.weight, "w"),
    ],
)
def test_one_key_is_set(tmp_path, override, read, value):
    text = GOOD + "model: {layers: [8, 9]}\ntrain: {schedule: linear}"
    assert read(load(tmp_path, text, override)) == value


def test_later_wins_over_earlier_and_over_the_file(tmp_path):
    config = load(tmp_path, GOOD + "seed: 1\nmodel: {layers: [1, 2, 3]}", "seed=2", "seed=3", "model.layers=[4]")
    assert config.seed == 3
    assert [layer.size for layer in config.model.layers] == [4]


def test_another_optimizer_by_name(tmp_path):
    text = GOOD + "optimizer:\n  name: adadelta\n  learning_rate: 0.5\n"
    assert load(tmp_path, text, "optimizer.name=adam").optimizer.learning_rate == 0.5


def test_keys_that_another_optimizer_does_not_have_are_listed(tmp_path):
    text = GOOD + "optimizer:\n  name: adadelta\n  rho: 0.9\n"
    lines = errors(tmp_path, text, "optimizer.name=sgd", "optimizer.beta1=0.5")
    has = "name, learning_rate, weight_decay, clip_norm, clip_norm_each, clip_value, rates, momentum, nesterov"
    assert lines == [
        f"c.yaml:4:3: optimizer.rho: unknown key of sgd, expected one of {has}; the command line says "
        "optimizer.name=sgd: to drop the file's other keys, give 'optimizer={name: sgd}'",
        f"command line: optimizer.beta1=0.5: unknown key of sgd, expected one of {has}",
    ]
    assert load(tmp_path, text, "optimizer={name: sgd}").optimizer.name == "sgd"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epoch=5", "unknown key (did you mean epochs?)"),
        ("trian.epochs=5", "trian: unknown key (did you mean train?)"),
        ("train.epochs=many", "got 'many', expected auto, or a whole number of 1 or more"),
        ("model.layers=[8, {size: x}]", "model.layers.1.size: got 'x', expected a whole number of 1 or more"),
        ("model.layers=[8, {size: 4, sise: 4}]", "model.layers.1.sise: unknown key (did you mean size?)"),
        ("model.layers.2=8", "model.layers is a list of 2: give an index from 0, or the whole list"),
        ("model.layers.first=8", "model.layers is a list of 2: give an index from 0, or the whole list"),
        ("model.layers.-1=8", "model.layers is a list of 2: give an index from 0, or the whole list"),
        ("seed.x=8", "seed is 1, which has no keys of its own"),
        ("data.train={a: 1}", "got a mapping, expected a path, or a list of paths"),
        ("seed", "expected KEY=VALUE, such as train.epochs=5"),
        ("=5", "expected KEY=VALUE, such as train.epochs=5"),
        ("train..epochs=5", "expected KEY=VALUE, such as train.epochs=5"),
        ("a." * 30 + "b=5", "expected KEY=VALUE, such as train.epochs=5"),
        ("data.target=@y", "not YAML: found character '@' that cannot start any token (put quotes around the value) while scanning for the next token"),
        ("model={cell: gru, cell: rnn}", "given twice, first in line 1: keep one"),
        ("train.batch_steps=9", "give batch_size or batch_steps, not both: set the other to null"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_as_it_was_typed(tmp_path, override, message):
    text = GOOD + "seed: 1\nmodel: {layers: [8, 9]}\ntrain: {batch_size: 3}"
    assert errors(tmp_path, text, override) == [f"command line: {override}: {message}"]


def test_an_overridden_mistake_of_the_file_is_none(tmp_path):
    assert load(tmp_path, GOOD + "train: {epochs: many}", "train.epochs=3").train.epochs == 3
    assert load(tmp_path, GOOD + "model: {layers: [x, y]}", "model.layers=[3]").model.layers[0].size == 3


def test_bytes_that_are_not_utf8_are_no_matter_of_a_file(tmp_path):
    assert errors(tmp_path, GOOD, "data.train=a\udcff.csv", "data.\udcff=1") == [
        "command line: data.train=a\\udcff.csv: bytes that are not UTF-8: give this value in UTF-8, or in a config",
        "command line: data.\\udcff=1: bytes that are not UTF-8: give the key as the documentation writes it",
    ]
