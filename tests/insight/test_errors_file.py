"""Lists of errors of tables with everything odd at once, against the table that `lstm-predict` writes."""

import csv

import numpy as np
import pytest

import lstm_cli
from lstm_cli.insight.evaluate import evaluate
from lstm_cli.predict import predict_run
from tests.support.data import read_csv, read_jsonl, write, write_jsonl

BASE = {
    "threads": 1,
    "model": {"layers": [4], "dropout": 0.0, "embedding": 3},
    "train": {"epochs": 1, "batch_size": 4},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Rows of two series out of order, with two ids that need quotes, and of the second file two without a number."""
    folder, draw = tmp_path_factory.mktemp("table"), np.random.default_rng(1)
    rows = [
        [*ids, f"2024-01-{1 + k // 24:02d} {k % 24:02d}:00", f"{10 + k / 5 + np.sin(k / 3):.4f}",
         f"{draw.random():.3f}", "wet" if k % 3 else "dry"]
        for ids in (("a", "x,y"), ("b", "=1"))
        for k in range(30)
    ]  # fmt: skip
    rows = [rows[k] for k in draw.permutation(len(rows))]
    for name in ("train", "test"):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["store", "region", "when", "load", "temp", "sky"], *rows])
        rows[5][3] = rows[17][3] = "oops"
    return folder


FORECAST = {"column": "load", "ahead": 1}
TARGETS = {
    "differences": {"inputs": ["load", "temp"], "target": FORECAST, "transform": {"load": ["difference"]}},
    "labels": {"inputs": ["load", "temp"], "target": "sky"},
    "a horizon": {
        "inputs": {"load": {}, "temp": {"known": True}}, "target": {**FORECAST, "horizon": 3}, "calendar": ["hour"],
    },
    "windows": {"inputs": ["load", "temp"], "target": FORECAST, "scale": "window", "window": 8},
}  # fmt: skip
SLOW = ("a horizon", "windows")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in TARGETS])
def test_errors_stand_at_the_steps_of_the_predictions(name, table, tmp_path):
    data = {"id": ["store", "region"], "time": "when", "on_error": "skip", "valid": None, **TARGETS[name]}
    config = {**BASE, "data": {"train": str(table / "train.csv"), "scale": "standard", **data}}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    notes = []
    found = evaluate(tmp_path / "run", table / "test.csv", by="sky", out=tmp_path / "errors.csv", note=notes.append)
    predict_run(tmp_path / "run", table / "test.csv", out=tmp_path / "predictions.csv")
    given = {(row["store"], row["region"], row["step"]): row for row in read_csv(tmp_path / "predictions.csv")}
    written = {row["when"] + row["store"]: row for row in read_csv(table / "test.csv")}
    errors = read_csv(tmp_path / "errors.csv")
    assert len(errors) == (len(found.found) * found.found.task.size if name != "labels" else
                           (found.found.truth != found.found.predicted).sum())  # fmt: skip
    for error in errors:
        row = given[error["store"], error["region"], error["step"]]
        assert error["when"] == row["when"]
        source = written[error["when"] + error["store"]]
        assert (float(error["load"]), float(error["temp"])) == (float(source["load"]), float(source["temp"]))
        if name == "labels":
            assert (error["prediction"], error["truth"]) == (row["prediction"], source["sky"])
        else:
            expected = row["load_" + error["ahead"]] if name == "a horizon" else row["load"]
            assert float(error["prediction"]) == pytest.approx(float(expected), rel=1e-5)
    assert any("2 of 60 rows were skipped" in note for note in notes)
    assert sum(part["positions"] for part in found.groups.values()) == len(found.found)
    for name, part in found.groups.items():
        assert part["sequences"] == 2, name


PARTS = {
    "windows": {"valid": {"share": 0.3, "by": "time"}, "scale": "window", "window": 8},
    "differences": {"test": {"share": 9, "by": "time"}, "transform": {"load": ["difference"]}, "valid": None},
    "series": {"valid": {"share": 0.5, "by": "region"}, "scale": "series"},
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_the_training_file_has_its_columns(name, table, tmp_path):
    monitor = {"monitor": "train.loss"} if PARTS[name].get("valid") is None else {}
    data = {"id": ["store", "region"], "time": "when", "inputs": ["load", "temp"], "target": FORECAST, **PARTS[name]}
    config = {**BASE, "train": {**BASE["train"], **monitor}, "data": {"train": str(table / "train.csv"), **data}}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    found = evaluate(tmp_path / "run", by="sky", out=tmp_path / "errors.csv")
    rows = {row["when"] + row["store"]: row for row in read_csv(table / "train.csv")}
    order = sorted({row["when"] for row in rows.values()})
    errors = read_csv(tmp_path / "errors.csv")
    assert len(errors) == len(found.found) > 0
    assert list(errors[0])[:6] == ["store", "region", "step", "when", "load", "temp"]
    skies = [rows[error["when"] + error["store"]]["sky"] for error in errors]
    assert {sky: part["positions"] for sky, part in found.groups.items()} == {s: skies.count(s) for s in set(skies)}
    file = [row["when"] + row["store"] for row in read_csv(table / "train.csv")]
    for error in errors:
        row = rows[error["when"] + error["store"]]
        assert (float(error["load"]), float(error["temp"])) == (float(row["load"]), float(row["temp"]))
        own = [place for place in file if place.endswith(error["store"])]
        assert int(error["step"]) == own.index(error["when"] + error["store"])
        later = order[order.index(error["when"]) + 1]
        assert float(error["truth"]) == pytest.approx(float(rows[later + error["store"]]["load"]), rel=1e-6)


def test_a_column_that_the_surest_error_lacks_is_there(table, tmp_path):
    lines = (table / "train.csv").read_text().splitlines()
    data = {"id": ["store", "region"], "time": "when", "valid": None, "target": FORECAST}
    missing = {"fill": "previous"}
    config = {**BASE, "data": {"train": "train.csv", **data, "inputs": ["load", "temp"], "missing": missing}}
    config["data"]["train"] = str(table / "train.csv")
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    cells = [line.rsplit(",", 2) for line in lines]
    emptied = [cells[0], *([start, "", sky] for start, _, sky in cells[1:])]
    for suffix in (".csv", ".jsonl"):
        data = write(tmp_path / "gaps.csv", "".join(",".join(line) + "\n" for line in emptied))
        evaluate(tmp_path / "run", data, out=tmp_path / f"errors{suffix}")
    assert list(read_csv(tmp_path / "errors.csv")[0])[3:6] == ["when", "load", "temp"]
    first = read_jsonl(tmp_path / "errors.jsonl")[0]["input"]
    assert first["temp"] is None
    assert isinstance(first["load"], float), "a number in a table of text is one"
    assert read_csv(tmp_path / "errors.csv")[0]["load"] == f"{first['load']:g}"


def test_wide_rows_strings_and_static_inputs(tmp_path):
    draw = np.random.default_rng(1)
    header = "id," + ",".join(f"t{k}" for k in range(8)) + ",age,review,label\n"
    rows = "".join(
        f"{k}," + ",".join(f"{x:.2f}" for x in draw.normal(size=8)) + f",{20 + k},good film {k},{'ab'[k % 2]}\n"
        for k in range(20)
    )
    data = {
        "train": write(tmp_path / "a.csv", header + rows), "valid": None, "table": {"row": "sequence"},
        "inputs": {"ecg": {"columns": ["t*"]}, "age": {"static": True}}, "target": "label",
    }  # fmt: skip
    lstm_cli.train({**BASE, "data": {**data, "train": str(data["train"])}}, run=tmp_path / "run", verbosity=-1)
    evaluate(tmp_path / "run", tmp_path / "a.csv", out=tmp_path / "errors.csv")
    source = {row["id"]: row for row in read_csv(tmp_path / "a.csv")}
    errors = read_csv(tmp_path / "errors.csv")
    assert list(errors[0]) == ["id", "ecg", "age", "truth", "prediction", "confidence"]
    for error in errors:
        row = source[error["id"]]
        assert [float(x) for x in error["ecg"].split(" … ")[0].split()] == [float(row[f"t{k}"]) for k in range(6)]
        assert (error["age"], error["truth"]) == (row["age"], row["label"])
        assert error["ecg"].endswith(" … (8 steps)")


def test_text_that_a_spreadsheet_would_run_is_made_safe(loaded, trained, tmp_path):
    rows = [{**row, "id": f"={k}"} for k, row in enumerate(read_jsonl(trained("classifier") / "test.jsonl"))]
    data = write_jsonl(tmp_path / "data.jsonl", rows)
    evaluate(loaded("classifier"), data, out=tmp_path / "errors.csv", safe_csv=True)
    lines = (tmp_path / "errors.csv").read_text().splitlines()
    assert lines[0].startswith('"id","x","truth"')
    assert all(line.startswith("\"'=") for line in lines[1:])


def test_a_list_without_errors_is_empty_and_says_so(loaded, trained, tmp_path):
    run = loaded("classifier")
    rows = read_jsonl(trained("classifier") / "test.jsonl")
    predicted = {row["id"]: row["prediction"] for row in run.predict(rows)}
    data = write_jsonl(tmp_path / "data.jsonl", [{**row, "label": predicted[row["id"]]} for row in rows])
    notes = []
    found = evaluate(run, data, out=tmp_path / "errors.csv", note=notes.append)
    assert found.metrics["accuracy"] == 1
    assert (tmp_path / "errors.csv").read_text() == ""
    assert notes[-1].endswith("errors.csv: empty, as there are no errors")
