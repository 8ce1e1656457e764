"""Tables as people write them: delimiters, decimals, headers, encodings, and what their rows are."""

# ruff: noqa: E501, RUF001  (a table is read by rows, with the characters that people write)

import io
import re

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError
from tests.support.columnar import WRITERS


def read_table(content, *, form="csv", **options):
    """The sequences, and the errors, of a table; options of `TableOptions` and of `Options`."""
    fields = TableOptions.__dataclass_fields__
    table = TableOptions(**{name: value for name, value in options.items() if name in fields})
    others = {name: value for name, value in options.items() if name not in fields}
    given = content if isinstance(content, bytes) else content.encode()
    return list(read(Source(io.BytesIO(given)), form, Options(table=table, **others)))


def columns_of(content, **options):
    """The columns of a table that is one series."""
    (row,) = read_table(content, **options)
    return {name: list(cells) for name, cells in row.columns.items()}


X = {"x": ["1", "2"], "y": ["a", "b"]}
WRITTEN = {
    "comma": ("x,y\n1,a\n2,b\n", {}),
    "semicolon": ("x;y\n1;a\n2;b\n", {}),
    "tab": ("x\ty\n1\ta\n2\tb\n", {}),
    "bar": ("x|y\n1|a\n2|b\n", {}),
    "runs of blanks": ("x   y\n  1 a\n2\t  b  \n", {}),
    "runs of blanks, quoted": ('"x"   y\n  1 "a"\n2\t  b  \n', {}),
    "blanks around cells": (" x , y\n1 ,\ta\n 2, b \n", {}),
    "blanks in quotes": ('x,y\n" 1 ","a "\n2,b\n', {}),
    "blanks of other scripts": ("x,y\n\u00a01,a\u2003\n2,b\n", {}),
    "named tab": ("x\ty\n1\ta\n2\tb\n", {"delimiter": "tab"}),
    "named space": ("x y\n1 a\n2 b\n", {"delimiter": "space"}),
    "another character": ("x~y\n1~a\n2~b\n", {"delimiter": "~"}),
    "a character of several bytes": ("x§y\n1§a\n2§b\n", {"delimiter": "§"}),
    "a header with commas": ("x;y\n1;a\n2;b\n", {}),
    "sep line": ("sep=;\nx;y\n1;a\n2;b\n", {}),
    "quoted sep line": ('"sep=;"\r\nx;y\r\n1;a\r\n2;b\r\n', {}),
    "Windows line ends": ("x,y\r\n1,a\r\n2,b\r\n", {}),
    "carriage returns alone": ("x,y\r1,a\r2,b\r", {}),
    "byte order mark": ("\ufeffx,y\n1,a\n2,b\n", {}),
    "no last line end": ("x,y\n1,a\n2,b", {}),
    "blank lines": ("\n\nx,y\n\n1,a\n\n\n2,b\n\n", {}),
    "blank lines and Windows line ends": ("\r\nx,y\r\n\r\n1,a\r\n2,b\r\n\r\n", {}),
    "comments": ("# made by hand\nx,y\n1,a\n# 3,c\n2,b\n", {"comment": "#"}),
    "skipped lines": ('Report "of today\n\nx,y\n1,a\n2,b\n', {"skip": 2}),
    "names given": ("1,a\n2,b\n", {"columns": ("x", "y")}),
    "names given and there": ("x,y\n1,a\n2,b\n", {"columns": ("x", "y")}),
    "names given, no header": ("1,a\n2,b\n", {"columns": ("x", "y"), "header": False}),
    "UTF-16": ("x,y\n1,a\n2,b\n".encode("utf-16"), {"encoding": "utf-16"}),
    "an unnamed column": (",x,y\n7,1,a\n8,2,b\n", {}),
    "row names": ('"x","y"\n"r1",1,"a"\n"r2",2,"b"\n', {}),
    "row names with blanks": ('"x" "y"\n"1" 1 "a"\n"2" 2 "b"\n', {}),
    "one row name": ('"x","y"\n"140",1,"a"\n"141",2,"b"\n', {}),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
def test_a_table_is_read_however_it_is_written(case):
    content, options = WRITTEN[case]
    assert columns_of(content, **options) == X


def test_a_column_with_commas_in_its_name_does_not_decide():
    assert columns_of("a (b, c);y\n1;a\n2;b\n") == {"a (b, c)": ["1", "2"], "y": ["a", "b"]}


def test_names_of_columns_that_are_numbers_are_names_on_demand():
    assert columns_of("0,1\n5,6\n", header=True) == {"0": ["5"], "1": ["6"]}


def test_letters_of_an_encoding_are_read():
    content = "wort\nfür\n„ja“\n"
    assert columns_of(content.encode("cp1252"), encoding="cp1252") == {"wort": ["für", "„ja“"]}


ODD = {
    "cp1252": ("x,y\n1,a\n2,it\u2019s\n".encode("cp1252"), {}, r":3: not UTF-8: byte 0x92 \(’\) looks like cp1252: set data.table.encoding: cp1252"),
    "cp1252 in the header": ("größe\n1\n".encode("cp1252"), {}, r":1: not UTF-8: byte 0xf6 \(ö\) looks like cp1252"),
    "cp1252 in a column that is not needed": ("x,y\n1,ä\n".encode("cp1252"), {"columns_needed": True}, r":2: not UTF-8: byte 0xe4"),
    "no letter of cp1252": (b"x\n\x81\n", {}, r":2: not UTF-8: byte 0x81: set data.table.encoding to the file's"),
    "UTF-16": ("x\n1\n".encode("utf-16"), {}, r":1: the file is UTF-16: set data.table.encoding: utf-16$"),
    "UTF-16 without a mark": ("x,y\n1,2\n".encode("utf-16-le"), {}, r":1: the file is UTF-16: set data.table.encoding: utf-16-le"),
    "another encoding": (b"x\n1\n\xff\n", {"encoding": "ascii"}, r":3: not UTF-8: byte 0xff"),
    "not in the encoding": (b"x\n1\n\x81\n", {"encoding": "cp1252"}, r":3: not cp1252: .* \(byte 0x81\): correct data.table.encoding"),
    "numbers alone": ("1\t1\t1.398\t-5.743\n1\t2\t3\t4\n", {}, r":1: expected the names of the columns, got 1, 1, 1.398, -5.743: add names: data.table.columns"),
    "numbers with commas": ("20,1;0,5\n20,4;0,7\n", {}, r":1: expected the names of the columns, got 20,1, 0,5: add names"),
    "too few names": ("1,2,3\n", {"columns": ("a", "b")}, r":1: data.table.columns names 2 columns, but a row has 3 cells"),
    "a column twice": ("x,x\n1,2\n", {}, r":1: two columns are named 'x'"),
    "a row too long": ("x,y\n1,2\n1,2,3\n", {}, r":3: expected 2 cells as in the header, got 3: quote cells"),
    "a row too short after blank lines": ("x,y\n\n1,2\n\n1\n", {}, r":5: expected 2 cells as in the header, got 1: complete"),
    "a row too short after comments": ("# a\nx,y\n# b\n1,2\n1\n", {"comment": "#"}, r":5: expected 2 cells"),
    "all rows too long": ("x,y\n1,2,\n1,3,\n", {}, r":2: expected 2 cells as in the header, got 3"),
    "a quote within a cell": ('x,y\n1,"2"3\n', {}, r":2: the quotes do not match"),
    "a carriage return within a line": ("x,y\n1,2\r3\n", {}, r":2: the quotes do not match \(new-line character"),
    "a quote that does not end": ('x y\n1 "2\n', {}, r":2: a quoted cell does not end on its line"),
    "only comments": ("# a\n# b\n", {"comment": "#"}, r"there are no rows"),
    "everything skipped": ("x\n1\n", {"skip": 9}, r"there are no rows"),
    "no id": ("x,y\n1,2\n", {"id": ("run", "x"), "id_required": True}, r":1: run: no such column \(there are x, y\)"),
    "one of two ids": ("run,x\n1,2\n", {"id": ("run", "day"), "id_required": True}, r":1: day: no such column"),
    "an empty id": ("id,x\na,1\n ,2\n", {}, r":3: the id is empty: give every row the id of its sequence"),
    "no wide column": ("x,y\n1,2\n", {"wide": (("ecg", ("t*",)),)}, r"ecg: no column is named t\* \(there are x, y\): correct data.inputs.ecg.columns"),
    "a list of numbers without commas": ('x\n"[0.1 0.2]"\n', {"row": "sequence"}, r":2: x: not a JSON list: '\[0.1 0.2\]': write"),
    "a list as Python writes it": ("x\n\"['a', 'b']\"\n", {"row": "sequence"}, r":2: x: not a JSON list"),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_what_is_wrong_is_named_with_its_line(case):
    content, options, message = ODD[case]
    if options == {"columns_needed": True}:
        given = Options(columns=frozenset(["x"]))
        found = list(read(Source(io.BytesIO(content)), "csv", given))
        assert re.search(message, str(found[0]))
        return
    with pytest.raises(DataError, match=message):
        for found in read_table(content, **options):
            if isinstance(found, DataError):
                raise found


def test_bad_lines_are_left_out_and_named():
    content = "id,x\na,1\na,2,3\n,4\na,\udc92\nb,5\na,6\n".encode("utf-8", "surrogatepass")
    found = read_table(content.replace(b"\xed\xb2\x92", b"\x92"))
    errors = [str(error) for error in found if isinstance(error, DataError)]
    assert [error.split(": ")[0] for error in errors] == ["<stream>:3", "<stream>:5", "<stream>:4"]
    a, b = (row for row in found if not isinstance(row, DataError))
    assert (a.id, a.columns["x"], list(a.steps_at)) == ("a", ["1", "6"], ["<stream>:2", "<stream>:7"])
    assert (b.id, b.columns["x"], b.where) == ("b", ["5"], "<stream>:6")


@pytest.mark.parametrize("size", [7, 40, 1000])
@pytest.mark.parametrize("quoted", [False, True])
def test_lines_are_counted_over_blocks(monkeypatch, size, quoted):
    """However the file falls into blocks, and whether they are read by Arrow or line by line."""
    monkeypatch.setattr("lstm_cli.data.formats.source.PIECE", size)
    lines = ["x,y", *(f'{k},"{k}a"' if quoted and k % 3 else f"{k},{k}a" for k in range(60))]
    for place in (50, 20, 20, 3):
        lines.insert(place, "")
    lines[30] = lines[30].replace("a", 'a"') if not quoted else lines[30]
    (row,) = read_table("\n".join(lines) + "\n")
    expected = [number for number, line in enumerate(lines, start=1) if line and number > 1]
    assert [int(place.rsplit(":")[-1]) for place in row.steps_at] == expected
    assert row.columns["x"] == [str(k) for k in range(60)]
    assert [cell.replace('"', "") for cell in row.columns["y"]] == [f"{k}a" for k in range(60)]


@pytest.mark.parametrize("form", ["csv", *WRITERS])
def test_rows_of_an_id_are_gathered_wherever_they_stand(form):
    """As `DataFrame.groupby` does."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"run": draw.integers(0, 5, 60), "day": draw.choice(["mo", "tu"], 60), "x": draw.normal(size=60)}
    )
    content = frame.to_csv(index=False) if form == "csv" else WRITERS[form](dict(frame))
    for ids in (("run",), ("run", "day")):
        found = read_table(content, form=form, id=ids, id_required=True, input="x")
        groups = list(frame.groupby(list(ids), sort=False))
        assert [row.id for row in found] == [
            str(key[0]) if len(ids) == 1 else tuple(map(str, key)) for key, _ in groups
        ]
        for row, (_, group) in zip(found, groups, strict=True):
            x = row.columns["x"]
            np.testing.assert_allclose(x if isinstance(x, np.ndarray) else x.numbers(), group["x"])
            first = 2 if form == "csv" else 1
            assert [int(place.rsplit(":")[-1]) for place in row.steps_at] == (group.index + first).tolist()


WIDE = "name,label,t1,t2,t10,other\np,up,1,2.5,3,0\nq,down,4,,,0\nr,up,5,,6,0\n"


@pytest.mark.parametrize("form", ["csv", *WRITERS])
def test_the_columns_of_a_wide_table_are_the_steps_of_its_rows(form):
    content = WIDE if form == "csv" else WRITERS[form](dict(pd.read_csv(io.StringIO(WIDE))))
    options = Options(id=("name",), wide=(("x", ("t*",)),), columns=frozenset(["x", "label"]))
    rows = list(read(Source(io.BytesIO(content.encode() if form == "csv" else content)), form, options))
    assert [(row.id, row.columns["label"]) for row in rows] == [("p", "up"), ("q", "down"), ("r", "up")]
    assert [row.columns["x"].tolist()[:1] for row in rows] == [[1], [4], [5]]
    np.testing.assert_array_equal(rows[0].columns["x"], [1, 2.5, 3])
    np.testing.assert_array_equal(rows[1].columns["x"], [4])  # shorter: nothing is in the cells at its end
    np.testing.assert_array_equal(rows[2].columns["x"], [5, np.nan, 6])
    assert rows[2].where.endswith(":4" if form == "csv" else ":3")
