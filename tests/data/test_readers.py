"""What each reader yields for a good file."""

import io
from pathlib import Path

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.config.formats import FORMATS
from lstm_cli.data.formats import READERS, Options, detect, read
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.text import join, split
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import CONLLU, TS, write


def read_file(path, form=None, **options):
    return list(read(Source(path), form or detect(path), Options(**options)))


def test_jsonl_gives_arrays_for_numbers_and_lists_for_the_rest(tmp_path):
    lines = ['{"id": "a", "x": [[1, 2], [3, 4]], "w": ["p", "q"]}', "", '{"x": [[5, 6]], "w": []}']
    first, second = read_file(write(tmp_path / "a.jsonl", "\n".join(lines)))
    np.testing.assert_array_equal(first.columns["x"], [[1, 2], [3, 4]])
    assert (first.id, first.columns["w"], second.id) == ("a", ["p", "q"], 2)
    assert second.where.endswith("a.jsonl:3")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_groups_neighbouring_ids_under_any_delimiter(tmp_path, delimiter):
    lines = ["id,x,word", "a,1,p", 'a,2,"q, ""r"""', "b,3,s"]
    text = "\n".join(lines if delimiter == "," else [line.replace(",", delimiter) for line in lines])
    first, second = read_file(write(tmp_path / "a.csv", text))
    assert (first.id, first.columns["x"], second.id) == ("a", ["1", "2"], "b")
    assert first.columns["word"][1] == ('q, "r"' if delimiter == "," else f'q{delimiter} "r"')
    assert first.steps_at[1].endswith("a.csv:3")


def test_csv_without_ids_is_one_long_series(tmp_path):
    (row,) = read_file(write(tmp_path / "a.csv", "x\n1\n\n2\n3\n"))
    assert (row.id, row.columns["x"], row.steps_at[1]) == (1, ["1", "2", "3"], f"{tmp_path}/a.csv:4")


QUOTED = {
    "closed by a later one": ('x,y\n1,"two\n2,one\n3,"\n', 2),
    "a cell over two lines": ('x,note\n1,"two\nlines"\n2,one\n', 2),
    "to the end of the file": ('x,y\n1,a\n2,"b\n' + "3,c\n" * 50_000, 3),
    "in the header": ('x,"y\n1,2\n', 1),
    "in the last line": ('x,y\n1,a\n2,"b', 3),
}


@pytest.mark.parametrize("case", QUOTED)
def test_a_quote_without_an_end_on_its_line_takes_no_other_line_with_it(tmp_path, case):
    content, line = QUOTED[case]
    fix = "close the quote, or take the line break out of the cell"
    with pytest.raises(DataError, match=rf"a\.csv:{line}: a quoted cell does not end on its line: {fix}"):
        read_file(write(tmp_path / "a.csv", content))


def test_what_is_quoted_on_one_line_is_a_cell(tmp_path):
    lines = ['"id","y, z"', "1,a", '2,"b, ""c"""', '"3",', "4,", '4,"a"b', '5,c"', '"6",d']
    *good, bad = sorted(
        read_file(write(tmp_path / "a.csv", "\n".join(lines))), key=lambda row: isinstance(row, DataError)
    )
    assert [(row.id, *row.columns["y, z"]) for row in good] == [
        ("1", "a"), ("2", 'b, "c"'), ("3", ""), ("4", ""), ("5", 'c"'), ("6", "d"),
    ]  # fmt: skip
    assert "a.csv:6: the quotes do not match (" in str(bad)


def test_blank_lines_are_counted_and_passed_over(tmp_path):
    (row,) = read_file(write(tmp_path / "a.csv", ' \n\nx,y\n\n1,2\n\n\n3,"4"\n\n'))
    assert row.columns == {"x": ["1", "3"], "y": ["2", "4"]}
    assert [place.rsplit(":")[-1] for place in row.steps_at] == ["5", "8"]


def test_npz_padded_and_stacked_are_the_same(tmp_path):
    lengths, y = np.array([3, 1]), np.array([0.5, 1.5])
    x = np.array([[[1, 2], [3, 4], [5, 6]], [[7, 8], [0, 0], [0, 0]]], np.float32)
    np.savez(tmp_path / "padded.npz", x=x, lengths=lengths, y=y, id=np.array(["a", "b"]))
    np.savez(tmp_path / "stacked.npz", x=np.concatenate([x[0], x[1, :1]]), offsets=[0, 3, 4], y=y, id=["a", "b"])
    padded, stacked = (read_file(tmp_path / f"{name}.npz") for name in ("padded", "stacked"))
    for one, other in zip(padded, stacked, strict=True):
        assert (one.id, one.columns["y"]) == (other.id, other.columns["y"])
        np.testing.assert_array_equal(one.columns["x"], other.columns["x"])
    assert [len(row.columns["x"]) for row in padded] == [3, 1]


def test_npz_without_lengths_has_equally_long_sequences_and_strings_become_lists(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)), tags=np.array([["a", "b", "c"]] * 2), label=np.array(["u", "v"]))
    first, second = read_file(tmp_path / "a.npz")
    assert (first.columns["x"].shape, first.columns["tags"], second.columns["label"]) == ((3,), ["a", "b", "c"], "v")


def test_text_is_lines_or_one_series_of_characters_or_words(tmp_path):
    path = write(tmp_path / "a.txt", "to be\n\nor not\n")
    assert read_file(path)[0].columns["text"] == list("to be\n\nor not\n")
    assert read_file(path, unit="word")[0].columns["text"] == ["to", "be", "\n", "\n", "or", "not", "\n"]
    assert [(row.id, row.columns["text"]) for row in read_file(path, unit="word", lines=True)] == [
        (1, ["to", "be"]),
        (3, ["or", "not"]),
    ]


def test_words_join_to_the_text_they_came_from_piece_by_piece():
    text = "to be\n\nor not to be"
    assert join(split(text, "word"), "word") == text
    made = ""
    for word in split(text, "word"):
        made += join([word], "word", after=made)
    assert made == text
    assert join(split(text, "char"), "char") == text


def test_conllu_skips_ranges_and_empty_nodes_and_names_sentences(tmp_path):
    first, second = read_file(write(tmp_path / "a.conllu", CONLLU))
    assert (first.id, first.columns["form"]) == ("a1", ["vamos", "nos", "mar"])
    assert first.columns["upos"] == ["VERB", "PRON", "NOUN"]
    assert (second.id, second.columns["form"]) == (2, ["sí"])
    assert first.columns["text"] == "vámonos al mar"
    assert first.steps_at[0].endswith(":4")


def test_ts_has_dimensions_unequal_lengths_and_labels(tmp_path):
    first, second = read_file(write(tmp_path / "a.ts", TS))
    np.testing.assert_array_equal(first.columns["x"], [[1, 10], [2, 20], [3, 30]])
    assert (first.columns["label"], second.columns["x"].shape, second.columns["label"]) == ("up", (1, 2), "down")


def test_ts_without_labels(tmp_path):
    (row,) = read_file(write(tmp_path / "a.ts", "@univariate true\n@classLabel false\n@data\n1,2\n"))
    assert row.columns["x"].shape == (2, 1)
    assert "label" not in row.columns


def test_only_the_needed_columns_are_kept(tmp_path):
    (row,) = read_file(write(tmp_path / "a.jsonl", '{"x": [1], "y": 2, "z": 3}\n'), columns=frozenset(["x"]))
    assert (set(row.columns), row.names) == ({"x"}, ("x", "y", "z"))


def test_streams_are_read_like_files():
    (row,) = read(Source(io.BytesIO(b'{"x": [1, 2]}\n')), "jsonl", Options())
    assert row.where == "<stream>:1"


def test_streams_are_read_row_by_row():
    class Raw(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            if given:
                raise AssertionError("the second line was read before the first was used")
            given.append(b'{"x": [1]}\n')
            buffer[: len(given[0])] = given[0]
            return len(given[0])

    given = []
    row = next(read(Source(io.BufferedReader(Raw())), "jsonl", Options()))
    assert row.id == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jsnl", r"a\.jsnl: cannot infer the format from the suffix \.jsnl \(did you mean \.jsonl\?\): rename"),
        ("a", r"a: cannot infer the format without a suffix: rename the file or set data\.format to one of"),
    ],
)
def test_a_suffix_that_says_nothing_is_an_error(tmp_path, name, message):
    with pytest.raises(DataError, match="no such file: check the path"):
        detect(tmp_path / name)
    (tmp_path / name).write_bytes(b"\x00\x01")
    with pytest.raises(DataError, match=message):
        detect(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("a.csv", "csv"), ("a.TSV", "csv"), ("a.npz", "npz"),
        ("a.txt", "text"), ("a.text", "text"), ("a.Text", "text"), ("a.conllu", "conllu"), ("a.ts", "ts"),
        ("a.parquet", "parquet"), ("a.arrow", "arrow"), ("a.feather", "arrow"),
    ],
)  # fmt: skip
def test_config_and_reader_agree_on_what_a_suffix_stands_for(name, form):
    assert detect(Path("data") / name) == form
    assert READERS.keys() >= {form}
    data = {"train": name, "inputs": ["x"]}
    if form == "text":  # which needs no target: the next symbol is learned
        assert config_from_mapping({"data": data | {"unit": "word"}}).data.format == "auto"
    elif form in ("ts", "tsf"):  # which say what their target is
        assert config_from_mapping({"data": data}).data.target is None
    else:
        with pytest.raises(ConfigError, match=r"data\.target: missing"):
            config_from_mapping({"data": data})


def test_every_format_of_the_config_has_a_reader():
    assert READERS.keys() == set(FORMATS)
