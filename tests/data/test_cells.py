"""Columns of text in Arrow's layout: their numbers and kinds, by any view."""

import numpy as np
import pytest

from lstm_cli.data.formats.cells import Cells, TextColumn
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.notation import Notation
from tests.support.columnar import pa


def test_numbers_are_those_of_python_and_missing_cells_are_nan():
    texts = ["1", "-2.5", "+3", ".5", "5.", "1e3", "1E-2", "inf", "-Infinity", "NA", "", "nan"]
    found = Cells.of(texts).numbers()
    expected = [np.nan if text in ("NA", "") else float(text) for text in texts]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("text", ["1_000", "0x10", "٣", "1 2", "-", "1e", "1,5", "a", "--1", "nane"])
def test_what_is_no_number_makes_only_its_own_rows_none(text):
    cells = Cells.of(["1", text, "3"])
    assert cells.numbers() is None
    assert cells[2:].numbers().tolist() == [3]
    assert cells.kinds() == {"int": 2, "str": 1}
    assert cells.take(np.array([0, 2])).numbers().tolist() == [1, 3]


@pytest.mark.parametrize(
    ("notation", "texts", "expected"),
    [
        (Notation(decimal=","), ["20,1", "1", "-,5"], [20.1, 1, -0.5]),
        (Notation(thousands=","), ["1,234.5", "24,688,612", "12"], [1234.5, 24688612, 12]),
        (Notation(decimal=",", thousands="."), ["1.234,5", "-7.000"], [1234.5, -7000]),
        (Notation(thousands=" "), ["1 234", "1\u00a0234\u202f567.25"], [1234, 1234567.25]),
        (Notation(missing=MissingValues((-200, "x"))), ["-200.0", "x", "1"], [np.nan, np.nan, 1]),
    ],
)
def test_notations(notation, texts, expected):
    np.testing.assert_array_equal(Cells.of(texts, notation).numbers(), expected)


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (Notation(decimal=","), "1.5"), (Notation(decimal=","), "1,5,0"), (Notation(thousands=","), "1,23"),
        (Notation(thousands=","), "1234,567"), (Notation(thousands="."), "1.5"), (Notation(thousands=","), "1,234,56"),
    ],
)  # fmt: skip
def test_digits_grouped_otherwise_are_no_number(notation, text):
    assert Cells.of(["1", text], notation).numbers() is None


def test_kinds_are_counted_by_cell():
    cells = Cells.of(["1", "2.0", "1e3", "NA", "", "word", "-3", "nan"])
    assert cells.kinds() == {"int": 2, "float": 2, "null": 3, "str": 1}
    assert cells[:2].kinds() == {"int": 1, "float": 1}


def test_a_view_is_a_sequence_of_its_cells_over_chunks():
    chunks = pa.chunked_array([["a", "b"], ["c"], ["d", "e"]])
    cells = Cells(TextColumn(chunks), slice(1, 5))
    assert (cells[0], cells[-1], len(cells), cells) == ("b", "e", 4, ["b", "c", "d", "e"])
    assert cells[::-1] == ["e", "d", "c", "b"]
    assert cells.take(np.array([3, 0])).take(np.array([1])) == ["b"]
    assert "c" in cells and "a" not in cells
    with pytest.raises(IndexError):
        cells[4]


def test_equal_cells_of_a_long_column_are_one_object():
    cells = Cells.of(["long label", "other"] * 1000).tolist()
    assert (cells[:3], len(set(map(id, cells)))) == (["long label", "other", "long label"], 2)


@pytest.mark.parametrize("repeats", [1, 400])  # many different texts, and few
def test_numbers_stay_without_their_text_and_other_cells_with_it(repeats):
    texts = [*(f"{number / 8:.3f}" for number in range(400 // repeats)), "NA", "word", "-200.0", "7"] * repeats
    notation = Notation(missing=MissingValues(("NA", -200)))
    whole, kept = Cells.of(texts, notation), Cells.of(texts, notation)
    kept.keep_numbers()
    kept.keep_numbers()
    assert kept.kinds() == whole.kinds()
    assert kept.texts().tolist() == whole.texts().tolist()
    np.testing.assert_array_equal(kept.gaps(), whole.gaps())
    assert [text for text, gap in zip(texts, kept.gaps(), strict=True) if gap] == ["NA", "-200.0"] * repeats
    for step, text in enumerate(texts):
        if text in ("NA", "word", "-200.0"):
            assert kept[step] == text
        else:
            assert float(kept[step]) == float(text)
    assert kept[400 // repeats :][1] == "word"
    assert kept.tolist() == kept.arrow().to_pylist() == [kept[step] for step in range(len(texts))]
