"""What is read of files with a token, a case or a series on each line: columns, ts and tsf."""

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data import open_data
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.errors import DataError
from tests.support.data import data_config, write
from tests.support.format_rows import TSF
from tests.support.reading import read_file

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
# # O O

-DOCSTART- -X- -X- O

Peter\xa0B NNP  B-NP B-PER
"""


def test_columns_of_conll_2003(tmp_path):
    first, second = read_file(write(tmp_path / "eng.conll", CONLL_2003))
    assert first.columns == {
        "form": ["EU", "rejects", "#"], "c2": ["NNP", "VBZ", "#"], "c3": ["B-NP", "B-VP", "O"],
        "tag": ["B-ORG", "O", "O"],
    }  # fmt: skip
    assert (first.id, second.id, second.columns["form"]) == (1, 2, ["Peter\xa0B"])
    assert [place.rpartition(":")[2] for place in first.steps_at] == ["3", "4", "5"]
    assert second.where.endswith("eng.conll:9")


def test_columns_are_also_known_by_their_place_so_that_a_file_without_tags_fits(tmp_path):
    path = write(tmp_path / "a.iob", "EU NNP B-NP\n")
    (row,) = read_file(path, columns=frozenset(["form", "c3"]))
    assert row.columns == {"form": ["EU"], "c3": ["B-NP"]}
    (row,) = read_file(write(tmp_path / "b.bio", "EU\nrejects\n"))
    assert row.columns == {"form": ["EU", "rejects"]}


TABLES = {
    "names": ("EU X\na Y\n", {"columns": ("word", "ner")}),
    "header": ("word ner\nEU X\na Y\n", {"header": True}),
    "comments": ("# id = 7 of 9\nEU X\n# b\na Y\n", {"comment": "# ", "columns": ("word", "ner")}),
    "skipped lines": ("a file of\nEU X\na Y\n", {"skip": 1, "columns": ("word", "ner")}),
    "bars": ("EU|X\na | Y\n", {"delimiter": "|", "columns": ("word", "ner")}),
}


@pytest.mark.parametrize("case", TABLES)
def test_columns_follow_data_table(tmp_path, case):
    content, table = TABLES[case]
    (row,) = read_file(write(tmp_path / "a.conll", content), table=TableOptions(**table))
    assert row.columns == {"word": ["EU", "a"], "ner": ["X", "Y"]}


def test_columns_separated_by_tabs_may_hold_blanks(tmp_path):
    (row,) = read_file(write(tmp_path / "a.conll", "New York\tB-LOC\nis\tO\n"))
    assert row.columns == {"form": ["New York", "is"], "tag": ["B-LOC", "O"]}


def test_a_tagger_learns_from_columns(tmp_path):
    write(tmp_path / "a.conll", CONLL_2003)
    data = open_data(data_config(tmp_path, train="a.conll", inputs=["form", "c2"], target="tag"))
    assert sorted(data.schema.labels.names) == ["B-ORG", "B-PER", "O"]
    assert data.train.lengths.tolist() == [3, 1]


STAMPED = """% a comment of Weka's
@problemName Pedestrians
@timeStamps true
@missing true
@classLabel true 0.0 1.0
@data
(2007-01-01 00:00:00,241.97),(2007-01-02 00:00:00,?):(2007-01-01 00:00:00,1),(2007-01-02 00:00:00,2):1.0
(0,5):(0,7):0.0
"""


def test_ts_with_time_stamps_comments_and_missing_values(tmp_path):
    first, second = read_file(write(tmp_path / "a.ts", STAMPED))
    np.testing.assert_array_equal(first.columns["x"], [[241.97, 1], [np.nan, 2]])
    assert first.columns["time"] == ["2007-01-01 00:00:00", "2007-01-02 00:00:00"]
    assert (first.columns["label"], second.columns["label"]) == ("1.0", "0.0")
    np.testing.assert_array_equal(second.columns["x"], [[5, 7]])


def test_declared_labels_of_ts_are_categories_and_targets_numbers(tmp_path):
    write(tmp_path / "a.ts", "@classLabel true 0.0 1.0\n@data\n1,2:0.0\n3,4:1.0\n")
    write(tmp_path / "b.ts", "@targetLabel true\n@data\n1,2:0\n3,4:1\n5,6:1\n")
    assert open_data(data_config(tmp_path, train="a.ts")).schema.labels.names == ("0.0", "1.0")
    assert open_data(data_config(tmp_path, train="b.ts")).schema.layout.target.kind == "number"


def test_different_time_stamps_of_dimensions_are_an_error(tmp_path):
    path = write(tmp_path / "a.ts", "@timeStamps true\n@classLabel false\n@data\n(0,1),(1,2):(0,1),(2,2)\n")
    (error,) = read_file(path)
    assert "a.ts:4: x: the dimensions have different time stamps: give every dimension a value at" in str(error)


def test_tsf_has_its_attributes_values_and_times(tmp_path):
    first, second = read_file(write(tmp_path / "a.tsf", TSF.replace("4,5", "4,?")))
    np.testing.assert_array_equal(first.columns["x"], [1.5, 2, 3.5])
    np.testing.assert_array_equal(second.columns["x"], [4, np.nan])
    assert (first.id, first.columns["kind"], second.columns["kind"]) == ("T1", "up", "down")
    assert first.columns["time"] == ["2001-01-30T00:00:00", "2001-01-31T00:00:00", "2001-02-01T00:00:00"]
    assert first.names == ("series_name", "start_timestamp", "kind", "time", "x")


FREQUENCIES = {
    "4_seconds": "4s", "minutely": "1min", "10_minutes": "10min", "half_hourly": "30min", "hourly": "1h",
    "daily": "1D", "weekly": "7D", "monthly": pd.DateOffset(months=1), "quarterly": pd.DateOffset(months=3),
    "yearly": pd.DateOffset(years=1),
}  # fmt: skip


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("start", ["2000-01-31 06-30-00", "2000-02-29 00-00-00"])
def test_tsf_times_are_those_of_pandas(tmp_path, frequency, start):
    content = TSF.replace("daily", frequency).replace("2001-01-30 00-00-00", start)
    first, _ = read_file(write(tmp_path / "a.tsf", content))
    began = pd.to_datetime(start, format="%Y-%m-%d %H-%M-%S")
    offset = FREQUENCIES[frequency]
    step = pd.Timedelta(offset) if isinstance(offset, str) else offset
    assert [pd.Timestamp(time) for time in first.columns["time"]] == [began + step * k for k in range(3)]


def test_tsf_without_a_frequency_has_no_times_and_another_id_can_be_named(tmp_path):
    path = write(tmp_path / "a.tsf", TSF.replace("@frequency daily\n", ""))
    first, second = read_file(path, id=("kind",), id_required=True)
    assert "time" not in first.columns and (first.id, second.id) == ("up", "down")


def test_a_forecaster_of_tsf_needs_no_column(tmp_path):
    write(tmp_path / "a.tsf", TSF)
    data = open_data(data_config(tmp_path, train="a.tsf", target="next"))
    assert data.schema.layout.target.is_next and data.train.ids == ["T1", "T2"]


def test_the_same_message_whatever_comes_before_it(tmp_path):
    path = write(tmp_path / "a.conll", "a X\n\nb Y Z\n")
    with pytest.raises(DataError, match=r"a.conll:3: expected 2 columns as in line 1, got 3: complete the line"):
        open_data(data_config(tmp_path, train=path.name, inputs=["form"], target="tag"))


TEXTS = {
    "a.jsonl": '{"x": ["sí", "mañana"], "y": "olé"}\n' * 3,
    "a.json": '[{"x": ["sí", "mañana"], "y": "olé"}]',
    "a.conll": "sí INTJ\nmañana olé\n",
    "a.txt": "sí, mañana: olé\n",
    "a.tsf": TSF.replace("up", "olé"),
    "a.ts": "@classLabel true olé sí\n@data\n1,2:olé\n3,4:sí\n",
}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "latin1"])
@pytest.mark.parametrize("name", TEXTS)
def test_text_in_another_encoding_is_read_as_data_table_says(tmp_path, name, encoding):
    expected = read_file(write(tmp_path / name, TEXTS[name]))
    write(tmp_path / name, TEXTS[name].encode(encoding))
    found = read_file(tmp_path / name, detect_form(name), table=TableOptions(encoding=encoding))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_equal(one.columns, other.columns)
        assert one.where == other.where


def detect_form(name):
    return {"a.conll": "columns", "a.txt": "text"}.get(name, name.removeprefix("a."))


def test_a_byte_that_an_encoding_does_not_have_is_an_error_with_its_line(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"x": [1]}\n{"x": ["\x81"]}\n')
    with pytest.raises(DataError, match=r"a.jsonl:2: not cp1252: .* \(byte 0x81\): correct data.table.encoding"):
        read_file(path, table=TableOptions(encoding="cp1252"))


IDS = {
    "a.jsonl": '{"user": "u", "run": 1, "x": [1]}\n{"user": "u", "run": 2, "x": [1]}\n',
    "a.json": '[{"user": "u", "run": 1, "x": [1]}, {"user": "u", "run": 2, "x": [1]}]',
    "a.conllu": "".join(f"# user = u\n# run = {k}\n1\tbig" + "\t_" * 8 + "\n\n" for k in (1, 2)),
    "a.tsf": "@attribute user string\n@attribute run numeric\n@data\nu:1:5,6\nu:2:7\n",
}


@pytest.mark.parametrize("name", IDS)
def test_ids_of_several_columns(tmp_path, name):
    path = write(tmp_path / name, IDS[name])
    found = read_file(path, id=("user", "run"), id_required=True)
    assert [row.id for row in found] == [("u", "1"), ("u", "2")]
    with pytest.raises(DataError, match=r"team: (missing: give every sequence one|no such attribute)"):
        raise next(error for error in read_file(path, id=("user", "team"), id_required=True))


@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.ts"])
def test_an_id_is_refused_where_sequences_are_numbered(tmp_path, name):
    write(tmp_path / name, TEXTS[name])
    with pytest.raises(DataError, match=rf"{name}: speaker: format \w+ has no columns .*: leave data.id out"):
        read_file(tmp_path / name, id=("speaker",), id_required=True)


def test_times_of_the_archives_order_steps_and_give_calendar_inputs(tmp_path):
    write(tmp_path / "a.tsf", TSF)
    data = open_data(data_config(tmp_path, train="a.tsf", target="next", time="time", calendar=["weekday"]))
    assert [column.name for column in data.schema.layout.inputs] == ["x", "time.weekday"]
    week = 2 * np.pi * np.array([1, 2, 1]) / 7  # the steps with a next one; 2001-01-30 was a Tuesday
    np.testing.assert_allclose(data.train.numbers[:, 1:3], np.stack([np.sin(week), np.cos(week)], axis=1), rtol=1e-5)
