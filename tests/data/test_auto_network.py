"""The network of a config that gives no layers: what is chosen for which data, and that it is the same as if given."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_cli.api import _settings
from lstm_cli.config import Config, config_from_mapping
from lstm_cli.config.given import given_keys
from lstm_cli.data import auto_network, open_data
from lstm_cli.data.auto_network import network_for, with_network
from lstm_cli.data.batching import changes
from lstm_cli.data.batching.changes import relative_change
from lstm_cli.run.names import BEST, RESOLVED
from lstm_cli.training.check import check
from tests.support.config import merged
from tests.support.runs import train, train_in_sessions

CLASSIFY = {"train": "labels.jsonl", "inputs": ["x"], "target": "y", "valid": None}
SERIES = {"train": "series.csv", "inputs": ["a"], "target": "next", "valid": None}
TEXT = {"train": "text.txt", "target": "next", "valid": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences with labels, numbers, tags and sets, and series of several shapes."""
    folder, draw = tmp_path_factory.mktemp("data"), np.random.default_rng(1)
    with (folder / "labels.jsonl").open("w") as file:
        for number in range(40):
            x = draw.normal(size=(int(draw.integers(3, 9)), 2)).round(3).tolist()
            row = {
                "x": x,
                "y": "up" if x[0][0] > 0 else "down",
                "z": x[1][0],
                "tags": ["p" if a > 0 else "q" for a, _ in x],
            }
            row |= {"now": [a + b for a, b in x], "notes": [sorted({int(a > 0), 2 + int(b > 0)}) for a, b in x]}
            file.write(json.dumps(row) + "\n")
    (folder / "text.txt").write_text("".join(draw.choice(list("abc de"), size=4000).tolist()))
    walk = np.cumsum(draw.normal(size=400))
    smooth = np.sin(np.arange(400) / 20)
    between = np.zeros(400)  # autoregressive: its change is .57 of its deviation
    for k in range(1, 400):
        between[k] = 0.84 * between[k - 1] + draw.normal()
    for name, values in (("noise", draw.normal(size=400)), ("walk", walk), ("smooth", smooth), ("series", between)):
        (folder / f"{name}.csv").write_text("\n".join(["a", *(f"{value:.5f}" for value in values)]) + "\n")
    return folder


def config_of(folder: Path, data: dict[str, Any], **sections: Any) -> Config:
    monitor = {"train": {"monitor": "train.loss"}}
    return config_from_mapping(merged({"threads": 1, "data": data, **monitor}, sections), folder)


def chosen(folder: Path, data: dict[str, Any], **sections: Any) -> dict[str, Any]:
    config = config_of(folder, data, **sections)
    return network_for(config, open_data(config).train)


@pytest.mark.parametrize(
    ("data", "network"),
    [
        (CLASSIFY, {"layers": [32], "dropout": 0.3, "bidirectional": True, "pool": "max"}),
        (CLASSIFY | {"target": "z"}, {"layers": [32], "dropout": 0.0, "bidirectional": True}),
        (CLASSIFY | {"target": ["y", "z"]}, {"layers": [32], "dropout": 0.3, "bidirectional": True}),
        (CLASSIFY | {"target": "tags"}, {"layers": [32], "dropout": 0.3, "bidirectional": True}),
        (CLASSIFY | {"target": "tags", "window": 4, "carry_state": True}, {"layers": [32], "dropout": 0.3}),
        (CLASSIFY | {"target": "now"}, {"layers": [32], "dropout": 0.1}),
        (
            CLASSIFY | {"inputs": {"notes": {"kind": "set"}}, "target": "next"},
            {"layers": [96], "dropout": 0.5, "recurrent_dropout": 0.3},
        ),
        (
            CLASSIFY | {"inputs": {"tags": {"kind": "tokens"}}, "target": "y"},
            {"layers": [32], "dropout": 0.3, "bidirectional": True, "pool": "max", "embedding": 8},
        ),
        (TEXT, {"layers": [32], "dropout": 0.3, "embedding": 8}),
        (SERIES, {"layers": [32], "dropout": 0.1, "residual": True}),
        (SERIES | {"train": "noise.csv"}, {"layers": [32], "dropout": 0.1}),
        (SERIES | {"train": "smooth.csv"}, {"layers": [32], "dropout": 0.0, "residual": True}),
        (SERIES | {"train": "walk.csv", "transform": {"a": "difference"}}, {"layers": [32], "dropout": 0.1}),
        (SERIES | {"train": "smooth.csv", "target": {"column": "a", "horizon": 3}}, {"layers": [32], "dropout": 0.1}),
    ],
)
def test_the_network_fits_the_data(folder: Path, data: dict[str, Any], network: dict[str, Any]) -> None:
    assert chosen(folder, data) == network


def test_more_data_makes_a_larger_network(folder: Path, tmp_path: Path) -> None:
    text = "".join(np.random.default_rng(2).choice(list("abcdefghijklmnopqrstuvwx"), size=40_000).tolist())
    (tmp_path / "text.txt").write_text(text)
    assert chosen(tmp_path, TEXT) == {"layers": [128], "dropout": 0.3, "embedding": 32}
    (tmp_path / "labels.jsonl").write_text((folder / "labels.jsonl").read_text() * 7)
    assert chosen(tmp_path, CLASSIFY)["layers"] == [64]
    (tmp_path / "labels.jsonl").write_text((folder / "labels.jsonl").read_text() * 40)
    assert chosen(tmp_path, CLASSIFY)["layers"] == [64]
    words = " ".join(f"w{number}" for number in np.random.default_rng(3).integers(0, 900, 3000))
    (tmp_path / "text.txt").write_text(words)
    assert chosen(tmp_path, TEXT | {"unit": "word"}) == {"layers": [32], "dropout": 0.3, "embedding": 64}


def test_changes_are_counted_within_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequences = [[0, 1, 3, 9], [20, 20.5, 22]]  # the last steps are targets only
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"x": x}) + "\n" for x in sequences))
    config = config_of(
        tmp_path, {"train": "a.jsonl", "inputs": ["x"], "target": "next", "valid": None, "scale": "none"}
    )
    deviation = np.std([0, 1, 3, 20, 20.5])
    train = open_data(config).train
    for rows in (1, 2, 3, 100):
        monkeypatch.setattr(changes, "_ROWS", rows)
        assert relative_change(train) == pytest.approx(np.sqrt((1 + 4 + 0.25) / 3) / deviation)


def test_few_tokens_need_few_units(tmp_path: Path) -> None:
    symbols = np.random.default_rng(2).choice(list("abcdef"), size=40_000).tolist()
    (tmp_path / "text.txt").write_text("".join(symbols))
    assert chosen(tmp_path, TEXT) == {"layers": [32], "dropout": 0.3, "embedding": 8}


def test_what_is_long_can_be_run_piece_by_piece(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto_network, "_LONGEST", 7)
    assert chosen(folder, CLASSIFY) == {"layers": [32], "dropout": 0.3}


def test_what_a_closed_loop_reads_is_not_dropped(folder: Path) -> None:
    rollout = {"rollout": {"warmup": 5, "steps": 10}}
    assert chosen(folder, SERIES, **rollout) == {"layers": [32], "dropout": 0.0, "residual": True}


@pytest.mark.parametrize(
    ("data", "model", "rest"),
    [
        (CLASSIFY, {"bidirectional": False}, {"pool": "max", "dropout": 0.3}),
        (CLASSIFY, {"pool": "attention", "cell": "gru"}, {"bidirectional": True, "dropout": 0.3}),
        (SERIES, {"dropout": 0.5, "residual": False}, {}),
        (TEXT, {"embedding": 5}, {"dropout": 0.3}),
    ],
)
def test_what_is_given_stays(folder: Path, data: dict[str, Any], model: dict[str, Any], rest: dict[str, Any]) -> None:
    config = config_of(folder, data, model=model)
    found = open_data(config).config.model
    assert [layer.size for layer in found.layers] == [32]
    assert {key: getattr(found, key) for key in (*model, *rest)} == {**model, **rest}
    assert found.layers[0].bidirectional is found.bidirectional


@pytest.mark.parametrize(("model", "size"), [({}, 32), ({"embedding": 12}, 12)])
def test_tied_embeddings_are_as_wide_as_the_layer(folder: Path, model: dict[str, Any], size: int) -> None:
    config = config_of(folder, TEXT, model={"tie_embeddings": True, **model})
    found = open_data(config).config.model
    assert (found.embedding, found.layers[0].size) == (size, size)


def test_layers_given_leave_nothing_to_choose(folder: Path) -> None:
    config = config_of(folder, CLASSIFY, model={"layers": [3]})
    assert with_network(config, open_data(config).train) == (config, {})


def test_a_check_says_what_was_chosen(folder: Path) -> None:
    note = "model: layers: [32], dropout: 0.3, bidirectional: true, pool: max: chosen from the data, as model.layers"
    for model in ({}, {"layers": "auto"}):
        found = check(config_of(folder, CLASSIFY, model=model))
        assert [text for text in found.notes if text.startswith("model: ")] == [f"{note} is not given"]
    assert not [text for text in check(config_of(folder, CLASSIFY, model={"layers": 3})).notes if "chosen from" in text]


@pytest.mark.parametrize(("model", "overrides"), [({"layers": "auto"}, []), ({"layers": [3]}, ["model.layers=auto"])])
def test_auto_is_what_no_layers_are(folder: Path, model: dict[str, Any], overrides: list[str]) -> None:
    sections = {"data": CLASSIFY, "model": model, "train": {"monitor": "train.loss"}}
    config = config_from_mapping(sections, folder, overrides)
    data = open_data(config)
    assert data.chosen == {"layers": [32], "dropout": 0.3, "bidirectional": True, "pool": "max"}
    assert [layer.size for layer in data.config.model.layers] == [32]
    assert given_keys(data.config)["model"] == data.chosen


@pytest.mark.parametrize("model", [{}, {"layers": "auto"}])
def test_the_chosen_network_is_the_one_that_is_given_and_resumes(
    folder: Path, tmp_path: Path, model: dict[str, Any]
) -> None:
    runs = [tmp_path / name for name in ("given", "chosen", "resumed")]
    short = {"train": {"epochs": 2, "batch_size": 16}}
    given = {"layers": [32], "dropout": 0.3, "bidirectional": True, "pool": "max"}
    train(config_of(folder, CLASSIFY, model=given, **short), runs[0])
    auto = config_of(folder, CLASSIFY, model=model, **short)
    train(auto, runs[1])
    assert train_in_sessions(auto, runs[2], [2, 2]) == 3
    resolved = (runs[1] / RESOLVED).read_text()
    assert all(text in resolved for text in ("size: 32", "bidirectional: true", "pool: max"))
    weights = [(run / BEST / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1] == weights[2]


def test_a_resumed_run_keeps_its_network_whatever_is_chosen_now(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"train": {"epochs": 1, "batch_size": 16}}
    train(config_of(folder, CLASSIFY, **short), tmp_path / "run")
    monkeypatch.setattr("lstm_cli.data.auto_network._FEWEST", 48)
    monkeypatch.setattr("lstm_cli.data.auto_network._MOST_OF_SEQUENCES", 48)
    watcher = train(config_of(folder, CLASSIFY, train={"epochs": 2, "batch_size": 16}), tmp_path / "run", resume=True)
    assert len(watcher.events) > 1
    assert "size: 32" in (tmp_path / "run" / RESOLVED).read_text()


@pytest.mark.parametrize("read", [True, False])
def test_overrides_of_a_config_leave_the_rest_to_the_data(folder: Path, read: bool) -> None:
    mapping = {"data": CLASSIFY | {"train": str(folder / "labels.jsonl")}, "threads": 1}
    config = config_from_mapping(mapping, folder) if read else Config.model_validate(mapping)
    changed = _settings(config, ["model.dropout=0.2", "seed=3"])
    network, other = (open_data(one).config.model.model_dump() for one in (config, changed))
    assert network["layers"][0]["bidirectional"]
    assert (changed.seed, other["dropout"], other["layers"][0].pop("dropout")) == (3, 0.2, 0.2)
    del network["dropout"], other["dropout"], network["layers"][0]["dropout"]
    assert other == network
