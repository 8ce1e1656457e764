"""What `lstm check` says of data, naive scores and model, for every kind of target; figures compared with pandas."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import lstm_cli
from lstm_cli.cli.check import check as command
from lstm_cli.config import config_from_mapping
from lstm_cli.insight.training_columns import LOOKED_AT
from lstm_cli.training import check_text
from lstm_cli.training.check import check
from tests.support.data import write, write_jsonl

SMALL = {"threads": 1, "model": {"layers": [2]}, "train": {"epochs": 3, "batch_size": 4}}
DRAW = np.random.default_rng(11)


def checked(folder, data, **sections):
    return check(config_from_mapping({**SMALL, "data": data, **sections}, folder))


def lines(found):
    """The text's lines, none of which is wider than a terminal."""
    shown = str(found).splitlines()
    assert max(map(len, shown)) <= 80
    return shown


def line(found, start):
    return next(line for line in lines(found) if line.strip().startswith(start))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table with a time, gaps, a constant, a value that is an error, and words."""
    folder = tmp_path_factory.mktemp("check")
    count = 240
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=count, freq="h").strftime("%Y-%m-%d %H:%M"),
            "load": (np.sin(np.arange(count) * np.pi / 12) * 5 + 20 + DRAW.normal(0, 0.1, count)).round(2),
            "temperature": DRAW.normal(10, 3, count).round(1),
            "always": 7.5,
            "wind": DRAW.choice(["north", "south", "calm"], count),
        }
    )
    frame.loc[[3, 50], "temperature"] = np.nan
    frame.loc[100, "temperature"] = 99999.0
    frame.to_csv(folder / "t.csv", index=False)
    data = {"train": "t.csv", "valid": 48, "time": "time", "inputs": ["load", "temperature", "always", "wind"]}
    data |= {"target": {"column": "load", "horizon": 12, "ahead": 1}, "missing": {"fill": "previous"}}
    return frame, checked(folder, data)


def test_each_column_is_described_as_pandas_does(table):
    frame, found = table
    train = frame[:192]
    for column in found.columns[:3]:
        values = train[column.name]
        assert (column.low, column.high) == (values.min(), values.max())
        assert column.mean == pytest.approx(values.mean())
        assert (column.missing, column.distinct) == (values.isna().sum(), values.nunique())
    wind, target = found.columns[3:]
    assert (wind.kind, wind.distinct, wind.low) == ("tokens", train.wind.nunique(), None)
    assert (target.name, target.kind, target.role) == ("load", "number, target", "target")
    shown = line(found, "temperature      number")
    assert shown.split()[:2] == ["temperature", "number"]
    assert shown.split()[-2:] == ["2", str(train.temperature.nunique())]


def test_the_first_sequence_is_shown_in_its_own_units(table):
    frame, found = table
    assert (found.first.steps, found.first.times) == (192, ("2024-01-01 00:00", "2024-01-08 23:00"))
    assert found.first.values["load"][:3] == tuple(f"{value:.4g}" for value in frame.load[:3])
    assert found.first.values["temperature"][3] == "-"
    assert found.first.values["wind"][:2] == tuple(frame.wind[:2])
    assert lines(found)[0].startswith("First sequence: 1, 192 steps, 2024-01-01 00:00 to ")
    assert line(found, "wind ").count(" | ") > 3


def test_what_may_surprise_is_noted(table):
    notes = "\n".join(table[1].notes)
    assert "always is always 7.5: nothing can be learned from it" in notes
    assert "99999 (step 101 of " in notes and "deviations from the median" in notes


def test_seasons_are_among_the_naive_predictors(table):
    frame, found = table
    scores = {baseline.name: baseline.metrics for baseline in found.baselines}
    assert scores.keys() == {"mean", "last", "seasonal_24"}
    values, origins = frame.load.to_numpy(), np.arange(191, 240 - 12)
    steps = origins[:, np.newaxis] + 1 + np.arange(12)
    assert scores["seasonal_24"]["mae"] == pytest.approx(np.abs(values[steps] - values[steps - 24]).mean(), rel=1e-4)
    assert scores["last"]["mae"] == pytest.approx(np.abs(values[steps] - values[origins, np.newaxis]).mean(), rel=1e-4)
    shown = line(found, "validation the value 24 steps ago").split()
    assert shown[-2] == f"{scores['seasonal_24']['mae']:.4f}"


def test_the_training_is_counted_and_the_largest_batch_was_run(table):
    _, found = table
    assert found.updates == found.epochs * found.batches == 3
    assert found.largest.seconds > 0 and found.largest.megabytes > 0
    assert line(found, "3 updates: 3 epochs of 1 batch") and line(found, "largest batch: 1 sequence of up to ")


def test_all_of_it_is_json(table):
    content = json.loads(json.dumps(table[1].to_json(), allow_nan=False))
    assert content["columns"][0]["name"] == "load"
    assert content["baselines"][0].keys() == {"name", "title", "split", "metrics"}
    assert content["splits"]["train"]["sequences"] == 1


def test_labels_are_counted_and_those_that_are_rare_are_summed_up(tmp_path):
    labels = [label for place, label in enumerate("abcdefghijk") for _ in range(place + 1)] + ["two words"] * 20
    rows = [{"id": f"s{k}", "x": [[0.5]] * (k % 7 + 1), "y": label} for k, label in enumerate(labels)]
    write_jsonl(tmp_path / "t.jsonl", rows)
    found = checked(tmp_path, {"train": "t.jsonl", "valid": None, "inputs": ["x"], "target": "y"})
    assert found.labels == {"two words": 20, **{label: place for place, label in enumerate("abcdefghijk", 1)}}
    assert list(found.labels)[:3] == ["two words", "k", "j"]
    assert found.first.values == {"x": ("0.5",), "y (target)": ("a",)}
    text = " ".join(str(found).split())
    assert '"two words" 20 (23.3%), k 11 (12.8%)' in text and "and 4 more" in text
    split = found.splits["train"]
    lengths = [len(row["x"]) for row in rows]
    assert (split.shortest, split.median, split.longest, split.steps) == (1, 4, 7, sum(lengths))
    assert list(split.histogram) == np.bincount(lengths)[1:].tolist()
    shown = line(found, "train ")
    assert shown.startswith("  train  86 sequences, ") and shown.split()[-1][0] == "█"
    assert found.baselines == () and "Naive" not in str(found)


def test_labels_of_weight_zero_do_not_count(tmp_path):
    rows = [{"x": [[0.5]] * 4, "y": list("abba"), "w": [0, 1, 2, 1]} for _ in range(6)]
    write_jsonl(tmp_path / "t.jsonl", rows)
    data = {"train": "t.jsonl", "valid": None, "inputs": ["x"], "target": "y"}
    assert checked(tmp_path, data, loss={"weight": "w"}).labels == {"b": 12, "a": 6}


def test_a_text_is_shown_as_text(tmp_path):
    write(tmp_path / "t.txt", "so it goes, so it goes.\n" * 20)
    found = checked(tmp_path, {"train": "t.txt", "valid": 0.2, "target": "next", "window": 20})
    assert found.first.values["text"][0].startswith("so it goes, so it goes.\nso ")
    assert line(found, "text  ").startswith("  text             so it goes, so it goes.\\nso it")
    (text,) = found.columns
    assert (text.kind, text.distinct) == ("characters", 10)
    assert [baseline.name for baseline in found.baselines] == ["frequencies"]
    assert next(iter(found.labels)) == " "
    assert '" " ' in str(found)


def test_sets_tags_and_long_names_stay_within_the_width(tmp_path):
    name = "a very long name of a column \x1b[31m" + "x" * 80
    rows = [
        {"id": k, name: [["p", "q"], ["q"]] * 3, "w": [f"word{j}" * 9 for j in range(6)], "tag": list("abcabc")}
        for k in range(8)
    ]
    write_jsonl(tmp_path / "t.jsonl", rows)
    inputs = {name: {"kind": "set"}, "w": {"kind": "tokens"}, "end": {"kind": "tokens", "of": "w", "last": 2}}
    found = checked(tmp_path, {"train": "t.jsonl", "valid": 2, "inputs": inputs, "target": "tag"})
    assert "\x1b" not in str(found)
    assert lines(found)
    assert [column.kind for column in found.columns] == ["sets", "tokens", "tokens", "label, target"]
    assert found.first.values["end"] == ("d0", "d1", "d2", "d3", "d4", "d5")
    assert found.columns[2].distinct == 6
    assert found.first.values[name][0] == "{p q}"
    assert [baseline.title for baseline in found.baselines] == ['always "a"']


def test_many_columns_are_cut_but_not_in_json(tmp_path):
    count = check_text.COLUMNS + 5
    names = [f"c{k}" for k in range(count)]
    frame = pd.DataFrame(DRAW.normal(size=(30, count)), columns=names)
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = checked(tmp_path, {"train": "t.csv", "valid": 0.2, "inputs": names, "target": "next"})
    assert str(found).count("and 5 more columns") == 2
    assert len(found.to_json()["columns"]) == count
    assert lines(found)


def test_different_values_of_long_columns_are_counted_among_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr("lstm_cli.insight.training_columns.LOOKED_AT", 10)
    write(tmp_path / "t.csv", "a,w\n" + "".join(f"{k}.5,w{k}\n" for k in range(40)))
    found = checked(tmp_path, {"train": "t.csv", "valid": None, "inputs": ["a"], "target": "next"})
    (column,) = found.columns
    assert (column.distinct, column.counted_all, column.high) == (10, False, 39.5)
    assert line(found, "a                number").endswith(" 10+")
    assert LOOKED_AT == 1_000_000


def test_the_command_prints_the_text_or_json_and_writes_nothing(tmp_path, monkeypatch):
    write_jsonl(tmp_path / "t.jsonl", [{"x": [0.1 * k, 1.0], "y": "ab"[k % 2]} for k in range(12)])
    config = "threads: 1\ndata: {train: t.jsonl, valid: 3, inputs: [x], target: y}\nmodel: {layers: [2]}\n"
    write(tmp_path / "c.yaml", config)
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    text = CliRunner().invoke(command, ["c.yaml", "train.epochs=7"])
    assert (text.exit_code, text.stderr) == (0, "") and "7 epochs of" in text.stdout
    content = json.loads(CliRunner().invoke(command, ["c.yaml", "--json"]).stdout)
    assert content["labels"] == lstm_cli.check("c.yaml").labels
    wrong = CliRunner().invoke(command, ["c.yaml", "train.epoch=7"])
    assert wrong.exit_code == 2 and "train.epoch" in wrong.stderr
    assert set(tmp_path.iterdir()) == before


def test_a_comma_that_was_taken_for_a_decimal_one_and_known_test_data_are_noted(tmp_path):
    rows = [f"{k // 4};{k / 7:.2f};{'ab'[k // 4 % 2]}\n".replace(".", ",") for k in range(48)]
    write(tmp_path / "t.csv", "id;x;y\n" + "".join(rows))
    data = {
        "train": "t.csv",
        "valid": 3,
        "test": "t.csv",
        "inputs": ["x"],
        "target": {"column": "y", "per": "sequence"},
    }
    notes = "\n".join(checked(tmp_path, data).notes)
    assert "read with a decimal comma" in notes and "9 of 12 sequences are also in train" in notes
    chosen = checked(tmp_path, data | {"table": {"decimal": ","}}).notes
    assert not any("decimal comma" in note for note in chosen)
