"""``lstm init`` writes out what the defaults choose: its config trains to the weights of its section `data` alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_cli import draft_config, train
from lstm_cli.config import Config, load_config
from lstm_cli.config.given import given_keys
from lstm_cli.data import Length, open_data
from lstm_cli.insight.draft.network import _KEYS
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import LAST


def rows(folder: Path, make: Callable[[int, np.random.Generator], dict[str, Any]]) -> Path:
    draw = np.random.default_rng(3)
    (folder / "a.jsonl").write_text("\n".join(json.dumps(make(k, draw)) for k in range(30)))
    return folder / "a.jsonl"


def table(folder: Path, head: str, lines: list[str]) -> Path:
    (folder / "a.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder / "a.csv"


def classify(folder: Path) -> Path:
    return rows(folder, lambda k, draw: {"x": draw.normal(size=(3 + k % 4, 2)).tolist(), "kind": "ab"[k % 2]})


def regress(folder: Path) -> Path:
    return rows(folder, lambda k, draw: {"x": draw.normal(size=(3 + k % 4, 2)).tolist(), "level": draw.normal()})


def sets(folder: Path) -> Path:
    return rows(folder, lambda k, draw: {"notes": [[60, 64], [62], [60, 65 + k % 3], []] * 2})


def tag(folder: Path) -> Path:
    (folder / "a.conll").write_text("the DT O\ndog NN O\nsees VBZ O\nAnna NNP B-PER\n\n" * 20)
    return folder / "a.conll"


def each_step(folder: Path) -> Path:
    draw = np.random.default_rng(3)
    return table(
        folder, "unit,cycle,s,rul", [f"{u},{c},{draw.normal():.2f},{9 - c}" for u in range(6) for c in range(9)]
    )


def text(folder: Path) -> Path:
    (folder / "a.txt").write_text("to be or not to be\n" * 30)
    return folder / "a.txt"


def series(values: np.ndarray) -> Callable[[Path], Path]:
    return lambda folder: table(folder, "t,level", [f"{k},{value:.4f}" for k, value in enumerate(values)])


def hours(folder: Path) -> Path:
    hour = np.arange(240)
    load = 50 + 20 * np.sin(2 * np.pi * hour / 24) + np.random.default_rng(3).normal(size=240)
    times = np.datetime64("2023-01-01T00") + hour.astype("timedelta64[h]")
    return table(folder, "time,load", [f"{time},{value:.2f}" for time, value in zip(times, load, strict=True)])


SMOOTH, NOISE = np.sin(np.arange(300) / 9), np.random.default_rng(3).normal(size=60)
#: A file, and what of the network is to be chosen for it.
KINDS: dict[str, tuple[Callable[[Path], Path], set[str]]] = {
    "classify": (classify, {"bidirectional", "pool"}),
    "regress": (regress, {"bidirectional"}),
    "regress each step": (each_step, set()),
    "tag": (tag, {"bidirectional", "embedding"}),
    "text": (text, {"embedding"}),
    "sets": (sets, {"recurrent_dropout"}),
    "smooth": (series(SMOOTH), {"residual"}),
    "noise": (series(NOISE), set()),
    "short": (series(NOISE[:3]), set()),
    "a day ahead": (hours, set()),
}


def both(path: Path) -> tuple[Config, Config, str]:
    """The config that is drafted for a file, the one of its sections before `model`, and its text."""
    text = draft_config(path, path=path.with_name("whole.yaml")).text
    for name, content in (("whole", text), ("bare", text[: text.index("\nmodel:")])):
        path.with_name(f"{name}.yaml").write_text(content + "\n")
    return load_config(path.with_name("whole.yaml")), load_config(path.with_name("bare.yaml")), text


def resolved(config: Config) -> dict[str, Any]:
    """All that determines the weights that a config is trained to; in place of `auto` what it stands for."""
    data = open_data(config)
    batches = data.batches["train"]
    found = data.config.model_dump()
    found["train"] |= {"batch_size": batches.batch_size, "epochs": Length.of(data.config, batches).epochs}
    del found["train"]["monitor"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_drafted_config_writes_out_the_defaults(tmp_path: Path, kind: str) -> None:
    make, network = KINDS[kind]
    whole, bare, _ = both(make(tmp_path))
    assert resolved(whole) == resolved(bare)
    given = given_keys(whole)
    assert given["model"].keys() == {"layers", "dropout", *network}
    assert given["train"].keys() - {"monitor"} == {"epochs", "batch_size", "patience"}
    assert isinstance(given["train"]["epochs"], int)
    assert set(open_data(bare).chosen) == given["model"].keys()  # in whatever order, nothing is left out


def test_every_key_that_may_be_chosen_is_chosen_for_some_kind() -> None:
    assert set().union(*(network for _, network in KINDS.values())) == set(_KEYS) - {"layers", "dropout"}


@pytest.mark.parametrize("kind", ["classify", "smooth"])
def test_a_drafted_config_trains_to_the_same_weights(tmp_path: Path, kind: str) -> None:
    whole, bare, _ = both(KINDS[kind][0](tmp_path))
    weights = []
    for config in (whole, bare):
        result = train(config, ["train.epochs=1"], run=tmp_path / f"run{len(weights)}", verbosity=-1)
        weights.append(load(result.folder / LAST).model)
    assert weights[0].keys() == weights[1].keys()
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_reasons_say_what_of_the_data_a_value_depends_on(tmp_path: Path) -> None:
    made = both(classify(tmp_path))[2]
    assert "one layer, as there are 24 sequences to learn from" in made
    assert "3 updates each, 1,500 in all" in made
    made = both(series(SMOOTH)(tmp_path))[2]
    assert "one layer, as there are 239 steps to learn from" in made
    assert "the change is predicted, as values change little from step to step" in made
    assert "the data has hardly any noise" in made
