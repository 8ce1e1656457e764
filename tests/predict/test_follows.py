"""`lstm-predict` reads files as the run's training data was read, and refuses what training refuses."""

import numpy as np
import pytest
from sklearn import metrics

import lstm_cli
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict import predict_run
from tests.support.data import read_jsonl, write, write_jsonl

SETTINGS = {"threads": 1, "model": {"layers": [4]}, "train": {"epochs": 1}}


def trained(folder, path, loss=None, **data):
    config = {**SETTINGS, "data": {"train": str(path), "valid": None} | data, "loss": loss or {}}
    return lstm_cli.train(config, run=folder / "run", verbosity=-1)


def rows_of(folder, run, data, **options):
    predict_run(run, data, out=folder / "p.jsonl", **options)
    return read_jsonl(folder / "p.jsonl")


TABLE = "store,x,y\n" + "".join(f"s{k // 10},{k % 7}.5,{'ab'[k % 2]}\n" for k in range(40))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A run trained with `format: csv` on a file named .log, with `id: store`."""
    folder = tmp_path_factory.mktemp("stores")
    write(folder / "a.log", TABLE)
    trained(folder, folder / "a.log", inputs=["x"], target="y", id="store", format="csv", on_error="skip")
    return folder


def test_the_format_of_the_run_beats_the_suffix(stores, tmp_path):
    expected = rows_of(tmp_path, stores / "run", stores / "a.log")
    assert [row["id"] for row in expected] == ["s0", "s1", "s2", "s3"]
    for name in ("a.txt", "a.jsonl", "a"):
        assert rows_of(tmp_path, stores / "run", write(tmp_path / name, TABLE)) == expected


def test_an_option_beats_the_format_of_the_run(stores, tmp_path):
    rows = [{"store": f"s{k}", "x": [i % 7 + 0.5 for i in range(10 * k, 10 * k + 10)]} for k in range(4)]
    path = write_jsonl(tmp_path / "a.log", rows)
    expected = rows_of(tmp_path, stores / "run", stores / "a.log")
    assert rows_of(tmp_path, stores / "run", path, form="jsonl") == expected
    with pytest.raises(ConfigError, match=r"--format cvs: expected one of jsonl, .*\(did you mean csv\?\)"):
        predict_run(stores / "run", path, form="cvs")


def test_without_a_format_a_text_suffix_says_nothing(tmp_path):
    """The run's training data was a table named .csv; a table named .txt is read alike."""
    trained(tmp_path, write(tmp_path / "a.csv", TABLE), inputs=["x"], target="y", id="store")
    expected = rows_of(tmp_path, tmp_path / "run", tmp_path / "a.csv")
    assert rows_of(tmp_path, tmp_path / "run", write(tmp_path / "a.txt", TABLE)) == expected


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_ids_of_training_are_needed_in_a_table(tmp_path, form):
    """Even those of the default column `id`: without it all rows would be one series."""
    table = TABLE.replace("store", "id")
    trained(tmp_path, write(tmp_path / "a.csv", table), inputs=["x"], target="y")
    assert len(rows_of(tmp_path, tmp_path / "run", tmp_path / "a.csv")) == 4
    if form == "csv":
        path = write(tmp_path / "b.csv", table.replace("id,", "ID,"))
    else:
        from tests.support.columnar import parquet

        path = write(tmp_path / "b.parquet", parquet({"ID": ["s0"] * 4, "x": [0.5, 1.5, 2.5, 3.5]}))
    with pytest.raises(DataError, match=r"id: the column is missing \(there are .*did you mean ID\?"):
        predict_run(tmp_path / "run", path, out=tmp_path / "p.jsonl")
    rows = [{"x": [0.5, 1.5]}]
    assert rows_of(tmp_path, tmp_path / "run", write_jsonl(tmp_path / "b.jsonl", rows))[0]["id"] == 1


def test_training_refuses_a_table_without_the_ids_too(tmp_path):
    table = TABLE.replace("store", "id")
    valid = write(tmp_path / "b.csv", table.replace("id,", "ID,"))
    with pytest.raises(DataError, match=r"b.csv:.*id: the column is missing \(there are .*did you mean ID\?"):
        trained(tmp_path, write(tmp_path / "a.csv", table), inputs=["x"], target="y", valid=str(valid))


def test_bad_rows_are_skipped_if_the_run_skips_them(stores, tmp_path):
    notes = []
    path = write(tmp_path / "bad.log", TABLE.replace("s1,4.5", "s1,oops", 1))
    rows = rows_of(tmp_path, stores / "run", path, note=notes.append)
    assert {"s0", "s2", "s3"} <= {row["id"] for row in rows}
    assert len(notes) == 1 and "skipped" in notes[0] and "bad.log:" in notes[0] and "'oops'" in notes[0]
    assert predict_run(stores / "run", path, evaluate=True, note=notes.append)["accuracy"] >= 0
    assert notes[1] == notes[0]


def test_too_many_bad_rows_are_an_error_and_leave_nothing(stores, tmp_path):
    path = write(tmp_path / "bad.log", TABLE.replace(".5,", ",oops,"))
    with pytest.raises(DataError):
        predict_run(stores / "run", path, out=tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_numbers_far_from_those_of_training_are_noted(tmp_path):
    rows = [{"id": f"s{k}", "x": [0.5 * k, 1.5, 2.5], "y": "ab"[k % 2]} for k in range(8)]
    trained(tmp_path, write_jsonl(tmp_path / "a.jsonl", rows), inputs=["x"], target="y")
    notes = []
    predict_run(tmp_path / "run", tmp_path / "a.jsonl", out=tmp_path / "p.jsonl", note=notes.append)
    assert notes == []
    rows[3]["x"][1] = 12345.0
    path = write_jsonl(tmp_path / "b.jsonl", rows)
    for options in ({"out": tmp_path / "p.jsonl"}, {"evaluate": True}):
        notes.clear()
        predict_run(tmp_path / "run", path, note=notes.append, **options)
        assert len(notes) == 1 and "x: 1 value far outside those of training, such as 12345" in notes[0]


def weighted(weight=True):
    draw = np.random.default_rng(2)
    rows = []
    for k, steps in enumerate(draw.integers(4, 12, 12).tolist()):
        x = draw.normal(20, 5, steps).round(3)
        row = {"id": f"s{k}", "x": x.tolist(), "y": (x * 2 + draw.normal(size=steps)).round(3).tolist()}
        rows.append(
            row | ({"w": draw.choice([0, 1, 3], steps).tolist(), "from": 1, "count": steps - 2} if weight else {})
        )
    return rows


def test_a_score_needs_no_columns_that_weight_the_loss(tmp_path):
    """Where they are, only steps that count are scored; where they are not, all steps equally."""
    rows = weighted()
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    target = {"column": "y", "kind": "number"}
    loss = {"weight": "w", "start": "from", "length": "count"}
    trained(tmp_path, path, inputs=["x"], target=target, loss=loss)
    predicted = np.concatenate([row["prediction"] for row in rows_of(tmp_path, tmp_path / "run", path)])
    truth = np.concatenate([row["y"] for row in rows])
    inside = [np.arange(len(row["x"])) - row["from"] for row in rows]
    counts = np.concatenate(
        [(np.array(r["w"]) > 0) & (i >= 0) & (i < r["count"]) for r, i in zip(rows, inside, strict=True)]
    )
    plain = [{name: row[name] for name in ("id", "x", "y")} for row in rows]
    without = write_jsonl(tmp_path / "plain.jsonl", plain)
    for data, used in ((path, counts), (without, np.ones_like(counts))):
        scores = predict_run(tmp_path / "run", data, evaluate=True)
        assert scores["rmse"] == pytest.approx(
            np.sqrt(metrics.mean_squared_error(truth[used], predicted[used])), rel=1e-5
        )
        assert scores["mae"] == pytest.approx(metrics.mean_absolute_error(truth[used], predicted[used]), rel=1e-5)
        assert scores["r2"] == pytest.approx(metrics.r2_score(truth[used], predicted[used]), rel=1e-5)


def test_a_weight_that_only_some_sequences_have_is_an_error(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", weighted())
    trained(tmp_path, path, inputs=["x"], target={"column": "y", "kind": "number"}, loss={"weight": "w"})
    some = write_jsonl(tmp_path / "some.jsonl", [*weighted()[:3], *weighted(weight=False)[3:]])
    with pytest.raises(DataError, match=r"some.jsonl:4: w: the column is missing"):
        predict_run(tmp_path / "run", some, evaluate=True)


@pytest.mark.parametrize("transform", [None, "difference"])
def test_scores_of_columns_of_a_held_out_end_are_those_of_predictions(tmp_path, transform):
    """The last 40 steps of one series, run with a window of context before them."""
    step = np.arange(200)
    values = np.stack([1e5 + 2e4 * np.sin(step / 3), 3 + np.cos(step / 2) + step / 90], axis=1).round(4)
    lines = [f"{a},{b}" for a, b in values]
    path = write(tmp_path / "a.csv", "\n".join(["a,b", *lines]) + "\n")
    chains = {} if transform is None else {"transform": {"b": [transform]}}
    result = trained(tmp_path, path, inputs=["a", "b"], target="next", window=20, test=40, **chains)
    lag = 0 if transform is None else 1
    end = write(tmp_path / "end.csv", "\n".join(["a,b", *lines[-60 - lag :]]) + "\n")
    (row,) = rows_of(tmp_path, tmp_path / "run", end)
    assert row["prediction"][:lag] == [None] * lag and len(row["prediction"]) == 60 + lag
    predicted, truth = np.array(row["prediction"][-41:-1]), values[-40:]
    scores = result.scores["test"]
    for k, name in enumerate("ab"):
        pair = truth[:, k], predicted[:, k]
        assert scores[f"rmse.{name}"] == pytest.approx(np.sqrt(metrics.mean_squared_error(*pair)), rel=1e-4)
        assert scores[f"mae.{name}"] == pytest.approx(metrics.mean_absolute_error(*pair), rel=1e-4)
        assert scores[f"r2.{name}"] == pytest.approx(metrics.r2_score(*pair), rel=1e-4)
    assert scores["r2"] == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-4)


def test_scores_and_predictions_come_together(stores, tmp_path):
    scores = predict_run(stores / "run", stores / "a.log", evaluate=True, out=tmp_path / "p.jsonl", probabilities=True)
    assert scores == predict_run(stores / "run", stores / "a.log", evaluate=True)
    labels = [label for row in read_jsonl(tmp_path / "p.jsonl") for label in row["prediction"]]
    assert scores["accuracy"] == pytest.approx(np.mean([label == "ab"[k % 2] for k, label in enumerate(labels)]))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "shop,x\na,1.5\n", r"store: no such column \(there are shop, x\): add it, as in the training data$"),
        ("a.jsonl", '{"shop": "a", "x": [1.5]}\n', "store: missing: give every sequence one$"),
    ],
)
def test_a_missing_id_says_what_to_do_with_the_file_not_with_the_config(stores, tmp_path, name, text, message):
    with pytest.raises(DataError, match=f"(?m){message}"):
        predict_run(stores / "run", write(tmp_path / name, text), out=tmp_path / "p.jsonl", form=name[2:])
