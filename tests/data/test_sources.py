"""Which files a key names, and what their sequences are called."""

import pytest

from lstm_cli.data import encode, open_data, read_sequences
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, write, write_jsonl

GIVEN = {"inputs": ["x"], "target": "y"}


def table(folder, name, first, steps=3):
    """A series in a table whose numbers tell which it is."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write(folder / name, "x,y\n" + "".join(f"{first + t}.5,{'ab'[t % 2]}\n" for t in range(steps)))


def opened(folder, train, **data):
    return open_data(data_config(folder, train=train, scale="none", **{**GIVEN, **data}))


def firsts(dataset):
    return [int(sequence.numbers[0, 0]) for sequence in dataset]


@pytest.mark.parametrize(
    ("train", "first"),
    [
        ("logs/*.csv", [1, 2, 10]),
        ("logs", [1, 2, 10]),
        (["logs/log-10.csv", "logs/log-1.csv"], [10, 1]),
        (["logs/log-2.csv", "logs/log-1*.csv"], [2, 1, 10]),
        ("./logs/log-[12].csv", [1, 2]),
        ("**/*.csv", [1, 2, 10]),
    ],
)
def test_a_pattern_a_folder_and_a_list_name_files_in_natural_order(tmp_path, train, first):
    for number in (1, 2, 10):
        table(tmp_path, f"logs/log-{number}.csv", number)
    table(tmp_path, "logs/.hidden.csv", 99)
    data = opened(tmp_path, train)
    assert firsts(data.train) == first
    assert data.train.ids == [f"log-{number}" for number in first]
    assert any(note.startswith(f"train: {len(first)} files: log-") for note in data.notes)


def test_a_name_with_brackets_is_a_file_if_there_is_one(tmp_path):
    table(tmp_path, "a[1].csv", 7)
    assert firsts(opened(tmp_path, "a[1].csv").train) == [7]


def test_absolute_patterns(tmp_path):
    table(tmp_path, "a1.csv", 1)
    table(tmp_path, "a2.csv", 2)
    assert firsts(opened(tmp_path / "elsewhere", str(tmp_path / "a*.csv")).train) == [1, 2]


def test_valid_and_test_may_be_several_files_too(tmp_path):
    for number in range(1, 6):
        table(tmp_path, f"{number}.csv", number)
    data = opened(tmp_path, ["1.csv"], valid=["2.csv", "3.csv"], test="[45].csv")
    assert [firsts(dataset) for dataset in (data.train, data.valid, data.test)] == [[1], [2, 3], [4, 5]]
    assert data.valid.ids == ["2", "3"]


@pytest.mark.parametrize(
    ("train", "error", "message"),
    [
        ("none-*.csv", DataError, r"none-\*.csv: no file matches this pattern, which is relative"),
        ("empty", DataError, r"empty: a folder without data files \(it is empty\)"),
        ("notes", DataError, r"notes: a folder without data files \(only read.me\)"),
        ("mixed", DataError, r"mixed: a folder with files of several formats \(2 of csv, 1 of jsonl\): give a pattern "
         r"such as mixed/\*.csv"),
        (["a.csv", "*.csv"], ConfigError, r"data.train: .*a.csv is named twice: leave one out"),
        (["a.csv", "mixed/c.jsonl"], ConfigError, r"data.train: files of several formats: a.csv \(csv\), c.jsonl"),
        (["a.csv", "gone.csv"], DataError, r"gone.csv: no such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_together_is_refused(tmp_path, train, error, message):
    for name in ("empty", "notes", "mixed"):
        (tmp_path / name).mkdir()
    write(tmp_path / "notes" / "read.me", "x")
    for name in ("a.csv", "mixed/a.csv", "mixed/b.csv"):
        table(tmp_path, name, 1)
    write_jsonl(tmp_path / "mixed" / "c.jsonl", [{"x": [1], "y": "a"}])
    with pytest.raises(error, match=message):
        opened(tmp_path, train)


def test_with_a_format_a_folder_gives_the_files_of_that_format(tmp_path):
    table(tmp_path, "logs/a.csv", 1)
    table(tmp_path, "logs/b.csv", 2)
    write(tmp_path / "logs" / "readme.txt", "text")
    assert firsts(opened(tmp_path, "logs", format="csv").train) == [1, 2]


def test_the_name_of_the_file_is_the_id_where_no_column_is_named_file(tmp_path):
    table(tmp_path, "store7.2019.csv", 1)
    data = opened(tmp_path, "store7.2019.csv", id="file")
    assert data.train.ids == ["store7.2019"]
    (again,) = read_sequences(tmp_path / "store7.2019.csv", data.schema)
    assert encode(data.schema, again).id == "store7.2019"
    write(tmp_path / "own.csv", "file,x,y\np,1.5,a\nq,2.5,b\n")
    assert opened(tmp_path, "own.csv", id="file").train.ids == ["p", "q"]


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path):
    for number, folder in enumerate(("north", "south")):
        table(tmp_path, f"{folder}/log.csv", number)
    assert opened(tmp_path, "*/log.csv").train.ids == ["north/log", "south/log"]


def test_sequences_without_ids_are_numbered_within_their_file(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [{"x": [1.5], "y": "a"}, {"x": [2.5], "y": "b"}])
    write_jsonl(tmp_path / "b.jsonl", [{"x": [3.5], "y": "a"}])
    assert opened(tmp_path, ["a.jsonl", "b.jsonl"]).train.ids == ["a:1", "a:2", "b"]


def test_the_same_id_in_two_files_is_two_sequences(tmp_path):
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, "id,x,y\nu,1.5,a\nv,1.5,b\nu,2.5,b\n")
    data = opened(tmp_path, ["a.csv", "b.csv"])
    assert (data.train.ids, data.train.lengths.tolist()) == (["u", "v", "u", "v"], [2, 1, 2, 1])
    assert "data.train, 2 files: ids shared by several sequences: 'u' (2 times), 'v' (2 times)" in data.notes


def test_an_error_names_its_file_and_skipped_rows_are_counted_over_all(tmp_path):
    table(tmp_path, "a.csv", 1, steps=30)
    write(tmp_path / "b.csv", "x,y\n1.5,a\noops,b\n")
    with pytest.raises(DataError, match=r"b.csv:3: x: 'oops' is not a number"):
        opened(tmp_path, ["a.csv", "b.csv"])
    data = opened(tmp_path, ["a.csv", "b.csv"], on_error="skip")
    (note,) = [note for note in data.notes if "skipped" in note]
    assert note.startswith("data.train, 2 files: 1 of 32 rows was skipped:")
    assert data.train.lengths.tolist() == [30, 1]
