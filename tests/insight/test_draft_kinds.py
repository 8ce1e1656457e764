"""What ``lstm init`` says of each kind of file: the config loads, opens its data, and predicts the right thing."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lstm_cli.config import load_config
from lstm_cli.data import open_data
from lstm_cli.errors import DataError
from tests.support.data import write_jsonl
from tests.support.drafts import drafted

RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Every test draws the same numbers, whichever ran before it."""
    monkeypatch.setattr(f"{__name__}.RNG", np.random.default_rng(7))


def lines(path, head, rows):
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def hours(count):
    start = np.datetime64("2023-01-01T00")
    times = [str(start + np.timedelta64(k, "h")) for k in range(count)]
    return [f"{t[8:10]}.{t[5:7]}.{t[:4]} {t[11:13]}:00" for t in times]


def test_hourly_series_with_a_decimal_comma_is_forecast_a_day_ahead(tmp_path):
    values = 50 + 20 * np.sin(2 * np.pi * np.arange(300) / 24) + RNG.normal(size=300)
    rows = [f"{t};{v:.2f};{v / 3:.1f}".replace(".", ",").replace(",", ".", 2) for t, v in zip(hours(300), values)]
    draft, config, data = drafted(lines(tmp_path / "last.csv", "Datum;Last;Temperatur", rows), target="Last")
    assert draft.task == "forecast"
    assert (config.data.target.column, config.data.target.horizon) == ("Last", 24)
    assert (config.data.time, config.data.calendar) == ("Datum", ("hour", "weekday"))
    assert config.data.table.decimal == ","
    assert config.data.scale == "window"
    assert data.schema.target.size == 24
    assert draft.text.count("; {known: true} if its later values are known") == 1
    edited = tmp_path / "edited.yaml"
    edited.write_text(draft.text.replace("  Temperatur: {}", "  Temperatur: {known: true}"))
    known = open_data(load_config(edited)).schema.layout.known
    assert "Temperatur" in [column.name for column in known]


def test_trend_and_season_are_differenced(tmp_path):
    level = np.linspace(100, 400, 144)
    values = level * (1 + 0.2 * np.sin(2 * np.pi * np.arange(144) / 12)) * (1 + 0.01 * RNG.normal(size=144))
    rows = [f"{1949 + k // 12}-{k % 12 + 1:02d},{value:.1f}" for k, value in enumerate(values)]
    _, config, data = drafted(lines(tmp_path / "air.csv", "Month,Passengers", rows))
    assert [str(step) for step in config.data.transform["Passengers"]] == [
        "log",
        "difference",
        "seasonal_difference(12)",
    ]
    assert config.data.target.next
    assert data.valid is not None


def test_wide_table_without_a_header(tmp_path):
    rows = [",".join([str(k % 2 + 1), *(f"{x:.3f}" for x in RNG.normal(size=12))]) for k in range(60)]
    draft, config, data = drafted(lines(tmp_path / "beats.csv", rows[0], rows[1:]))
    assert (draft.task, draft.target) == ("classify", "label")
    assert config.data.inputs["x"].columns == ("t*",)
    assert (len(data.train) + len(data.valid), data.train.lengths.max()) == (60, 12)


def test_tagged_words_of_columns_and_of_a_treebank(tmp_path):
    sentences = ["the DT O\ndog NN O\nsees VBZ O\nAnna NNP B-PER\n", "a DT O\ncat NN O\nsleeps VBZ O\nhere RB O\n"]
    (tmp_path / "news.conll").write_text("\n".join(sentences * 10))
    draft, config, _ = drafted(tmp_path / "news.conll")
    assert (draft.task, draft.target) == ("tag", "tag")
    assert list(config.data.inputs) == ["form", "suffix"]
    words = ["1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_", "2\tdog\tdog\tNOUN\tNN\t_\t0\troot\t_\t_"]
    for part in ("train", "dev", "test"):
        (tmp_path / f"en-ud-{part}.conllu").write_text(("\n".join(words) + "\n\n") * 8)
    draft, config, data = drafted(tmp_path / "en-ud-train.conllu")
    assert (draft.task, draft.target) == ("tag", "upos")
    assert config.model.bidirectional
    assert (len(data.train), len(data.valid), len(data.test)) == (8, 8, 8)


def test_tokens_sets_and_texts(tmp_path):
    rows = [
        {"tokens": "i want a flight".split() if k % 2 else ["what", "fare"], "intent": "fb"[k % 2]} for k in range(30)
    ]
    assert drafted(write_jsonl(tmp_path / "intents.jsonl", rows))[0].target == "intent"
    rows = [{"tokens": list(RNG.choice(["a", "b", "c"], 8))} for _ in range(30)]
    assert drafted(write_jsonl(tmp_path / "tokens.jsonl", rows))[0].task == "language-model"
    rows = [{"notes": [[60, 64], [62], [60, 65, 69], []] * 2} for _ in range(12)]
    draft, config, data = drafted(write_jsonl(tmp_path / "chorales.jsonl", rows))
    assert (draft.task, config.data.inputs["notes"].kind, data.schema.target.kind) == ("language-model", "set", "set")
    rows = [f'"a {("good", "dull")[k % 2]} film, and {k} long",{("pos", "neg")[k % 2]}' for k in range(40)]
    draft, config, _ = drafted(lines(tmp_path / "reviews.csv", "text,sentiment", rows))
    assert (draft.target, config.data.inputs["text"].unit) == ("sentiment", "word")


@pytest.mark.parametrize("text, whole", [("anna\nbertram\ncilla\n" * 8, False), ("to be or not to be\n" * 30, True)])
def test_plain_text(tmp_path, text, whole):
    (tmp_path / "some.txt").write_text(text)
    draft, config, data = drafted(tmp_path / "some.txt")
    assert (draft.task, config.data.lines, config.data.carry_state) == ("language-model", not whole, whole)
    assert data.schema.target.is_next


def test_missing_values_marks_and_sentinels(tmp_path):
    cells = [["NA", "-", "-200"][k // 40] if k % 40 == 3 else f"{5 + np.sin(k / 9):.2f}" for k in range(120)]
    cells[50] = "-200"
    rows = [f"{k},{cell}" for k, cell in enumerate(cells)]
    _, config, data = drafted(lines(tmp_path / "co.csv", "t,co", rows))
    assert {"-", -200} <= set(config.data.missing.values)
    assert config.data.missing.fill == "previous"
    assert config.data.missing.target == "skip"
    assert len(data.train) == 1


def test_groups_of_digits(tmp_path):
    rows = [f"2020-01-{k + 1:02d};{12_000 + 137 * k:,}" for k in range(30)]
    _, config, _ = drafted(lines(tmp_path / "sales.csv", "date;sales", rows))
    assert config.data.table.thousands == ","
    assert list(config.data.inputs) == ["sales"]


def test_panel_of_series_holds_out_their_ends(tmp_path):
    rows = [
        f"2022-01-{d + 1:02d},{s},{b + RNG.normal():.2f}" for d in range(30) for s, b in (("north", 30), ("south", 9))
    ]
    _, config, data = drafted(lines(tmp_path / "panel.csv", "date,store,sold", rows))
    assert (config.data.id, config.data.time, config.data.valid.by) == (("store",), "date", "time")
    assert (len(data.train), len(data.valid)) == (2, 2)


def test_subjects_are_kept_together(tmp_path):
    rows = [f"s{s},{t},{RNG.normal():.2f},{'ab'[t % 2]}" for s in range(6) for t in range(4) for _ in range(5)]
    _, config, data = drafted(lines(tmp_path / "trials.csv", "subject,trial,x,label", rows))
    assert config.data.id == ("subject", "trial")
    assert config.data.valid.by == "subject"
    assert len(data.train) % 4 == 0


def test_splits_of_a_column_of_files_and_within_a_file(tmp_path):
    rows = [
        f"{k // 4},{('train', 'valid', 'test')[k // 4 % 3]},{RNG.normal():.2f},{'ab'[k // 12 % 2]}" for k in range(96)
    ]
    _, config, data = drafted(lines(tmp_path / "all.csv", "id,part,x,label", rows))
    assert config.data.split == "part"
    assert (len(data.train), len(data.valid), len(data.test)) == (8, 8, 8)
    walk = [{"x": [0.1, 0.2, 0.3], "kind": "ab"[k % 2]} for k in range(12)]
    (tmp_path / "walks.json").write_text(json.dumps({"train": walk, "test": walk[:4]}))
    assert len(drafted(tmp_path / "walks.json")[2].test) == 4
    (tmp_path / "parts").mkdir()
    for part in ("train", "test"):
        write_jsonl(tmp_path / f"parts/{part}.jsonl", walk)
    assert len(drafted(tmp_path / "parts")[2].test) == 12


def test_arrays_and_parquet(tmp_path):
    x = RNG.normal(size=(40, 9, 2))
    np.savez(tmp_path / "ecg.npz", x=x, lengths=RNG.integers(4, 9, 40), y=np.arange(40) % 3)
    draft, _, data = drafted(tmp_path / "ecg.npz")
    assert (draft.task, data.schema.target.size) == ("classify", 3)
    np.savez(tmp_path / "adding.npz", x=x, y=RNG.normal(size=40))
    assert drafted(tmp_path / "adding.npz")[0].task == "regress"
    table = {"id": list(range(30)), "signal": x[:30, :, 0].tolist(), "level": ["low", "high"] * 15}
    parquet.write_table(pa.table(table), tmp_path / "levels.parquet")
    draft, config, _ = drafted(tmp_path / "levels.parquet")
    assert (draft.target, list(config.data.inputs)) == ("level", ["signal"])


def test_dates_of_parquet_are_those_of_csv(tmp_path):
    days = np.datetime64("2023-01-01") + np.arange(40).repeat(2)
    table = {"date": days.astype("datetime64[ms]"), "store": ["n", "s"] * 40, "sold": RNG.normal(size=80)}
    parquet.write_table(pa.table({**table, "__index_level_0__": RNG.permutation(80)}), tmp_path / "panel.parquet")
    _, config, _ = drafted(tmp_path / "panel.parquet")
    assert (config.data.id, config.data.time, list(config.data.inputs)) == (("store",), "date", ["sold"])


def test_numbers_of_more_digits_than_a_float_holds(tmp_path):
    rows = [f"{cell},{'9' * 400 if k == 3 else k},{'ab'[k % 2]}" for k, cell in enumerate(["ACGTAC", "GTTACA"] * 10)]
    rows = [f"{k * 7919:b}x{row}" for k, row in enumerate(rows, start=1)]
    with pytest.raises(DataError, match=r"dna.csv:5: n: .*"):
        drafted(lines(tmp_path / "dna.csv", "dna,n,label", rows))


def test_labels_and_numbers_at_each_step(tmp_path):
    rows = [
        f"{1_700_000_000 + k},{RNG.normal():.2f},{RNG.normal():.2f},{('sit', 'run')[k // 20 % 2]}" for k in range(400)
    ]
    draft, config, _ = drafted(lines(tmp_path / "watch.csv", "timestamp,acc_x,acc_y,activity", rows))
    assert (draft.task, draft.target, config.data.window) == ("tag", "activity", 64)
    rows = [f"{u},{c},{RNG.normal():.2f},{c + RNG.normal():.2f},{40 - c}" for u in range(6) for c in range(40)]
    draft, config, _ = drafted(lines(tmp_path / "engines.csv", "unit,cycle,s1,s2,rul", rows))
    assert (draft.task, config.data.target.per, list(config.data.inputs)) == ("regress", "step", ["s1", "s2"])
    assert not config.model.bidirectional


def test_an_id_of_each_row_names_no_sequence(tmp_path):
    rows = [f"{k},{np.sin(k / 5):.3f}" for k in range(60)]
    _, config, data = drafted(lines(tmp_path / "log.csv", "id,level", rows))
    assert list(config.data.inputs) == ["level"]
    assert len(data.train) == 1


def test_odd_names_and_an_encoding(tmp_path):
    head = '"a, b","x: y",# no,"q""uote",größe,müde'
    rows = [",".join([*(f"{x:.2f}" for x in RNG.normal(size=5)), "ja nein".split()[k % 2]]) for k in range(60)]
    (tmp_path / "odd.csv").write_bytes("\n".join([head, *rows]).encode("cp1252"))
    _, config, _ = drafted(tmp_path / "odd.csv")
    assert list(config.data.inputs) == ["a, b", "x: y", "# no", 'q"uote', "größe"]
    assert config.data.table.encoding == "cp1252"


def test_files_of_logs_and_rows_that_cannot_be_read(tmp_path):
    (tmp_path / "logs").mkdir()
    for day in range(6):
        rows = [f"{RNG.normal():.2f},{('still', 'moving')[k % 3 == 0]}" for k in range(30)]
        lines(tmp_path / f"logs/day{day}.csv", "x,state", rows)
    _, config, data = drafted(tmp_path / "logs")
    assert (config.data.id, config.data.target.column, len(data.train)) == (("file",), "state", 5)
    rows = [f"{k // 5},{RNG.normal():.2f},{'ab'[k // 5 % 2]}" for k in range(100)]
    draft, config, _ = drafted(lines(tmp_path / "bad.csv", "id,x,label", [*rows, "20,0.3"]))
    assert config.data.on_error == "skip"
    assert "1 row cannot be read; the first: " in draft.text
