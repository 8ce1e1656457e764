"""Lists of errors of runs of every kind, against the predictions that `lstm-predict` writes."""

import math

import numpy as np
import pytest

from lstm_cli.insight.evaluate import evaluate
from lstm_cli.predict import predict_run
from tests.support.data import read_csv, read_jsonl, write, write_jsonl
from tests.support.kinds import data_of


def predictions(run, data, folder, **options):
    predict_run(run.folder, data, out=folder / "predictions.jsonl", **options)
    return {row["id"]: row for row in read_jsonl(folder / "predictions.jsonl")}


def as_written(label, suffix):
    if suffix == ".jsonl":
        return label
    return " ".join(map(str, label)) if isinstance(label, list) else str(label)


@pytest.mark.parametrize("kind", ["classifier", "numbered", "tagger", "sets"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_errors_are_the_wrong_predictions(kind, suffix, trained, loaded, tmp_path):
    run, data = loaded(kind), data_of(trained(kind))
    given = predictions(run, data, tmp_path, probabilities=True)
    out = tmp_path / f"errors{suffix}"
    evaluate(run, data, out=out)
    errors = read_csv(out) if suffix == ".csv" else read_jsonl(out)
    rows = {row.get("id", k): row for k, row in enumerate(read_jsonl(data), start=1)}
    target, ahead = run.schema.target, run.schema.target.ahead
    column = run.schema.layout.target.column or run.schema.layout.inputs[0].name
    wrong = 0
    for name, row in given.items():
        truth = rows[name][column] if target.per == "step" else [rows[name][column]]
        predicted = row["prediction"] if target.per == "step" else [row["prediction"]]
        wrong += sum(a != b for a, b in zip(truth[ahead:], predicted, strict=False))
    assert len(errors) == wrong > 0
    sure = [float(error["confidence"]) for error in errors]
    assert sure == sorted(sure, reverse=True)
    for error in errors:
        name = error["id"] if error["id"] in given else int(error["id"])
        prediction, share, truth = given[name]["prediction"], given[name]["probabilities"], rows[name][column]
        if target.per == "step":
            step = int(error["step"])
            prediction, share, truth = prediction[step], share[step], truth[step + ahead]
        assert (error["prediction"], error["truth"]) == (as_written(prediction, suffix), as_written(truth, suffix))
        if target.kind == "set":
            expected = math.prod(max(p, 1 - p) for p in share.values())
        else:
            expected = share[str(prediction)]
        assert float(error["confidence"]) == pytest.approx(expected, rel=1e-5)


def test_an_error_shows_what_the_network_saw(trained, loaded, tmp_path):
    run, data = loaded("numbered"), data_of(trained("numbered"))
    evaluate(run, data, out=tmp_path / "errors.jsonl")
    rows = {row["id"]: row for row in read_jsonl(data)}
    errors = read_jsonl(tmp_path / "errors.jsonl")
    assert errors
    for error in errors:
        assert error["input"] == {"x": rows[error["id"]]["x"][error["step"]]}


@pytest.mark.parametrize("kind", ["regression", "passengers", "pendulum"])
def test_numbers_come_with_the_largest_error_first(kind, trained, loaded, tmp_path):
    run, data = loaded(kind), data_of(trained(kind))
    given = predictions(run, data, tmp_path)
    found = evaluate(run, data, out=tmp_path / "errors.jsonl")
    errors = read_jsonl(tmp_path / "errors.jsonl")
    assert len(errors) == found.found.truth.size
    columns = {error.get("column") for error in errors}
    deviation = {name: np.std([error["truth"] for error in errors if error.get("column") == name]) for name in columns}
    sizes = [abs(error["error"]) / deviation[error.get("column")] for error in errors]
    assert sizes == sorted(sizes, reverse=True)
    for error in errors:
        assert error["error"] == pytest.approx(error["prediction"] - error["truth"])
        prediction = given[error["id"]]["prediction"]
        if "step" in error:
            prediction = prediction[error["step"]]
        if "column" in error:
            prediction = prediction[{"a": 0, "b": 1, "y_0": 0, "y_1": 1}[error["column"]]]
        assert error["prediction"] == pytest.approx(prediction, rel=1e-9)


def test_errors_of_a_language_model_show_the_text_before(trained, loaded, tmp_path):
    run, data = loaded("plays"), data_of(trained("plays"))
    evaluate(run, data, out=tmp_path / "errors.jsonl")
    text = data.read_text()
    errors = read_jsonl(tmp_path / "errors.jsonl")[:50]
    assert len(errors) == 50
    for error in errors:
        step = error["step"]
        assert error["input"]["input"].removeprefix("…") == text[max(0, step - 19) : step + 1]
        assert error["truth"] == text[step + 1] != error["prediction"]


@pytest.mark.parametrize("cell", [list, " ".join])
def test_a_set_shows_its_labels_that_training_never_saw(cell, loaded, tmp_path):
    sets = [["60", "61"], ["60"], ["odd", "62"], ["60"]]
    if cell is list:
        data = write_jsonl(tmp_path / "data.jsonl", [{"notes": sets}])
    else:
        data = write(tmp_path / "data.csv", "id,notes\n" + "".join(f"a,{cell(one)}\n" for one in sets))
    evaluate(loaded("sets"), data, out=tmp_path / "errors.jsonl")
    assert ["odd", "62"] in [error["truth"] for error in read_jsonl(tmp_path / "errors.jsonl")]
