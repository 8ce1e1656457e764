"""Which keys a resumed run may change, for every key of the grammar: a new key may not, unless it is listed here."""

from collections.abc import Iterator
from typing import get_origin

import pytest

from lstm_cli.config import Config
from lstm_cli.config.fields import ResumeRule, Section
from lstm_cli.config.grammar import resume_rules, sections_in

OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "Adamw", "Lamb", "Lars", "Nadam", "Rmsprop", "Sgd")
SCHEDULES = ("Constant", "Cosine", "Exponential", "Linear", "Plateau")
COMMON = ("learning_rate", "weight_decay", "clip_norm", "clip_norm_each", "clip_value")
ALWAYS = {
    ("threads", "Config"),
    ("track", "Config"),
    ("sweep", "Config"),
    ("data.on_error", "DataSpec"),
    ("data.cache", "DataSpec"),
    *((f"optimizer.{key}", optimizer) for key in COMMON for optimizer in OPTIMIZERS),
    *(("optimizer.epsilon", optimizer) for optimizer in OPTIMIZERS if optimizer not in ("Lars", "Sgd")),
    *((f"optimizer.{key}", name) for key in ("beta1", "beta2") for name in ("Adam", "Adamw", "Lamb", "Nadam")),
    ("optimizer.rho", "Adadelta"),
    ("optimizer.rho", "Rmsprop"),
    ("optimizer.momentum", "Lars"),
    ("optimizer.momentum", "Rmsprop"),
    ("optimizer.trust", "Lars"),
    ("optimizer.nesterov", "Sgd"),
    *((f"train.schedule.{key}", schedule) for key in ("name", "warmup") for schedule in SCHEDULES),
    *(("train.schedule.final", schedule) for schedule in ("Cosine", "Linear", "Plateau")),
    ("train.schedule.decay", "Exponential"),
    ("train.schedule.steps", "Exponential"),
    ("train.schedule.factor", "Plateau"),
    ("train.schedule.patience", "Plateau"),
    *(
        (f"train.{key}", "TrainSpec")
        for key in ("epochs", "patience", "evaluate_every", "checkpoint_every", "on_nonfinite",
                    "max_nonfinite")
    ),
}  # fmt: skip
# Key, section, values between which it may change, values between which it may not.
SOMETIMES = [
    *(
        (f"data.{key}", "DataSpec", ("a.csv", "b/c.csv"), ("a.csv", None))
        for key in ("train", "valid", "test")
    ),
    ("data.valid", "DataSpec", ("a.csv", "b.csv"), ("a.csv", 0.2)),
    ("data.test", "DataSpec", ("a.csv", "b.csv"), (0.1, 0.2)),
    ("rollout.dynamics", "RolloutSpec", ("a.py:f", "b/c.py:f"), ("a.py:f", "a.py:g")),
    ("rollout.dynamics", "RolloutSpec", ("a.py:f", "b.py:f"), ("a.py:f", None)),
    ("optimizer.momentum", "Sgd", (0.9, 0.5), (0.9, 0.0)),
    ("optimizer.momentum", "Sgd", (None, 0.0), (None, 0.5)),
]  # fmt: skip


def leaves(section: type[Section], path: str = "") -> Iterator[tuple[str, str, ResumeRule | None]]:
    """Every key that holds a value: dotted, with its section and its rule."""
    for key, field in section.model_fields.items():
        inner = [] if get_origin(field.annotation) in (dict, tuple) else list(sections_in(field.annotation))
        rules = [mark for mark in field.metadata if isinstance(mark, ResumeRule)]
        assert len(rules) <= 1
        for part in [] if rules else inner:
            yield from leaves(part, f"{path}{key}.")
        if rules or not inner:
            yield f"{path}{key}", section.__name__, rules[0] if rules else None


RULES = {(key, section): rule for key, section, rule in leaves(Config)}


def test_every_key_that_may_change_is_known():
    found = {key for key, rule in RULES.items() if rule is not None}
    assert found == ALWAYS | {(key, section) for key, section, _, _ in SOMETIMES}
    assert len(RULES) > len(found) + 30  # the others: by default a key may not change


@pytest.mark.parametrize("key", sorted(ALWAYS), ids=".".join)
def test_without_a_condition_it_may_always_change(key):
    assert RULES[key].condition == ""
    assert all(RULES[key].allows(*values) for values in [(1, 2), ("a", None), (None, 0.5), (0.0, 0.9)])


@pytest.mark.parametrize(("key", "section", "allowed", "refused"), SOMETIMES)
def test_with_a_condition_it_may_change_between_some_values(key, section, allowed, refused):
    rule = RULES[key, section]
    assert rule.condition
    for values, expected in ((allowed, True), (refused, False)):
        assert rule.allows(*values) == rule.allows(*values[::-1]) == expected


def test_the_rules_of_a_config_are_those_of_its_own_sections():
    values = {
        "threads": 2,
        "seed": 1,
        "data": {"train": "a.csv", "inputs": {"train": {"kind": "auto"}, "on_error": {"kind": "auto"}}},
        "optimizer": {"name": "sgd", "momentum": 0.5, "unheard-of": 3},
        "train": {"epochs": 3, "schedule": {"name": "plateau", "factor": 0.5}},
        "model": {"layers": [{"size": 3}], "embedding": {"threads": 3}},
    }
    free = {"threads", "data.train", "optimizer.momentum", "train.epochs", "train.schedule.name"}
    rules = resume_rules(values)
    assert set(rules) == free | {"train.schedule.factor"}
    assert rules["optimizer.momentum"] is RULES["optimizer.momentum", "Sgd"]
    assert resume_rules({"optimizer": {"name": "new", "momentum": 0.5}}) == {}
