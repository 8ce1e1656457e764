"""What `lstm-predict` writes, scores and refuses, for runs trained for a moment."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import lstm_cli
from lstm_cli.cli.group import main
from tests.support.cases import table
from tests.support.data import read_csv, read_jsonl, write

SETTINGS = {
    "threads": 1,
    "model": {"layers": [4], "dropout": 0.0},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 2},
}
WAVE = [round(float(20 + 5 * np.sin(k / 3)), 3) for k in range(40)]


def trained(folder, files, data, epochs=2):
    """Write the files, train on the first, and return the run's folder."""
    for name, content in files.items():
        write(folder / name, content)
    settings = {**SETTINGS, "train": {"epochs": epochs}, "data": {"valid": None, **data}}
    settings["data"]["train"] = str(folder / next(iter(files)))
    lstm_cli.train(settings, run=folder / "run", verbosity=-1)
    return folder / "run"


def predict(*words):
    """Run the command and return what it writes, or the message of its error."""
    result = CliRunner().invoke(main, ["predict", *map(str, words)])
    return result.output if result.exception is None else f"{result.output}{result.exception}"


@pytest.mark.parametrize(("transform", "lag"), [("difference", 1), ("seasonal_difference(6)", 6)])
def test_the_step_of_a_prediction_is_that_of_the_input(transform, lag, tmp_path):
    """A tag that is the parity of nothing but the step itself: joined on `step`, it is the same column."""
    tags = table("x,tag", *(f"{value},{'ab'[k % 2]}" for k, value in enumerate(WAVE)))
    run = trained(tmp_path, {"a.csv": tags}, {"inputs": ["x"], "target": "tag", "transform": {"x": [transform]}})
    predict(run, tmp_path / "a.csv", "-o", tmp_path / "p.csv")
    assert [int(row["step"]) for row in read_csv(tmp_path / "p.csv")] == list(range(lag, 40))
    predict(run, tmp_path / "a.csv", "-o", tmp_path / "p.jsonl")
    (row,) = read_jsonl(tmp_path / "p.jsonl")
    assert row["prediction"][:lag] == [None] * lag
    assert len(row["prediction"]) == 40 and None not in row["prediction"][lag:]


def test_columns_have_scores_and_names_of_their_own(tmp_path):
    """Their units differ by nine orders; each score is the one computed from the file of predictions."""
    lines = table("x,big,small", *(f"{v},{1e6 * v},{1e-4 * v}" for v in WAVE))
    run = trained(tmp_path, {"a.csv": lines}, {"inputs": ["big", "small"], "target": "next"}, epochs=30)
    scores = lstm_cli.load(run).evaluate(tmp_path / "a.csv")
    predict(run, tmp_path / "a.csv", "-o", tmp_path / "p.csv")
    rows = read_csv(tmp_path / "p.csv")
    assert {"big", "small"} <= rows[0].keys()
    truth = {"big": np.array(WAVE[1:]) * 1e6, "small": np.array(WAVE[1:]) * 1e-4}
    for name, right in truth.items():
        error = np.array([float(row[name]) for row in rows])[: len(right)] - right
        assert scores[f"rmse.{name}"] == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-4)
        assert scores[f"mae.{name}"] == pytest.approx(np.abs(error).mean(), rel=1e-4)
    assert "rmse" not in scores


def test_labels_with_spaces_come_back(tmp_path):
    sets = ["sci fi|drama", "sci fi", "drama", "sci fi|war film"] * 10
    lines = table("id,x,genres", *(f"s{k},{len(s)}.5,{s}" for k, s in enumerate(sets)))
    target = {"column": "genres", "kind": "set", "per": "sequence"}
    run = trained(tmp_path, {"a.csv": lines}, {"inputs": ["x"], "target": target}, epochs=60)
    assert set(lstm_cli.load(run).schema.target.labels) == {"sci fi", "drama", "war film"}
    predict(run, tmp_path / "a.csv", "-o", tmp_path / "p.csv")
    known = {"sci fi", "drama", "war film"}
    (column,) = [name for name in read_csv(tmp_path / "p.csv")[0] if name not in ("id", "step")]
    found = [row[column] for row in read_csv(tmp_path / "p.csv")]
    assert any("sci fi" in cell for cell in found)
    assert all(set(cell.split("|")) <= known | {""} for cell in found)


def test_scores_need_no_weight_of_training(tmp_path):
    lines = table("x,y,w", *(f"{v},{v / 2},{k % 3 + 1}" for k, v in enumerate(WAVE)))
    settings = {**SETTINGS, "data": {"train": str(write(tmp_path / "a.csv", lines)), "inputs": ["x"], "target": "y"}}
    settings |= {"loss": {"weight": "w"}}
    lstm_cli.train(settings, run=tmp_path / "run", verbosity=-1)
    write(tmp_path / "new.csv", table("x,y", *(f"{v},{v / 2}" for v in WAVE)))
    assert "rmse" in predict(tmp_path / "run", tmp_path / "new.csv", "--evaluate")


def test_a_run_reads_files_as_it_was_trained(tmp_path):
    """A table in a .txt file with decimal commas; `--format` says otherwise for another file."""
    lines = table("x;y", *(f"{v};{v / 2}".replace(".", ",") for v in WAVE))
    data = {"inputs": ["x"], "target": "y", "format": "csv", "table": {"decimal": ",", "delimiter": ";"}}
    run = trained(tmp_path, {"log.txt": lines}, data)
    predict(run, tmp_path / "log.txt", "-o", tmp_path / "p.jsonl")
    assert len(read_jsonl(tmp_path / "p.jsonl")[0]["prediction"]) == 40
    write(tmp_path / "new.jsonl", json.dumps({"x": WAVE, "y": WAVE}) + "\n")
    predict(run, tmp_path / "new.jsonl", "--format", "jsonl", "-o", tmp_path / "q.jsonl")
    found = [read_jsonl(tmp_path / name)[0]["prediction"] for name in ("p.jsonl", "q.jsonl")]
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_strings_are_not_lists_of_words(tmp_path):
    rows = [{"s": words.split(), "y": label} for words, label in (("good film", "pos"), ("dull film", "neg"))] * 6
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    run = trained(tmp_path, {"a.jsonl": lines}, {"inputs": ["s"], "target": "y"})
    write(tmp_path / "new.jsonl", json.dumps({"s": "good film"}) + "\n")
    message = predict(run, tmp_path / "new.jsonl")
    assert "new.jsonl:1: s: " in message and "prediction" not in message


def test_vectors_are_not_numbers(tmp_path):
    lines = "".join(json.dumps({"x": [0.5 * k, 1.5], "y": "ab"[k % 2]}) + "\n" for k in range(8))
    run = trained(tmp_path, {"a.jsonl": lines}, {"inputs": ["x"], "target": "y"})
    write(tmp_path / "new.jsonl", json.dumps({"x": [[0.5, 1.0], [1.5, 2.0]]}) + "\n")
    message = predict(run, tmp_path / "new.jsonl")
    assert "new.jsonl:1: x: " in message and "prediction" not in message


IDS = table("store,x,y", *(f"s{k // 10},{v},{v / 2}" for k, v in enumerate(WAVE)))


def test_an_id_column_must_be_there(tmp_path):
    run = trained(tmp_path, {"a.csv": IDS}, {"inputs": ["x"], "target": "y", "id": "store"})
    write(tmp_path / "new.csv", IDS.replace("store", "STORE"))
    message = predict(run, tmp_path / "new.csv")
    assert "store" in message and "prediction" not in message


def test_rows_of_an_id_are_gathered_at_prediction_too(tmp_path):
    run = trained(tmp_path, {"a.csv": IDS}, {"inputs": ["x"], "target": "y", "id": "store"})
    head, *lines = IDS.splitlines()
    mixed = [lines[10 * store + k] for k in range(10) for store in range(4)]
    write(tmp_path / "mixed.csv", table(head, *mixed))
    for name in ("a", "mixed"):
        predict(run, tmp_path / f"{name}.csv", "-o", tmp_path / f"{name}.jsonl")
    assert read_jsonl(tmp_path / "mixed.jsonl") == read_jsonl(tmp_path / "a.jsonl")


def test_bad_lines_are_skipped_at_prediction_too(tmp_path):
    run = trained(tmp_path, {"a.csv": IDS}, {"inputs": ["x"], "target": "y", "id": "store", "on_error": "skip"})
    write(tmp_path / "new.csv", table("store,x", "p,1.5", "p,oops", "p,2.5"))
    predict(run, tmp_path / "new.csv", "-o", tmp_path / "p.jsonl")
    write(tmp_path / "good.csv", table("store,x", "p,1.5", "p,2.5"))
    predict(run, tmp_path / "good.csv", "-o", tmp_path / "q.jsonl")
    (found,), (good,) = read_jsonl(tmp_path / "p.jsonl"), read_jsonl(tmp_path / "q.jsonl")
    first, second = good["prediction"]
    assert found["prediction"] == [first, None, second]  # no output at the step of the line that was skipped


def test_missing_values_are_filled_alike(tmp_path):
    """With the mean of the training data, not of the new file."""
    lines = table("x,y", "1.5,0.1", "NA,0.2", "2.5,0.3", *(f"{v},{v / 9}" for v in WAVE))
    data = {"inputs": ["x"], "target": "y", "missing": {"fill": "mean"}}
    run = trained(tmp_path, {"a.csv": lines}, data)
    mean = np.mean([1.5, 2.5, *WAVE])
    write(tmp_path / "gap.csv", table("x", "30.5", "NA", "31.5"))
    write(tmp_path / "full.csv", table("x", "30.5", repr(float(mean)), "31.5"))
    for name in ("gap", "full"):
        predict(run, tmp_path / f"{name}.csv", "-o", tmp_path / f"{name}.jsonl")
    found = [read_jsonl(tmp_path / f"{name}.jsonl")[0]["prediction"] for name in ("gap", "full")]
    np.testing.assert_allclose(*found, rtol=1e-5)


HOURS = [f"2024-03-{1 + k // 24:02d} {k % 24:02d}:00" for k in range(80)]


def test_a_forecast_of_several_hours_has_their_dates(tmp_path):
    """Three hours ahead with a known temperature; the future's file has time and temperature only."""
    lines = [f"{hour},{20 + 5 * np.sin(k / 4):.3f},{k % 24}.5" for k, hour in enumerate(HOURS)]
    data = {
        "time": "when",
        "calendar": "hour",
        "inputs": {"load": {}, "temp": {"known": True}},
        "target": {"column": "load", "horizon": 3},
    }
    run = trained(tmp_path, {"a.csv": table("when,load,temp", *lines[:77])}, data)
    write(tmp_path / "future.csv", table("when,temp", *(f"{HOURS[k]},{k % 24}.5" for k in range(77, 80))))
    predict(run, tmp_path / "a.csv", "--future", tmp_path / "future.csv", "-o", tmp_path / "p.csv")
    rows = read_csv(tmp_path / "p.csv")
    assert [row["when"][:16].replace("T", " ") for row in rows] == HOURS[77:]
    assert all(np.isfinite(float(row["load"])) for row in rows)
