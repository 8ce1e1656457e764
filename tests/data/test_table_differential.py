"""Tables as Python's csv module writes them are read cell by cell as written, wherever blocks begin and end."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_cli.config.table import MISSING
from lstm_cli.data.formats import Options, blocks, read
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.formats.source import Source

NUMBERS = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text("0123456789", min_size=1, max_size=40).map("0.".__add__),
    st.sampled_from(["1.", ".5", "+3", "-0", "1E-5", "1e400", "5e-324", "inf", "-Infinity", *MISSING]),
)
ODD = st.sampled_from(["1_0", "0x10", "1,5", "--1", "\u0661\u0662", "1e", "e5", "True", "1 2", "+", "-nan", "1d5"])
TEXTS = st.text(
    st.sampled_from([*'ab1 .",;\t|#', "é", "日", "\u00a0", "\x1c", "\x1f", "\x85", "\u2028", "\ufeff"]), max_size=8
)
CELLS = st.one_of(NUMBERS, NUMBERS, TEXTS, ODD)
SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@st.composite
def tables(draw):
    """Rows of cells, and how they are written; no line is blank."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12))
    style = {
        "delimiter": draw(st.sampled_from(",;\t|")),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
    }
    return [row for row in rows if width > 1 or row[0].strip()] or [["1"] * width], style


def written(rows, style):
    names = [f"c{k}" for k in range(len(rows[0]))]
    text = io.StringIO()
    csv.writer(text, **style).writerows([names, *rows])
    return names, text.getvalue().encode()


def as_float(cell):
    """A number as Python reads it, NaN where missing, None for anything else."""
    if cell in MISSING:
        return math.nan
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if math.isnan(number) or "_" in cell or not cell.isascii() else number


@settings(max_examples=120, **SETTINGS)
@given(table=tables(), size=st.sampled_from([7, 16, 50, 1 << 20]))
def test_tables_are_read_as_written(table, size):
    rows, style = table
    names, content = written(rows, style)
    delimiter = {"\t": "tab"}.get(style["delimiter"], style["delimiter"])
    options = TableOptions(delimiter=delimiter, header=True, decimal=".")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_BLOCK", size)
        (found,) = read(Source(io.BytesIO(content)), "csv", Options(table=options))
    assert list(found.steps_at) == [f"<stream>:{line}" for line in range(2, len(rows) + 2)]
    for name, cells in zip(names, zip(*rows, strict=True), strict=True):
        expected = [cell.strip() for cell in cells]
        column = found.columns[name]
        assert list(column) == expected
        numbers = [as_float(cell) for cell in expected]
        assert column.texts().tolist() == [k for k, number in enumerate(numbers) if number is None]
        if None not in numbers:
            np.testing.assert_array_equal(column.numbers(), numbers)
            assert (np.signbit(column.numbers()) == np.signbit(numbers))[~np.isnan(numbers)].all()


EDGES = {
    "blanks of ASCII that are rare": "x,y\n\x1c1,a\x1f\n2,b\n",
    "a tab in quotes between tabs": 'x\ty\n"\t1"\t"a\t"\n2\tb\n',
}


@pytest.mark.parametrize("case", EDGES)
def test_all_blanks_are_trimmed(case):
    (found,) = read(Source(io.BytesIO(EDGES[case].encode())), "csv", Options())
    assert {name: list(cells) for name, cells in found.columns.items()} == {"x": ["1", "2"], "y": ["a", "b"]}


def test_a_byte_order_mark_within_a_file_is_text():
    (found,) = read(Source(io.BytesIO("x,y\n\ufeffp,a\nq,b\n".encode())), "csv", Options())
    assert list(found.columns["x"]) == ["\ufeffp", "q"]


@pytest.mark.parametrize("size", range(1, 9))
def test_windows_line_ends_at_the_end_of_the_first_block(size, monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", size)
    assert [block for _, block in blocks.blocks(Source(io.BytesIO(b"abc\r\n1\r\n")))][-1].endswith(b"1\r\n")
