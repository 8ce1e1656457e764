"""Every problem in every format: refused, accepted with a note, or none that the format can have, and why not."""

# ruff: noqa: E501  (a table is read by rows)

import json
import re

import numpy as np
import pytest

from lstm_cli.data import open_data
from lstm_cli.data.formats import READERS
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import DataError
from tests.support import bad_rows as bad
from tests.support import format_rows
from tests.support.columnar import WRITERS, pa
from tests.support.data import CONLLU, TS, data_config, write

PROBLEMS = [
    "wrong dimension", "not a number", "infinite", "missing column", "empty sequence", "target longer",
    "label never seen", "unknown token", "byte order mark", "Windows line ends", "wrong encoding", "quoted comma",
    "truncated", "no bytes", "one sequence", "one class", "ids repeated", "a million steps",
]  # fmt: skip

JSONL = '{"id": "a", "x": [1.5, 2], "w": ["p", "q"], "y": "a"}\n{"id": "b", "x": [3.5], "w": ["p"], "y": "b"}\n'
CSV = "id,x,w,y\na,1.5,p,a\na,2,q,a\nb,3.5,p,b\n"
TEXT = "one\ntwo\n"


def stored(**changes):
    arrays = {
        "x": [[1.5, 2], [3.5, 0]],
        "w": [["p", "q"], ["p", ""]],
        "y": ["a", "b"],
        "id": ["a", "b"],
        "lengths": [2, 1],
    }
    return bad.npz(**{name: value for name, value in {**arrays, **changes}.items() if value is not None})


COLUMNS = {"id": ["a", "b"], "x": [[1.5, 2], [3.5]], "w": [["p", "q"], ["p"]], "y": ["a", "b"]}
LABELLED = {"inputs": ["x"], "target": "y"}
WORDS = {"inputs": ["w"], "target": {"column": "y", "per": "sequence"}}
#: A good file of two sequences in each format, and how it is read: by numbers or what the format has, and by tokens.
GOOD = {
    "jsonl": ("a.jsonl", JSONL, LABELLED, WORDS),
    "csv": ("a.csv", CSV, LABELLED, WORDS),
    "npz": ("a.npz", stored(), LABELLED, WORDS),
    "text": ("a.txt", TEXT, {"lines": True}, {"lines": True}),
    "conllu": ("a.conllu", CONLLU, {"inputs": ["form"], "target": "upos"}, {"inputs": ["form"], "target": "upos"}),
    "ts": ("a.ts", TS, {"target": "label"}, None),
    **{form: (f"a.{form}", writer(COLUMNS), LABELLED, WORDS) for form, writer in WRITERS.items()},
    **format_rows.GOOD,
}

_BINARY = "the file is no text"
_OWN_COLUMNS = "a line has its text and nothing else"
_ONE_ROW = "a row of the file has both, so they are equally many"
_ONE_LABEL = "a case has one label, at the end of its line"
IMPOSSIBLE = {
    "csv: empty sequence": "a sequence is made of its rows, so one without rows is not there",
    "csv: target longer": _ONE_ROW,
    "npz: byte order mark": _BINARY,
    "npz: Windows line ends": _BINARY,
    "npz: wrong encoding": _BINARY,
    "npz: quoted comma": _BINARY,
    "text: wrong dimension": _OWN_COLUMNS,
    "text: not a number": "every character is a token",
    "text: infinite": "every character is a token",
    "text: missing column": _OWN_COLUMNS,
    "text: empty sequence": "a blank line is passed over",
    "text: target longer": "the target is the next character",
    "text: quoted comma": "quotes and commas are characters as others",
    "text: truncated": "every text is whole",
    "csv: ids repeated": "rows of one id are gathered wherever they stand",
    "text: ids repeated": "lines are named by their number",
    "conllu: target longer": _ONE_ROW,
    "conllu: quoted comma": "cells are separated by tabs, and quotes are characters as others",
    "ts: target longer": _ONE_LABEL,
    "ts: unknown token": "values are numbers",
    "ts: quoted comma": "nothing is quoted",
    "ts: ids repeated": "cases are named by their number",
    **{
        f"{form}: {problem}": _BINARY
        for form in WRITERS
        for problem in ("byte order mark", "Windows line ends", "quoted comma")
    },
}

IMPOSSIBLE |= format_rows.IMPOSSIBLE

#: Accepted: content, how it is read, the lengths and, where one is due, the note.
ACCEPTED = {
    "csv: quoted comma": (CSV.replace("q,a", '"q, ""r""",a'), WORDS, [2, 1], None),
    "jsonl: quoted comma": (JSONL.replace('"q"', '"q, r"'), WORDS, [2, 1], None),
    "jsonl: one sequence": (JSONL.splitlines()[0], LABELLED, [2], "train: y is always 'a'"),
    "csv: one sequence": ("id,x,y\na,1.5,a\na,2,b\n", LABELLED, [2], None),
    "npz: one sequence": (bad.npz(x=[[1.5, 2]], y=["a"]), LABELLED, [2], "train: y is always 'a'"),
    "text: one sequence": ("one", {"lines": True}, [4], None),
    "conllu: one sequence": (CONLLU.split("\n\n")[0], {"inputs": ["form"], "target": "upos"}, [3], None),
    "ts: one sequence": (TS.rsplit("\n", 2)[0], {"target": "label"}, [3], "train: label is always 'up'"),
    "jsonl: one class": (JSONL.replace('"b"}', '"a"}'), LABELLED, [2, 1], "train: y is always 'a'"),
    "csv: one class": (CSV.replace("p,b", "p,a"), LABELLED, [2, 1], "train: y is always 'a'"),
    "npz: one class": (stored(y=["a", "a"]), LABELLED, [2, 1], "train: y is always 'a'"),
    "text: one class": ("aa\naa\n", {}, [5], None),
    "conllu: one class": (
        CONLLU, {"inputs": ["form"], "target": "xpos"}, [3, 1], "train: xpos is always '_'",
    ),
    "ts: one class": (TS.replace(":down", ":up"), {"target": "label"}, [3, 1], "train: label is always 'up'"),
    "jsonl: ids repeated": (JSONL.replace('"id": "b"', '"id": "a"'), LABELLED, [2, 1], "several sequences: 'a' (2 times)"),
    "npz: ids repeated": (stored(id=["a", "a"]), LABELLED, [2, 1], "several sequences: 'a' (2 times)"),
    "conllu: ids repeated": (
        CONLLU.replace("\n\n", "\n\n# sent_id = a1\n", 1), {"inputs": ["form"], "target": "upos"}, [3, 1],
        "several sequences: 'a1' (2 times)",
    ),
}  # fmt: skip

ACCEPTED |= format_rows.ACCEPTED
THREE = {name: [*COLUMNS[name], COLUMNS[name][0]] for name in ("id", "w", "y")}
_ENCODED = pa.array([b"a", b"\xe4"], pa.binary()).view(pa.string())
#: Of parquet and Arrow, in which a row's number stands where a line's would: changed columns, what is read, and the error.
COLUMNAR = {
    "wrong dimension": (
        {"x": [[[1.5, 2]], [[1, 2]], [[1, 2, 3]]], **THREE},
        LABELLED,
        r":3: x: expected 2 numbers, got 3: give every sequence",
    ),
    "not a number": (
        {"x": [[1.5, 2], [float("nan")]]},
        LABELLED,
        r":2: x: step 1: a number is missing: fill it in, or say how with data.missing.fill",
    ),
    "infinite": (
        {"x": [[1.5, float("inf")], [1.0]]},
        LABELLED,
        r":1: x: step 2: inf is not a finite number: fill it in",
    ),
    "missing column": ({"x": [[1.5, 2], None]}, LABELLED, r":2: x: the value is null: fill it in"),
    "empty sequence": ({"x": [[1.5, 2], []]}, LABELLED, r":2: x: an empty sequence: give it at least one step"),
    "target longer": (
        {"y": [["a", "b"], ["a", "b"]]},
        {**LABELLED, "target": {"column": "y", "per": "step"}},
        r":2: y: 2 values for 1 step of x",
    ),
    "wrong encoding": (
        {"y": _ENCODED},
        LABELLED,
        r": cannot be read as (parquet|arrow) \(.*UTF-?8.*\): write it again",
    ),
}
CUT = {
    f"{form}: truncated": (WRITERS[form](COLUMNS)[:-60], rf"a.{form}: cannot be read as {form} \(.*\): write it again")
    for form in WRITERS
}
for _form, _writer in WRITERS.items():
    ACCEPTED |= {
        f"{_form}: one sequence": (_writer({"x": [[1.5, 2]], "y": ["a"]}), LABELLED, [2], "train: y is always 'a'"),
        f"{_form}: one class": (_writer(COLUMNS | {"y": ["a", "a"]}), LABELLED, [2, 1], "train: y is always 'a'"),
        f"{_form}: ids repeated": (
            _writer(COLUMNS | {"id": ["a", "a"]}),
            LABELLED,
            [2, 1],
            "several sequences: 'a' (2 times)",
        ),
    }

#: In a second file beside a good one: content, what is read by (2: numbers, 3: tokens), and the error or note.
HELD_OUT = {
    "csv: missing column": (CSV.replace("x,", "z,", 1), 2, r"held.csv:2: x: the column is missing \(there are id, z, w, y\)"),
    "npz: missing column": (stored(x=None), 2, r"held.npz: x: no such array \(there are w, y, id, lengths\): add it"),
    "npz: wrong dimension": (stored(x=np.ones((2, 2, 3))), 2, r"held.npz: sequence 1: x: expected 1 number, got 3: give"),
    "jsonl: label never seen": (JSONL.replace('"b"}', '"c"}'), 2, r"never saw, each an error: 1 of 2 \(50.00%\), such as 'c'"),
    "csv: label never seen": (CSV.replace("p,b", "p,c"), 3, r"never saw, each an error: 1 of 2 \(50.00%\), such as 'c'"),
    "npz: label never seen": (stored(y=["a", "c"]), 2, r"never saw, each an error: 1 of 2 \(50.00%\), such as 'c'"),
    "text: label never seen": ("one\nsix\n", 2, r"never saw, each an error: 3 of .*, such as 's', 'i', 'x'"),
    "conllu: label never seen": (CONLLU.replace("VERB", "X"), 2, r"never saw, each an error: 1 of 4 \(25.00%\), such as 'X'"),
    "ts: label never seen": (TS.replace("down", "left"), 2, r"never saw, each an error: 1 of 2 \(50.00%\), such as 'left'"),
    "jsonl: unknown token": (JSONL.replace('"q"', '"z"'), 3, r"unknown tokens in w: 1 of 3 \(33.33%\), such as 'z'"),
    "csv: unknown token": (CSV.replace("q", "z"), 3, r"unknown tokens in w: 1 of 3 \(33.33%\), such as 'z'"),
    "npz: unknown token": (stored(w=[["p", "z"], ["p", ""]]), 3, r"unknown tokens in w: 1 of 3 \(33.33%\), such as 'z'"),
    "text: unknown token": ("one\nsix\n", 2, r"unknown tokens in text: 3 of .*, such as 's', 'i', 'x'"),
    "conllu: unknown token": (CONLLU.replace("mar\tmar", "sol\tsol"), 2, r"unknown tokens in form: 1 of 4 \(25.00%\), such as 'sol'"),
}  # fmt: skip

for _form, _writer in WRITERS.items():
    HELD_OUT |= {
        f"{_form}: label never seen": (_writer(COLUMNS | {"y": ["a", "c"]}), 2, HELD_OUT["jsonl: label never seen"][2]),
        f"{_form}: unknown token": (
            _writer(COLUMNS | {"w": [["p", "z"], ["p"]]}),
            3,
            HELD_OUT["jsonl: unknown token"][2],
        ),
    }

HELD_OUT |= format_rows.HELD_OUT
#: Problems that a test here puts into the good file of every format.
FOR_ALL = {"byte order mark", "Windows line ends", "no bytes", "a million steps"}
CELLS = [f"{form}: {problem}" for form in READERS for problem in PROBLEMS]


def test_every_problem_in_every_format_is_tested_or_impossible():
    assert GOOD.keys() == READERS.keys()
    left = [cell for cell in CELLS if cell.partition(": ")[2] not in FOR_ALL and cell not in IMPOSSIBLE]
    columnar = {f"{form}: {problem}" for form in WRITERS for problem in COLUMNAR}
    tables = (bad.TABLE, ACCEPTED, HELD_OUT, columnar, CUT)
    assert [cell for cell in left if sum(cell in table for table in tables) != 1] == []
    known = {*CELLS, *bad.TABLE}
    assert {*IMPOSSIBLE, *ACCEPTED, *HELD_OUT, *columnar, *CUT} <= known


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("problem", COLUMNAR)
def test_a_bad_row_of_columns_is_one_message_with_its_number(tmp_path, form, problem):
    changed, data, message = COLUMNAR[problem]
    write(tmp_path / f"a.{form}", WRITERS[form](COLUMNS | changed))
    with pytest.raises(DataError, match=rf"a.{form}{message}") as caught:
        open_data(data_config(tmp_path, train=f"a.{form}", **data))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cell", CUT)
def test_a_cut_file_of_columns_is_refused(tmp_path, cell):
    content, message = CUT[cell]
    name = GOOD[cell.partition(":")[0]][0]
    write(tmp_path / name, content)
    with pytest.raises(DataError, match=message):
        open_data(data_config(tmp_path, train=name, **LABELLED))


@pytest.mark.parametrize("cell", ACCEPTED)
def test_unusual_data_is_used_and_noted(tmp_path, cell):
    content, data, lengths, note = ACCEPTED[cell]
    name = GOOD[cell.partition(":")[0]][0]
    write(tmp_path / name, content)
    found = open_data(data_config(tmp_path, train=name, **data))
    assert found.train.lengths.tolist() == lengths
    assert sum(note in text for text in found.notes) == 1 if note else found.notes == []


def test_a_quoted_comma_is_part_of_its_cell(tmp_path):
    for cell, token in (("csv: quoted comma", 'q, "r"'), ("jsonl: quoted comma", "q, r")):
        content, data, *_ = ACCEPTED[cell]
        name = GOOD[cell.partition(":")[0]][0]
        write(tmp_path / name, content)
        assert token in open_data(data_config(tmp_path, train=name, **data)).schema.tokens["w"].tokens


@pytest.mark.parametrize("cell", HELD_OUT)
def test_a_second_file_is_checked_against_the_training_data(tmp_path, cell):
    content, read_as, expected = HELD_OUT[cell]
    good, (name, *_) = GOOD[cell.partition(":")[0]], GOOD[cell.partition(":")[0]]
    held = name.replace("a.", "held.")
    write(tmp_path / name, good[1])
    write(tmp_path / held, content)
    given = data_config(tmp_path, train=name, test=held, **good[read_as])
    if "missing" in cell or "dimension" in cell:
        with pytest.raises(DataError, match=expected):
            open_data(given)
        return
    data = open_data(given)
    assert sum(bool(re.search(rf"^test: .*{expected}", note)) for note in data.notes) == 1
    if "label" in cell:
        assert (data.test.target == -1).sum() == int(re.search(r"(\d) of", expected)[1])


@pytest.mark.parametrize("form", GOOD)
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_a_file_of_no_bytes_is_refused(tmp_path, form, content):
    name, _, data, _ = GOOD[form]
    write(tmp_path / name, content)
    with pytest.raises(DataError, match=rf"{name}: (the file is empty|not a complete .* file|cannot be read as)"):
        open_data(data_config(tmp_path, train=name, **data))


@pytest.mark.parametrize("form", [form for form in GOOD if f"{form}: byte order mark" not in IMPOSSIBLE])
def test_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path, form):
    name, content, data, _ = GOOD[form]
    found = []
    for text in (content, "\ufeff" + content, content.replace("\n", "\r\n"), "\ufeff" + content.replace("\n", "\r\n")):
        write(tmp_path / name, text)
        found.append(open_data(data_config(tmp_path, train=name, **data)).train)
    assert len({train.digest() for train in found}) == 1
    assert all(train.ids == found[0].ids for train in found)


@pytest.mark.parametrize("form", GOOD)
def test_a_sequence_too_long_for_the_memory_is_refused_or_split(tmp_path, form, monkeypatch):
    """Two thousand steps stand for a million, and two megabytes for what the machine has."""
    monkeypatch.setattr("lstm_cli.data.memory.available", lambda: 2 * 10**6)
    name, _, data, _ = GOOD[form]
    write(tmp_path / name, LONG[form]())
    small = {"model": {"layers": [64]}}  # its weights fit
    with pytest.raises(
        DataError, match=rf"{name}.*: 2,00\d steps make a batch of train that would take about .* MB of 2 MB"
    ):
        open_checked_data(data_config(tmp_path, small, train=name, **data))
    with pytest.raises(DataError, match=rf"{name}.*: 2,00\d steps would take about .* MB, and data.max_length is 100;"):
        open_checked_data(data_config(tmp_path, small, train=name, max_length=100, **data))
    pieces = open_checked_data(
        data_config(
            tmp_path, {**small, "train": {"batch_size": 1}}, train=name, max_length=100, on_long="split", **data
        )
    )
    assert pieces.train.lengths.max() == 100 and pieces.train.lengths.sum() in (2000, 2001)


LONG = {
    "jsonl": lambda: json.dumps({"x": [0.5] * 2000, "y": "a"}),
    "csv": lambda: "id,x,y\n" + "a,0.5,p\na,1.5,q\n" * 1000,
    "npz": lambda: bad.npz(x=np.ones((1, 2000)), y=["a"]),
    "parquet": lambda: WRITERS["parquet"]({"x": [[0.5] * 2000], "y": ["a"]}),
    "arrow": lambda: WRITERS["arrow"]({"x": [[0.5] * 2000], "y": ["a"]}),
    "text": lambda: "ab" * 1000,
    "conllu": lambda: "\n".join("\t".join([str(n + 1), "big", "_", "ADJ", *"______"]) for n in range(2000)) + "\n",
    "ts": lambda: f"@dimensions 1\n@classLabel true up\n@data\n{','.join(['0.5'] * 2000)}:up\n",
    **format_rows.LONG,
}
