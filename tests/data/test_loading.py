"""From a config to data, over whole files."""

import numpy as np
import pytest

from lstm_cli.data import Dataset, open_data, read_dataset
from lstm_cli.errors import DataError
from tests.support.data import data_config, open_jsonl, write, write_jsonl

GIVEN = {"inputs": ["x"], "target": "y"}
ROWS = [{"x": [1.5, 2], "y": "a"}, {"x": [3, 4.5], "y": "b"}]


def test_one_sequence_alone_is_data(tmp_path):
    data = open_jsonl(tmp_path, ROWS[:1], **GIVEN)
    assert (len(data.train), data.valid, data.test) == (1, None, None)


def test_several_inputs_at_once(tmp_path):
    row = {"x": [[1.5, 2], [3, 4]], "n": [1, 2], "w": ["a", "b"], "s": [["p"], []], "y": "a"}
    data = open_jsonl(tmp_path, [row], inputs=["w", "n", "s", "x"], target="y", scale="none")
    assert data.train.numbers.tolist() == [[1, 1.5, 2, 1], [2, 3, 4, 0]]
    assert list(data.train.tokens) == ["w"]


def test_other_files_may_have_other_formats_but_not_other_columns(tmp_path):
    write(tmp_path / "valid.csv", "id,x,y\n1,5,a\n1,6,a\n2,7,b\n")
    data = open_jsonl(tmp_path, ROWS, valid="valid.csv", **GIVEN)
    assert data.valid.lengths.tolist() == [2, 1]
    write(tmp_path / "valid.csv", "z,y\n5,a\n")
    with pytest.raises(DataError, match=r"valid.csv:2: x: the column is missing \(there are z, y\)"):
        open_jsonl(tmp_path, ROWS, valid="valid.csv", **GIVEN)


def test_a_label_that_training_never_saw_is_an_error_in_the_score_and_not_a_crash(tmp_path):
    write_jsonl(tmp_path / "test.jsonl", [{"x": [1.5], "y": "c"}, {"x": [1.5], "y": "a"}])
    data = open_jsonl(tmp_path, ROWS, test="test.jsonl", **GIVEN)
    assert data.test.target.tolist() == [-1, 0]
    unseen, absent = data.notes
    assert unseen == "test: targets that training never saw, each an error: 1 of 2 (50.00%), such as 'c'"
    assert absent.startswith("test: 1 label of y never occurs: b; its scores say nothing about it:")


def test_unknown_tokens_are_reported_for_every_split(tmp_path):
    rows = [{"w": ["a", "a", "b"], "y": "p"}]
    write_jsonl(tmp_path / "test.jsonl", [{"w": ["a", "c", "b"], "y": "p"}])
    data = open_jsonl(tmp_path, rows, test="test.jsonl", inputs={"w": {"min_count": 2}}, target="y")
    notes = [note for note in data.notes if "unknown" in note]
    assert notes == [
        "train: unknown tokens in w: 1 of 3 (33.33%), such as 'b'",
        "test: unknown tokens in w: 2 of 3 (66.67%), such as 'c', 'b'",
    ]


def test_a_dataset_read_for_evaluation_equals_the_split(tmp_path):
    write_jsonl(tmp_path / "test.jsonl", ROWS)
    data = open_jsonl(tmp_path, ROWS, test="test.jsonl", **GIVEN)
    again = read_dataset(tmp_path / "test.jsonl", data.schema)
    assert np.array_equal(again.numbers, data.test.numbers)
    assert np.array_equal(again.target, data.test.target)


def test_a_dataset_gives_its_sequences_back(tmp_path):
    data = open_jsonl(tmp_path, [{**row, "id": name} for row, name in zip(ROWS, "uv", strict=True)], **GIVEN)
    again = Dataset(list(data.train), data.schema)
    assert again.ids == data.train.ids == ["u", "v"]
    assert np.array_equal(again.numbers, data.train.numbers)
    assert np.array_equal(again.offsets, data.train.offsets)
    assert data.train[1].where.endswith("train.jsonl:2")


def test_pieces_of_a_split_sequence_keep_every_target(tmp_path):
    rows = [{"x": [t + 0.5 for t in range(length)]} for length in (11, 3)]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="next", scale="none", max_length=4, on_long="split")
    assert data.train.lengths.tolist() == [4, 4, 2, 2]
    assert sorted(data.train.target[:, 0]) == sorted(t + 1.5 for length in (11, 3) for t in range(length - 1))


def test_csv_may_be_tab_separated(tmp_path):
    write(tmp_path / "a.tsv", "x\ty\n1\ta\n2\tb\n")
    assert open_data(data_config(tmp_path, train="a.tsv", **GIVEN)).train.lengths == [2]


def test_a_format_that_is_given_wins_over_the_suffix(tmp_path):
    write(tmp_path / "a.dat", "abc\n")
    assert open_data(data_config(tmp_path, train="a.dat", format="text")).train.lengths == [3]
