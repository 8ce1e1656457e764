"""Every key that accepts a number, with numbers that no run can use: accepted as it is, or refused in words."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest

from lstm_cli.config import Config, config_from_mapping
from lstm_cli.config.fields import LARGEST, Section
from lstm_cli.config.grammar import sections_in, tag_of
from lstm_cli.errors import ConfigError
from tests.support.config import merged

ODD = [
    math.nan, math.inf, -math.inf, -1, 0, -0.0, 0.5, 1e-320, 1e15, 1e308, LARGEST, LARGEST + 1, 10**30, 10**400,
    10**5000, True, "10^15", "10**15", "1,000", "1e15", "nan", "٣",
]  # fmt: skip
#: As YAML on the command line.
SPELLED = [
    "10^15",
    "10**15",
    "1e15",
    "1_000",
    ".nan",
    ".inf",
    "-.inf",
    "1e999",
    "9" * 400,
    "9" * 5000,
    "0x" + "f" * 400,
]
#: Where a value that no other section has is needed before a key may be set.
BASE = {"data": {"train": "x.csv", "inputs": ["x"], "target": "y"}}


def takes_number(annotation: Any) -> bool:
    """Whether a type accepts a number by itself, in a union or in a list."""
    if get_origin(annotation) is Annotated:
        return takes_number(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return False
    return annotation in (int, float) or any(map(takes_number, get_args(annotation)))


def numeric(section: type[Section], path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Every path to a key that accepts numbers; names of columns are x, and lists have one entry."""
    for key, field in section.model_fields.items():
        here = (*path, key)
        if takes_number(field.annotation):
            yield here
        for inner in sections_in(field.annotation):
            inside = {dict: ("x",), tuple: (0,)}.get(get_origin(field.annotation), ())
            named = tag_of(inner)
            yield from ((*here, *inside, *((f"<{named}>",) * bool(named)), *rest) for rest in numeric(inner, ()))


PATHS = sorted(set(numeric(Config, ())), key=str)


def mapping(path: tuple[Any, ...], value: Any) -> Any:
    """Nested values with one at a path."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if first == 0:
        return [{"size": 4, **mapping(rest, value)}]
    if isinstance(first, str) and first.startswith("<"):
        return {"name": first[1:-1], **mapping(rest, value)}
    return {first: mapping(rest, value)}


def floats(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from floats(inner)
    elif isinstance(value, float):
        yield value


def test_the_list_is_that_of_the_grammar():
    keys = {str(path[-1]) for path in PATHS}
    assert {"seed", "threads", "epochs", "size", "embedding", "momentum", "huber_delta", "window", "loss_at"} <= keys
    assert len(PATHS) > 60


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_number(path):
    for value in ODD:
        try:
            config = config_from_mapping(merged(BASE, mapping(path, value)))
        except ConfigError as error:
            text = str(error)
            assert len(text) < 500, text
            assert all(": " in line for line in text.splitlines()), text
            assert "Input should" not in text, text
        else:
            assert all(map(math.isfinite, floats(config.model_dump(mode="json")))), value


@pytest.mark.parametrize("text", SPELLED)
@pytest.mark.parametrize("key", ["train.epochs", "seed", "threads", "model.embedding", "optimizer.learning_rate"])
def test_numbers_on_the_command_line(key, text):
    try:
        config_from_mapping(BASE, overrides=[f"{key}={text}"])
    except ConfigError as error:
        line = str(error)
        assert line.startswith(f"command line: {key}={text[:20]}")
        assert "got" in line or "digits" in line
        assert len(line) < 500
    else:
        assert key == "optimizer.learning_rate"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10^15", "got '10^15', which is text: write a whole number of at most 2147483647 in digits alone"),
        ("1_000", "got '1_000', which is text: write a whole number of at most 2147483647 in digits alone"),
        ("1000000000000000", "got 1000000000000000, expected a whole number of at most 2,147,483,647"),
        ("1e15", "got 1000000000000000.0, expected a whole number of at most 2,147,483,647"),
        ("1e3", "got 1000.0, expected auto, or a whole number of 1 or more"),
    ],
)
def test_what_to_write_instead(text, problem):
    with pytest.raises(ConfigError) as caught:
        config_from_mapping(BASE, overrides=[f"train.epochs={text}"])
    assert str(caught.value) == f"command line: train.epochs={text}: {problem}"
