"""Predictions out of fold: each sequence once, by the fold that did not see it, as ``lstm-predict`` writes them."""

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, r2_score

from lstm_cli.data import open_data
from lstm_cli.errors import DataError
from lstm_cli.insight.out_of_fold import out_of_fold
from lstm_cli.run.origin import config_of
from tests.support.data import read_jsonl, write_jsonl
from tests.support.folds import cross_validated, predicted, rows_of
from tests.support.runs import metrics, small, write_data
from tests.support.worlds import CLOSED, write_world

EPOCH = {"train": {"epochs": 1}}


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Return a folder with data, and the cross-validation of its labels in three folds."""
    folder = write_data(tmp_path_factory.mktemp("folds"))
    return folder, cross_validated(folder, small(**EPOCH), 3, folder / "labels")


def check(found, data, folder, *options):
    """Every sequence is predicted once, in the order of the file, as its fold predicts it; return the rows."""
    rows, folds = rows_of(found.file), [path for path in sorted(folder.glob("fold-*")) if path.is_dir()]
    held = [open_data(config_of(fold)).valid.ids for fold in folds]
    names = [name for ids in held for name in ids]
    assert len(names) == len(set(names)) == found.sequences
    each = [predicted(fold, data, folder / f"{fold.name}{found.file.suffix}", *options) for fold in folds]
    expected = []
    for row in each[0]:  # all have the same rows in the same order
        fold = next((k for k, ids in enumerate(held) if row["id"] in map(str, ids)), None)
        if fold is not None:
            steps = ("id", "step") if "step" in row and found.file.suffix == ".csv" else ("id",)
            expected += [other for other in each[fold] if all(other[key] == row[key] for key in steps)]
    assert rows == expected
    return rows


def test_labels_and_their_scores(labels):
    folder, found = labels
    assert found.file.name == "out_of_fold.csv"
    rows = check(found, folder / "gestures.jsonl", folder / "labels")
    given = read_jsonl(folder / "gestures.jsonl")
    assert [row["id"] for row in rows] == [row["id"] for row in given]
    truth, guesses = [row["y"] for row in given], [row["prediction"] for row in rows]
    assert found.scores["accuracy"] == pytest.approx(np.mean([a == b for a, b in zip(truth, guesses, strict=True)]))
    assert found.scores["macro_f1"] == pytest.approx(f1_score(truth, guesses, average="macro"))
    # of the sequences of one fold they are what the run of the fold says
    for fold in (folder / "labels").glob("fold-[123]"):
        held = set(open_data(config_of(fold)).valid.ids)
        hits = [a["y"] == b["prediction"] for a, b in zip(given, rows, strict=True) if a["id"] in held]
        assert metrics(fold)[-1]["accuracy"] == pytest.approx(np.mean(hits))


def test_data_that_has_changed(labels, tmp_path):
    folder, _ = labels
    runs = sorted((folder / "labels").glob("fold-[123]"))
    before = (folder / "gestures.jsonl").read_text()
    try:
        (folder / "gestures.jsonl").write_text(before.replace('"up"', '"down"'))
        with pytest.raises(DataError, match="have changed since the run was trained"):
            out_of_fold(runs, tmp_path)
    finally:
        (folder / "gestures.jsonl").write_text(before)
    assert not list(tmp_path.iterdir())


def lines(folder):
    return read_jsonl(folder / "gestures.jsonl")


@pytest.mark.slow
def test_numbers_per_sequence(labels, tmp_path):
    folder, _ = labels
    given = [row | {"size": 2.5 * len(row["x"]) + 0.25} for row in lines(folder)]
    write_jsonl(tmp_path / "a.jsonl", given)
    spec = {"train": "a.jsonl", "inputs": ["x"], "target": "size", "test": 3}
    found = cross_validated(tmp_path, small(data=spec, **EPOCH), 2, tmp_path / "run")
    rows = check(found, tmp_path / "a.jsonl", tmp_path / "run")
    assert len(rows) == 14  # without those of the test
    truth = {row["id"]: row["size"] for row in given}
    pairs = [(truth[row["id"]], float(row["size"])) for row in rows]
    errors = np.array([a - b for a, b in pairs])
    assert found.scores["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-5)
    assert found.scores["r2"] == pytest.approx(r2_score(*zip(*pairs, strict=True)), rel=1e-5)


@pytest.mark.slow
def test_several_columns_with_a_set_and_labels_that_a_fold_lacks(labels, tmp_path):
    folder, _ = labels
    given = [
        row | {"size": 2.5 * k, "tags": [f"t{k}", "one|two" if k == 3 else "plain"]}
        for k, row in enumerate(lines(folder))
    ]
    write_jsonl(tmp_path / "a.jsonl", given)
    target = {"y": "category", "size": "number"}
    spec = {"train": "a.jsonl", "inputs": ["x"], "target": target}
    found = cross_validated(tmp_path, small(data=spec, **EPOCH), 2, tmp_path / "run")
    check(found, tmp_path / "a.jsonl", tmp_path / "run")
    assert {"accuracy.y", "rmse.size"} <= found.scores.keys()
    spec = {"train": "a.jsonl", "inputs": ["x"], "target": {"column": "tags", "kind": "set"}}
    found = cross_validated(tmp_path, small(data=spec, **EPOCH), 2, tmp_path / "sets")
    assert found.file.name == "out_of_fold.jsonl"  # no cell of csv can hold the label with a bar
    rows = check(found, tmp_path / "a.jsonl", tmp_path / "sets")
    truth = [set(row["tags"]) for row in given]
    guesses = [set(row["prediction"]) for row in rows]
    hits = sum(len(a & b) for a, b in zip(truth, guesses, strict=True))
    errors = sum(len(a ^ b) for a, b in zip(truth, guesses, strict=True))
    assert found.scores["micro_f1"] == pytest.approx(2 * hits / (2 * hits + errors))


@pytest.mark.slow
@pytest.mark.parametrize("data", [{}, {"window": 3}, {"transform": {"a": "difference"}, "on_error": "skip"}])
def test_series_of_a_table_with_the_next_step_as_target(tmp_path, data):
    draw = np.random.default_rng(0)
    table = [f"s{k},{t},{draw.normal():.3f}" for t in range(12) for k in range(7)]  # the rows of series are mixed
    if data:
        table[4 * 7] = "s0,4,bad" if "on_error" in data else table[4 * 7]
    (tmp_path / "a.csv").write_text("\n".join(["id,t,a", *table]) + "\n")
    spec = {"train": "a.csv", "inputs": ["a"], "target": "next", "time": "t", "scale": "none", **data}
    found = cross_validated(tmp_path, small(data=spec, **EPOCH), 3, tmp_path / "run")
    rows = check(found, tmp_path / "a.csv", tmp_path / "run")
    assert len({row["id"] for row in rows}) == 7
    if "on_error" in data:
        return
    series = {f"s{k}": [float(line.split(",")[2]) for line in table if line.startswith(f"s{k},")] for k in range(7)}
    known = [row for row in rows if int(row["step"]) < 11]
    errors = [series[row["id"]][int(row["step"]) + 1] - float(row["a"]) for row in known]
    assert found.scores["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-4)


@pytest.mark.slow
def test_lines_of_text(tmp_path):
    draw = np.random.default_rng(0)
    text = ["".join(draw.choice(list("abc "), size=9)) for _ in range(8)]
    (tmp_path / "a.txt").write_text("\n".join(text) + "\n")
    found = cross_validated(tmp_path, small(data={"train": "a.txt", "lines": True}, **EPOCH), 2, tmp_path / "run")
    check(found, tmp_path / "a.txt", tmp_path / "run")
    assert found.scores["perplexity"] > 1


@pytest.mark.slow
def test_a_model_that_drives_a_system(tmp_path):
    write_world(tmp_path)
    found = cross_validated(tmp_path, CLOSED | EPOCH, 2, tmp_path / "run")
    check(found, tmp_path / "drives.jsonl", tmp_path / "run", "--trust")
    assert found.sequences == 17


@pytest.mark.slow
def test_a_copy_of_the_data_on_disk(labels, tmp_path, monkeypatch):
    folder, found = labels
    monkeypatch.setenv("LSTM_CLI_DATA", str(tmp_path / "copies"))
    copied = cross_validated(folder, small(data={"cache": "always"}, **EPOCH), 3, tmp_path / "run")
    assert copied.file.read_bytes() == found.file.read_bytes()
    assert (copied.sequences, copied.scores) == (found.sequences, found.scores)


@pytest.mark.slow
def test_several_files_whose_sequences_have_no_ids(labels, tmp_path):
    folder, _ = labels
    given = [{"x": row["x"], "y": row["y"]} for row in lines(folder)]
    write_jsonl(tmp_path / "a.jsonl", given[:9])
    write_jsonl(tmp_path / "b.jsonl", given[9:])
    spec = {"train": ["a.jsonl", "b.jsonl"], "inputs": ["x"], "target": "y"}
    found = cross_validated(tmp_path, small(data=spec, **EPOCH), 2, tmp_path / "run")
    names = [f"a:{k}" for k in range(1, 10)] + [f"b:{k}" for k in range(1, 9)]
    rows = rows_of(found.file)
    assert [row["id"] for row in rows] == names
    guesses = [row["prediction"] for row in rows]
    assert found.scores["accuracy"] == pytest.approx(
        np.mean([a["y"] == b for a, b in zip(given, guesses, strict=True)])
    )


@pytest.mark.slow
def test_lists_of_labels_are_those_of_each_step(labels, tmp_path):
    folder, _ = labels
    found = cross_validated(folder, small(data={"target": "steps"}, **EPOCH), 2, tmp_path / "run")
    rows = check(found, folder / "gestures.jsonl", tmp_path / "run")
    truth = [label for row in lines(folder) for label in row["steps"]]
    hits = [json.loads(row["prediction"].lower()) == label for row, label in zip(rows, truth, strict=True)]
    assert found.scores["accuracy"] == pytest.approx(np.mean(hits))
