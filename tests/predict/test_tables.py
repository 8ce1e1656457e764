"""Predictions as tables that people join with their own: steps, names, columns carried through, sets, CoNLL-U."""

import io

import numpy as np
import pandas as pd
import pytest

import lstm_cli
from lstm_cli.data import open_data
from lstm_cli.errors import ConfigError
from lstm_cli.predict import predict_run
from lstm_cli.predict.table import Table
from lstm_cli.predict.wording import PerStep
from lstm_cli.predict.writers import write_rows
from tests.support.data import data_config, read_jsonl, write, write_jsonl

SETTINGS = {"threads": 1, "model": {"layers": [4]}, "train": {"epochs": 1}}


def trained(folder, path, **data):
    lstm_cli.train({**SETTINGS, "data": {"train": str(path), "valid": None, **data}}, run=folder / "run", verbosity=-1)
    return folder / "run"


def table_of(run, data, out, **options):
    predict_run(run, data, out=out, **options)
    return pd.read_csv(out)


def wave(count=40):
    step = np.arange(count)
    return pd.DataFrame({"meter": "m1", "load": 1e5 + 2e4 * np.sin(step / 3), "wind.speed": 3 + np.cos(step / 2)})


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A forecaster of two columns, one differenced, of two meters; the folder with its table."""
    folder = tmp_path_factory.mktemp("series")
    both = pd.concat([wave(), wave(30).assign(meter="m2")])
    both["weekday"], both["prediction"] = np.arange(len(both)) % 7, "x"
    both.to_csv(folder / "a.csv", index=False)
    trained(
        folder, folder / "a.csv", inputs=["load", "wind.speed"], target="next", id="meter",
        transform={"load": ["seasonal_difference(5)"]},
    )  # fmt: skip
    return folder


def test_a_csv_joins_on_id_and_step(series, tmp_path):
    table = table_of(series / "run", series / "a.csv", tmp_path / "p.csv")
    assert list(table) == ["meter", "step", "load", "wind.speed"]
    assert [(name, list(own.step)) for name, own in table.groupby("meter")] == [
        ("m1", list(range(5, 40))), ("m2", list(range(5, 30)))
    ]  # fmt: skip
    predict_run(series / "run", series / "a.csv", out=tmp_path / "p.jsonl")
    for row in read_jsonl(tmp_path / "p.jsonl"):
        own = table[table.meter == row["id"]]
        assert row["prediction"][:5] == [None] * 5
        np.testing.assert_allclose(own[["load", "wind.speed"]], row["prediction"][5:], rtol=1e-6)


def test_numbers_have_seven_digits_at_most(series, tmp_path):
    predict_run(series / "run", series / "a.csv", out=tmp_path / "p.csv")
    cells = pd.read_csv(tmp_path / "p.csv", dtype=str)[["load", "wind.speed"]].to_numpy().ravel()
    digits = [len(cell.lower().partition("e")[0].strip("-").replace(".", "").lstrip("0")) for cell in cells]
    assert max(digits) == 7


def test_scores_of_columns_are_those_of_the_table(series, tmp_path):
    from sklearn import metrics

    table = table_of(series / "run", series / "a.csv", tmp_path / "p.csv")
    truth = pd.read_csv(series / "a.csv")
    truth["step"] = truth.groupby("meter").cumcount() - 1  # of the step before: the next one is predicted
    joined = table.merge(truth, on=["meter", "step"], suffixes=("", "_true"))
    assert len(joined) == 34 + 24
    scores = predict_run(series / "run", series / "a.csv", evaluate=True)
    assert list(scores)[:2] == ["loss", "r2"] and "rmse" not in scores
    for name in ("load", "wind.speed"):
        pair = joined[f"{name}_true"], joined[name]
        assert scores[f"rmse.{name}"] == pytest.approx(np.sqrt(metrics.mean_squared_error(*pair)), rel=1e-4)
        assert scores[f"mae.{name}"] == pytest.approx(metrics.mean_absolute_error(*pair), rel=1e-4)
        assert scores[f"r2.{name}"] == pytest.approx(metrics.r2_score(*pair), rel=1e-4)


def test_columns_are_carried_through(series, tmp_path):
    given = pd.read_csv(series / "a.csv")
    given["step"] = given.groupby("meter").cumcount()
    table = table_of(series / "run", series / "a.csv", tmp_path / "p.csv", keep=("load", "weekday"))
    assert list(table) == ["meter", "step", "load", "weekday", "prediction_load", "wind.speed"]
    joined = table.merge(given, on=["meter", "step"], suffixes=("", "_given"))
    assert len(joined) == len(table)
    assert (joined["load"] == joined["load_given"]).all() and (joined["weekday"] == joined["weekday_given"]).all()
    predict_run(series / "run", series / "a.csv", out=tmp_path / "p.jsonl", keep=("all",))
    for row in read_jsonl(tmp_path / "p.jsonl"):
        own = given[given.meter == row["id"]]
        assert list(row) == ["id", "load", "wind.speed", "weekday", "input_prediction", "prediction"]
        assert list(map(int, row["weekday"])) == list(own.weekday)
        assert len(row["prediction"]) == len(own)


def test_a_column_that_is_not_there_cannot_be_kept(series, tmp_path):
    with pytest.raises(
        ConfigError, match=r"--keep weekda: .*a\.csv:2 has no such column, .*\(did you mean weekday\?\)"
    ):
        predict_run(series / "run", series / "a.csv", out=tmp_path / "p.csv", keep=("weekda",))
    assert not (tmp_path / "p.csv").exists()


def test_columns_of_sequences_are_carried_through(tmp_path):
    rows = [
        {"id": f"s{k}", "x": [0.5 * k, 1.5, 2.5][: 2 + k % 2], "who": "ab"[k % 2], "y": "pq"[k % 2]} for k in range(8)
    ]
    run = trained(tmp_path, write_jsonl(tmp_path / "a.jsonl", rows), inputs=["x"], target="y")
    table = table_of(run, tmp_path / "a.jsonl", tmp_path / "p.csv", keep=("who", "x"))
    assert list(table) == ["id", "who", "x", "prediction"]
    assert list(table.who) == [row["who"] for row in rows]
    assert list(table.x) == [str(row["x"]) for row in rows]
    predict_run(run, tmp_path / "a.jsonl", out=tmp_path / "p.jsonl", keep=("who", "x"))
    assert [(row["who"], row["x"]) for row in read_jsonl(tmp_path / "p.jsonl")] == [(r["who"], r["x"]) for r in rows]


def test_times_stand_beside_the_predictions(tmp_path):
    when = pd.date_range("2024-02-28 22:00", periods=40, freq="h")
    given = wave().assign(when=when).drop(columns="meter").sample(frac=1, random_state=1).reset_index(drop=True)
    given.to_csv(tmp_path / "a.csv", index=False)
    run = trained(
        tmp_path, tmp_path / "a.csv", inputs=["load"], target="next", time="when", transform={"load": ["difference"]}
    )
    table = table_of(run, tmp_path / "a.csv", tmp_path / "p.csv", keep=("wind.speed",))
    assert list(table) == ["id", "step", "wind.speed", "when", "load"]
    (first,) = given.index[given.when == when[0]]  # has no difference from a step before
    own = given.drop(index=first)
    assert list(pd.to_datetime(table.when)) == list(own.when) and list(table.step) == list(own.index)
    np.testing.assert_allclose(table["wind.speed"], own["wind.speed"])
    predict_run(run, tmp_path / "a.csv", out=tmp_path / "p.jsonl")
    (row,) = read_jsonl(tmp_path / "p.jsonl")
    assert len(row["when"]) == len(row["prediction"]) == 40
    assert [step for step, value in enumerate(row["prediction"]) if value is None] == [first]


def sets_of(cells, separator):
    return [[label for label in cell.split(separator) if label] for cell in cells]


def test_sets_with_blanks_in_labels_come_back(tmp_path):
    """From the file of predictions as from jsonl; and trained on it, the labels are the same."""
    genres = [["sci fi", "drama"], ["sci fi"], ["drama"], ["war film", "sci fi"]] * 6
    rows = [{"id": k, "x": [[len("".join(g)) + 0.5, float("drama" in g)]], "genres": g} for k, g in enumerate(genres)]
    target = {"column": "genres", "kind": "set", "per": "sequence"}
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    settings = {"threads": 1, "model": {"layers": [8]}, "train": {"epochs": 60, "patience": None},
                "optimizer": {"name": "adam", "learning_rate": 0.05}}  # fmt: skip
    data = {"train": str(path), "valid": None, "inputs": ["x"], "target": target}
    lstm_cli.train({**settings, "data": data}, run=tmp_path / "run", verbosity=-1)
    predict_run(tmp_path / "run", path, out=tmp_path / "p.csv")
    predict_run(tmp_path / "run", path, out=tmp_path / "p.jsonl")
    found = pd.read_csv(tmp_path / "p.csv", keep_default_na=False).prediction
    expected = [row["prediction"] for row in read_jsonl(tmp_path / "p.jsonl")]
    assert ["sci fi"] in expected
    assert sets_of(found, "|") == expected
    text = "id,x,genres\n" + "".join(f"{k},{k}.5,{cell}\n" for k, cell in enumerate(found))
    again = trained(tmp_path / "run", write(tmp_path / "again.csv", text), inputs=["x"], target=target)
    assert set(lstm_cli.load(again).schema.target.labels) == {label for labels in expected for label in labels}


def test_ids_of_several_columns_have_one_each(tmp_path):
    rows = [{"id": ("s1", "e2"), "prediction": [1.0, None], "step": range(3, 5)}]
    write_rows(iter(rows), tmp_path / "p.csv", Table(True, ("subject", "event"), ("load",)))
    assert (tmp_path / "p.csv").read_text() == "subject,event,step,load\ns1,e2,3,1\ns1,e2,4,\n"


def test_numbers_of_a_vector_are_counted():
    table = Table(False, numbers=("x_0", "x_1"))
    assert list(table.lines([{"id": 1, "prediction": [0.25, 1234567.891]}])) == ["id,x_0,x_1\n", "1,0.25,1234568\n"]


def test_the_step_is_never_a_prediction():
    """A predicted column named like what names a line has another name."""
    table = Table(True, numbers=("step", "id", "load"))
    lines = list(table.lines([{"id": 1, "prediction": [[2.5, 3.5, 4.5]], "load": PerStep([7])}]))
    assert lines == ["id,step,load,prediction_step,prediction_id,prediction_load\n", "1,0,7,2.5,3.5,4.5\n"]


def test_a_label_with_the_separator_is_refused_in_csv():
    table = Table(False, separator="|")
    assert list(table.lines([{"id": 1, "prediction": ["a b", "c"]}]))[1] == "1,a b|c\n"
    with pytest.raises(ConfigError, match=r"the label 'a\|b' has the character that separates labels in csv"):
        list(table.lines([{"id": 1, "prediction": ["a|b"]}]))


SETS = [[], ["drama"], ["sci fi"], ["_"], ["_", "drama"], ["sci fi", "drama"], ["a\u00a0b"], ["tab\there", "x"]]


@pytest.mark.parametrize("sets", [SETS, SETS[:2] + SETS[3:5], [["sci fi"], ["war film"]], [["_"], []], [["x"], ["y"]]])
def test_every_set_is_read_back(tmp_path, sets):
    """Whatever the other sets of the file are, and whatever separator the model's own data had."""
    labels = sorted({label for one in sets for label in one})
    plain = all(len(label.split()) == 1 and label != "_" for label in labels)
    for separator in " |" if plain else "|":
        table = Table(True, ("id",), separator=separator)
        write_rows(iter([{"id": 1, "prediction": sets}]), tmp_path / "p.csv", table)
        text = "".join(f"{line},0.5\n" for line in (tmp_path / "p.csv").read_text().splitlines())
        write(tmp_path / "again.csv", text.replace("prediction,0.5", "prediction,x"))
        target = {"column": "prediction", "kind": "set", "per": "step"}
        data = open_data(data_config(tmp_path, train="again.csv", inputs=["x"], target=target, valid=None))
        read = [[labels[k] for k in np.flatnonzero(row)] for row in np.asarray(data.train.target)]
        assert data.schema.target.labels == tuple(labels)
        assert read == [sorted(one) for one in sets]


def test_a_label_that_csv_cannot_hold_is_refused_before_the_work(tmp_path):
    rows = [{"id": k, "x": [[float(k % 3)]], "y": [["c"], ["a|b"], []][k % 3]} for k in range(12)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    run = trained(tmp_path, path, inputs=["x"], target={"column": "y", "kind": "set", "per": "sequence"})
    with pytest.raises(
        ConfigError, match=r"^-o: the label 'a\|b' has the character that separates labels in csv: write"
    ):
        predict_run(run, tmp_path / "not read.jsonl", out=tmp_path / "p.csv")
    predict_run(run, path, out=tmp_path / "p.jsonl")
    with pytest.raises(ConfigError, match=r"^--safe-csv: is for predictions in a csv file: give -o OUT\.csv"):
        predict_run(run, path, out=tmp_path / "p.jsonl", safe_csv=True)


def test_safe_csv_has_no_formulas_and_no_other_numbers(tmp_path):
    texts = ["=1+1", "+cmd", "-2+3", "@sum", "\tx", "\rx", "\uff1d1", "a=b", "x;=1", "-5", "-5,25", "+1.5e-3", "'", "-"]
    row = {
        "id": "=id",
        "prediction": ["@up"] * len(texts),
        "=note": PerStep(texts),
        "size": PerStep([-1.5] * len(texts)),
    }
    for safe in (True, False):
        write_rows(iter([row]), tmp_path / "p.csv", Table(True, ("-name",), safe=safe))
        found = pd.read_csv(tmp_path / "p.csv", dtype=str, keep_default_na=False, lineterminator="\n")
        mark = "'" if safe else ""
        assert list(found) == [f"{mark}-name", "step", f"{mark}=note", "size", "prediction"]
        assert set(found.iloc[:, 0]) == {f"{mark}=id"}
        assert set(found["prediction"]) == {f"{mark}@up"}
        assert set(found["size"]) == {"-1.5"}
        changed = texts[:7] + texts[13:]
        assert list(found.iloc[:, 2]) == [f"{mark}{text}" if text in changed else text for text in texts]
    text = (tmp_path / "p.csv").read_text()
    assert text.startswith("-name,step,=note,size,prediction\n")


def test_safe_csv_quotes_every_cell(tmp_path):
    write_rows(iter([{"id": "a;=1", "prediction": 0.5}]), tmp_path / "p.csv", Table(False, safe=True))
    assert (tmp_path / "p.csv").read_text() == '"id","prediction"\n"a;=1","0.5"\n'


CONLLU = (
    b"\xef\xbb\xbf# sent_id = a\r\n# text = to be\r\n1-2\ttobe\t_\t_\t_\t_\t_\t_\t_\t_\r\n"
    b"1\tto\tTO\t_\tp\tx=1\t0\troot\t_\tSpaceAfter=No\r\n2\tbe\tBE\tOLD\tp\t_\t1\tobj\t_\t_\r\n\r\n\r\n"
    b"1\tor\t_\t_\t_\t_\t_\t_\t_\t_\r\n1.1\tnull\t_\t_\t_\t_\t_\t_\t_\t_\r\n2\tnot\t_\t_\t_\t_\t_\t_\t_\t_"
)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagger")
    words = [["to", "be"], ["or", "not", "to"], ["be"]] * 5
    text = "\n\n".join(
        "\n".join(f"{k + 1}\t{w}\t_\t{w.upper()[0]}\t_\t{w.upper()[0]}=1|All=2\t_\t_\t_\t_" for k, w in enumerate(s))
        for s in words
    )
    write(folder / "train.conllu", text + "\n\n")
    trained(folder, folder / "train.conllu", inputs=["form"], target="upos", on_error="skip")
    return folder


def test_a_conllu_file_gets_its_column_and_nothing_else(tagger, tmp_path):
    (tmp_path / "a.conllu").write_bytes(CONLLU)
    predict_run(tagger / "run", tmp_path / "a.conllu", out=tmp_path / "b.conllu")
    predict_run(tagger / "run", tmp_path / "a.conllu", out=tmp_path / "b.jsonl")
    labels = iter([label for row in read_jsonl(tmp_path / "b.jsonl") for label in row["prediction"]])
    before, after = (io.BytesIO(path).readlines() for path in (CONLLU, (tmp_path / "b.conllu").read_bytes()))
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        cells = old.split(b"\t")
        if cells[0].isdigit():
            cells[3] = next(labels).encode()
        assert new == b"\t".join(cells)
    assert next(labels, None) is None


def test_a_sentence_that_is_skipped_stays_as_it_is(tagger, tmp_path):
    bad = b"1\tto\tonly three\n\n"
    good = b"1\tbe\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    (tmp_path / "a.conllu").write_bytes(good + bad + good * 2)
    notes = []
    predict_run(tagger / "run", tmp_path / "a.conllu", out=tmp_path / "b.conllu", note=notes.append)
    filled = (tmp_path / "b.conllu").read_bytes().split(b"\n\n")
    assert filled[1] + b"\n\n" == bad
    assert all(sentence.split(b"\t")[3] != b"_" for sentence in (filled[0], filled[2], filled[3]))
    assert "1 of 4" in notes[0] and "skipped" in notes[0]


def test_only_a_conllu_file_can_be_filled(tagger, series, tmp_path):
    with pytest.raises(ConfigError, match="fills a column of DATA, which is no CoNLL-U file"):
        predict_run(tagger / "run", tmp_path / "a.jsonl", out=tmp_path / "b.conllu")
    with pytest.raises(ConfigError, match="leave --keep out"):
        predict_run(tagger / "run", tmp_path / "a.conllu", out=tmp_path / "b.conllu", keep=("form",))
    with pytest.raises(ConfigError, match="the model predicts next, which is no column of labels per word"):
        predict_run(series / "run", tmp_path / "a.conllu", out=tmp_path / "b.conllu")
