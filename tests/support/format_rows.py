"""Good and bad files of the formats json, columns, npy and tsf, for the tables of problems."""

# ruff: noqa: E501  (a table is read by rows)

import io
import json

import numpy as np

X = {"inputs": ["x"], "target": "y"}
WORDS = {"inputs": ["w"], "target": {"column": "y", "per": "sequence"}}
ROWS = [{"id": "a", "x": [1.5, 2], "w": ["p", "q"], "y": "a"}, {"id": "b", "x": [3.5], "w": ["p"], "y": "b"}]
TAGS = {"inputs": ["form"], "target": "tag"}
COLUMNS = "vamos 1 VERB\nnos 2 PRON\nmar 3 NOUN\n\nsí 1 INTJ\n"
NEXT = {"target": "next"}
KIND = {"target": "kind"}
TSF = """# a comment
@relation waves
@attribute series_name string
@attribute start_timestamp date
@attribute kind string
@frequency daily
@missing false
@data
T1:2001-01-30 00-00-00:up:1.5,2,3.5
T2:2001-01-30 00-00-00:down:4,5
"""


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def dumped(*changes):
    """The rows as a JSON array, the last of them changed."""
    return json.dumps([ROWS[0], *(ROWS[1] | changed for changed in changes)])


GOOD = {
    "json": ("a.json", json.dumps(ROWS, ensure_ascii=False, indent=1), X, WORDS),
    "columns": ("a.conll", COLUMNS, TAGS, TAGS),
    "npy": ("a.npy", npy([[1.5, 2, 3.5], [4, 5, 6]]), NEXT, None),
    "tsf": ("a.tsf", TSF, KIND, None),
}
LONG = {
    "json": lambda: json.dumps([{"x": [0.5] * 2000, "y": "a"}]),
    "columns": lambda: "big ADJ\n" * 2000,
    "npy": lambda: npy(np.ones((1, 2001))),
    "tsf": lambda: TSF.partition("T1")[0] + f"T1:2001-01-30 00-00-00:up:{','.join(['0.5'] * 2000)}\n",
}

_BINARY = "the file is no text"
_ONE_TARGET = "the target is the next number"
_BESIDE = "ids are in a file beside it, and read as those of npz"
IMPOSSIBLE = {
    "columns: target longer": "a line of the file has both, so they are equally many",
    "columns: empty sequence": "blank lines separate sentences, and two of them hold none",
    "columns: quoted comma": "nothing is quoted",
    "columns: ids repeated": "sentences are named by their number",
    "npy: missing column": "the file is the column",
    "npy: target longer": _ONE_TARGET,
    "npy: label never seen": _ONE_TARGET,
    "npy: unknown token": "arrays of text are read as those of npz",
    "npy: byte order mark": _BINARY,
    "npy: Windows line ends": _BINARY,
    "npy: wrong encoding": _BINARY,
    "npy: quoted comma": _BINARY,
    "npy: one class": _ONE_TARGET,
    "npy: ids repeated": _BESIDE,
    "tsf: wrong dimension": "a step is one number",
    "tsf: target longer": "an attribute is one value",
    "tsf: unknown token": "values are numbers",
    "tsf: quoted comma": "nothing is quoted",
}
ACCEPTED = {
    "json: quoted comma": (dumped({"w": ["q, r"]}), WORDS, [2, 1], None),
    "json: one sequence": (dumped(), X, [2], "train: y is always 'a'"),
    "json: one class": (dumped({"y": "a"}), X, [2, 1], "train: y is always 'a'"),
    "json: ids repeated": (dumped({"id": "a"}), X, [2, 1], "several sequences: 'a' (2 times)"),
    "columns: one sequence": (COLUMNS.split("\n\n")[0], TAGS, [3], None),
    "columns: one class": ("a X\nb X\n\nc X\n", TAGS, [2, 1], "train: tag is always 'X'"),
    "npy: one sequence": (npy([[1.5, 2, 4.5]]), NEXT, [2], None),
    "npy: empty sequence": (npy(np.ones((2, 4)) * [[1], [2]]), NEXT, [3, 3], None),
    "tsf: one sequence": (TSF.partition("T2")[0], KIND, [3], "train: kind is always 'up'"),
    "tsf: one class": (TSF.replace("down", "up"), KIND, [3, 2], "train: kind is always 'up'"),
    "tsf: ids repeated": (TSF.replace("T2", "T1"), KIND, [3, 2], "several sequences: 'T1' (2 times)"),
}
HELD_OUT = {
    "json: label never seen": (dumped({"y": "c"}), 2, r"never saw, each an error: 1 of 2 \(50.00%\), such as 'c'"),
    "json: unknown token": (dumped({"w": ["z"]}), 3, r"unknown tokens in w: 1 of 3 \(33.33%\), such as 'z'"),
    "columns: label never seen": (COLUMNS.replace("VERB", "X"), 2, r"never saw, each an error: 1 of 4 \(25.00%\), such as 'X'"),
    "columns: unknown token": (COLUMNS.replace("mar", "sol"), 2, r"unknown tokens in form: 1 of 4 \(25.00%\), such as 'sol'"),
    "columns: missing column": ("vamos\nnos\n", 2, r"held.conll:1: tag: the column is missing \(there are form\)"),
    "npy: wrong dimension": (npy(np.ones((2, 3, 4))), 2, r"held.npy: sequence 1: x: expected 1 number, got 4: give"),
    "tsf: label never seen": (TSF.replace("down", "left"), 2, r"never saw, each an error: 1 of 2 \(50.00%\), such as 'left'"),
}  # fmt: skip
_FILL = r"a number is missing( \(nan\))?: fill it in, or say how with data.missing.fill"
TABLE = {
    # json
    "json: wrong dimension": ("a.json", dumped({"x": [[1, 2, 3]]}, {"x": [[1]]}, {"x": [[1]]}), X, r"a.json: element 2: x: expected 1 number, got 3: give"),
    "json: not a number": ("a.json", dumped({"x": [float("nan")]}), X, rf"element 2: x: step 1: {_FILL}"),
    "json: null": ("a.json", dumped({"x": [2.5, None]}), X, rf"element 2: x: step 2: {_FILL}"),
    "json: infinite": ("a.json", dumped({"x": [1, float("inf")]}), X, r"element 2: x: step 2: inf is not a finite number"),
    "json: missing column": ("a.json", json.dumps([ROWS[0], {"y": "a"}]), X, r"element 2: x: the column is missing \(there are y\): add it"),
    "json: empty sequence": ("a.json", dumped({"x": []}), X, r"element 2: x: an empty sequence: give it at least one step"),
    "json: target longer": ("a.json", dumped({"y": ["a", "b"]}), {**X, "target": {"column": "y", "per": "step"}}, r"element \d: y: (2 values for 1 step|expected a list)"),
    "json: wrong encoding": ("a.json", dumped({"y": "a"}).replace('"p"', '"ä"').encode("latin1"), X, r"a.json:1: not UTF-8 \(byte 0xe4\)"),
    "json: truncated": ("a.json", GOOD["json"][1][:-20], X, r"a.json:\d+: the file ends inside a value \(was it cut off\?\): complete it"),
    "json: not JSON": ("a.json", "[{},\n{x: 1}]", X, r"a.json:2: not JSON \(.*\): correct it"),
    "json: no comma": ("a.json", '[{"x": [1]}\n\n{"x": [2]}]', X, r"a.json:3: expected a comma or the end of the array: correct it"),
    "json: more": ("a.json", '[{"x": [1]}]\n7', X, r"a.json:2: more text after the end of the array: correct it"),
    "json: not an object": ("a.json", "[1, 2]", X, r"a.json: element 1: expected an object like .*, got int: wrap it in one"),
    "json: none": ("a.json", "[]", X, r"a.json: there are no sequences: give at least one object"),
    "json: column twice": ("a.json", '[{"x": [1]}, {"x": [1], "x": [2]}]', X, r"a.json: element 2: duplicate key 'x': keep one"),
    "json: no such split": ("a.json", '{"valid": [{"x": [1]}], "test": [{"x": [1]}]}', X, r"a.json: no array named train \(there are valid, test\): add it"),
    "json: deep brackets": ("a.json", "[" * 100_000, X, r"a.json:1: nested too deeply or a number too long"),
    # columns
    "columns: wrong dimension": ("a.conll", COLUMNS + "a b c d\n", TAGS, r"a.conll:6: expected 3 columns as in line 1, got 4: complete the line"),
    "columns: truncated": ("a.conll", COLUMNS[:-5], TAGS, r"a.conll:5: expected 3 columns as in line 1, got 2: complete the line"),
    "columns: comment": ("a.conll", "a 1 X\n\n# id = 7\nb 2 Y\n", TAGS, r"a.conll:3: expected 3 columns .*, got 4: complete the line, or set data.table.comment"),
    "columns: not a number": ("a.conll", COLUMNS.replace("2", "two"), {"inputs": {"c2": "number"}, "target": "tag"}, r"a.conll:2: c2: 'two' is not a number: correct it"),
    "columns: infinite": ("a.conll", COLUMNS.replace("2", "inf"), {"inputs": {"c2": "number"}, "target": "tag"}, r"a.conll:2: c2: inf is not a finite number"),
    "columns: wrong encoding": ("a.conll", COLUMNS.encode("latin1"), TAGS, r"a.conll:5: not UTF-8 \(byte 0xed\)"),
    "columns: names": ("a.conll", COLUMNS, TAGS | {"table": {"columns": ["form", "tag"]}}, r"a.conll:1: expected the 2 columns of data.table.columns \(form, tag\), got 3"),
    "columns: names twice": ("a.conll", "a a\n1 2\n", TAGS | {"table": {"header": True}}, r"a.conll:1: two columns are named 'a': rename one"),
    "columns: only documents": ("a.conll", "-DOCSTART- -X- O\n\n", TAGS, r"a.conll: the file is empty"),
    # npy
    "npy: not a number": ("a.npy", npy([[1.5, 2, 3], [1, np.nan, 2]]), NEXT, r"a.npy: sequence 2: x: step 2: a number is missing"),
    "npy: infinite": ("a.npy", npy([[1.5, 2, 3], [1, np.inf, 2]]), NEXT, r"a.npy: sequence 2: x: step 2: inf is not a finite number"),
    "npy: truncated": ("a.npy", GOOD["npy"][1][:-9], NEXT, r"a.npy: not a complete .npy file: write it again with numpy.save"),
    "npy: objects": ("a.npy", npy(np.array([[1], None], object)), NEXT, r"a.npy: contains Python objects, which are not loaded"),
    "npy: flat": ("a.npy", npy(np.ones(5)), NEXT, r"a.npy: no array with an axis of sequences and one of steps"),
    "npy: no target beside": ("x_train.npy", GOOD["npy"][1], X, r"y_train.npy: no such file: .*x_train.npy"),
    "npy: not named": ("data.npy", GOOD["npy"][1], X, r"data.npy: the file's name does not hold x, so .*: name it x_….npy, and y_….npy beside it"),
    # tsf
    "tsf: not a number": ("a.tsf", TSF.replace("2,", "two,"), KIND, r"a.tsf:9: x: 'two' is not a number: write numbers"),
    "tsf: missing value": ("a.tsf", TSF.replace("2,", "?,"), KIND, rf"a.tsf:9: x: step 2: {_FILL}"),
    "tsf: infinite": ("a.tsf", TSF.replace("2,", "inf,"), KIND, r"a.tsf:9: x: step 2: inf is not a finite number"),
    "tsf: missing column": ("a.tsf", TSF.replace(":down", ":"), KIND, r"a.tsf:10: kind: the label is missing"),
    "tsf: empty sequence": ("a.tsf", TSF.replace("4,5", ""), KIND, r"a.tsf:10: x: '' is not a number: write numbers"),
    "tsf: truncated": ("a.tsf", TSF[:-8], KIND, r"a.tsf:10: expected 3 attributes and the values, got 3 parts: separate them by colons"),
    "tsf: wrong encoding": ("a.tsf", TSF.replace("down", "ü").encode("latin1"), KIND, r"a.tsf:10: not UTF-8 \(byte 0xfc\)"),
    "tsf: an empty key": ("a.tsf", TSF.replace("@missing false", "@"), KIND, r"a.tsf:7: a line of @ alone: complete it"),
    "tsf: an attribute without a type": (
        "a.tsf", TSF.replace("kind string", "kind"), KIND, r"a.tsf:5: expected @attribute NAME TYPE, got '@attribute kind'"
    ),
    "tsf: no data": ("a.tsf", TSF.partition("@data")[0], KIND, r"a.tsf: there is no line @data: is this a .tsf file"),
    "tsf: no series": ("a.tsf", TSF.partition("T1")[0], KIND, r"a.tsf: there are no series below @data"),
    "tsf: no header": ("a.tsf", "T1:1,2\n", KIND, r"a.tsf:1: a series before @data: put the header"),
    "tsf: no such id": ("a.tsf", TSF, KIND | {"id": "unit"}, r"a.tsf: unit: no such attribute \(there are series_name, start_timestamp, kind\)"),
    "tsf: not a date": ("a.tsf", TSF.replace("2001-01-30 00-00-00:down", "30.1.2001:down"), {"inputs": ["x"], "target": "time"}, r"a.tsf:10: start_timestamp: expected a date such as .*, got '30.1.2001'"),
}  # fmt: skip
