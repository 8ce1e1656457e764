"""A good file of each format with a row that is bad in one way, how it is read, and the expected message."""

# ruff: noqa: E501  (a table is read by rows)

import io

import numpy as np

from tests.support import format_rows

X = {"inputs": ["x"], "target": "y"}
GOOD = '{"x": [[1.5, 2], [3, 4]], "y": "a"}\n{"x": [[1, 2]], "y": "b"}\n'


def jsonl(bad):
    return GOOD + bad


def csv(*lines):
    return "id,x,y\na,1,p\na,2,q\n" + "".join(line + "\n" for line in lines)


def conllu(*lines):
    word = "\t".join(["1", "big", "_", "ADJ", *"______"])
    return f"{word}\n\n" + "".join(line + "\n" for line in lines)


def ts(*lines):
    head = "@univariate false\n@dimensions 2\n@classLabel true up down\n@data\n1,2:3,4:up\n"
    return head + "".join(line + "\n" for line in lines)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def headed(*heads):
    return "\n".join("\t".join(["1", "big", "_", "ADJ", "_", "_", head, "_", "_", "_"]) + "\n" for head in heads)


HEAD = {"inputs": {"head": "number"}, "target": "upos"}


def word(number="2", form="bad"):
    return "\t".join([number, form, "_", "ADJ", *"______"])


TAGS = {"inputs": ["form"], "target": "upos"}
LABEL = {"target": "label"}
SERIES = {"inputs": ["x"], "target": "next"}
NPZ = {"inputs": ["x"], "target": "y"}
LONG = {"inputs": ["x"], "target": "y", "max_length": 3}

TABLE = {
    # jsonl
    "jsonl: wrong dimension": (
        "a.jsonl",
        jsonl('{"x": [[1, 2, 3]], "y": "a"}'),
        X,
        r":3: x: expected 2 numbers, got 3: give",
    ),
    "jsonl: ragged": (
        "a.jsonl",
        jsonl('{"x": [[1, 2], [3]], "y": "a"}'),
        X,
        r":3: x: step 2: expected a list of 2 as in step 1, got a list of 1: give",
    ),
    "jsonl: string for a number": (
        "a.jsonl",
        jsonl('{"x": [["1", 2]], "y": "a"}'),
        X,
        r":3: x: step 1: expected a number, got the string '1': write it without quotes",
    ),
    "jsonl: word for numbers": (
        "a.jsonl",
        jsonl('{"x": "abc", "y": "a"}'),
        X,
        r":3: x: expected a list with one value per step, got 'abc': write a list",
    ),
    "jsonl: not a number": (
        "a.jsonl",
        jsonl('{"x": [[NaN, 2]], "y": "a"}'),
        X,
        r":3: x: step 1: a number is missing: fill it in, or say how with data.missing.fill",
    ),
    "jsonl: infinite": (
        "a.jsonl",
        jsonl('{"x": [[1, 2], [1, -Infinity]], "y": "a"}'),
        X,
        r":3: x: step 2: -inf is not a finite number",
    ),
    "jsonl: null": (
        "a.jsonl",
        jsonl('{"x": [[1, null]], "y": "a"}'),
        X,
        r":3: x: step 1: a number is missing: fill it in",
    ),
    "jsonl: nested too deep": (
        "a.jsonl",
        jsonl('{"x": [[[1], [2]]], "y": "a"}'),
        X,
        r":3: x: .*nested 3 deep: write one number",
    ),
    "jsonl: missing column": (
        "a.jsonl",
        jsonl('{"y": "a", "z": 1}'),
        X,
        r":3: x: the column is missing \(there are y, z\): add it",
    ),
    "jsonl: missing target": (
        "a.jsonl",
        jsonl('{"x": [[1, 2]]}'),
        X,
        r":3: y: the column is missing \(there are x\): add it",
    ),
    "jsonl: null target": ("a.jsonl", jsonl('{"x": [[1, 2]], "y": null}'), X, r":3: y: the value is null: fill it in"),
    "jsonl: empty sequence": (
        "a.jsonl",
        jsonl('{"x": [], "y": "a"}'),
        X,
        r":3: x: an empty sequence: give it at least one step, or delete the sequence",
    ),
    "jsonl: target longer": (
        "a.jsonl",
        '{"x": [1.5, 2], "y": ["a", "b"]}\n' * 2 + '{"x": [1], "y": ["a", "b"]}',
        X,
        r":3: y: 2 values for 1 step of x: give one per step, or set target: {per: sequence}",
    ),
    "jsonl: inputs of unequal length": (
        "a.jsonl",
        '{"x": [1, 2], "w": ["a", "b"], "y": "a"}\n{"x": [1, 2], "w": ["a"], "y": "a"}',
        {"inputs": ["x", "w"], "target": "y"},
        r":2: w: 1 step, but x has 2: make them equally long",
    ),
    "jsonl: list for a label": (
        "a.jsonl",
        jsonl('{"x": [[1, 2]], "y": ["a"]}'),
        X,
        r":3: y: expected one label, got a list",
    ),
    "jsonl: not JSON": (
        "a.jsonl",
        jsonl("x = 1\n"),
        X,
        r":3: not JSON \(Expecting value at column 1\): write one object per line",
    ),
    "jsonl: files joined, each with a mark": (
        "a.jsonl",
        jsonl("\ufeff{}\n"),
        X,
        r":3: not JSON \(a byte order mark at column 1\): write one object per line",
    ),
    "jsonl: not an object": (
        "a.jsonl",
        jsonl("[1, 2]\n"),
        X,
        r":3: expected an object like .*, got list: wrap it in one",
    ),
    "jsonl: column twice": (
        "a.jsonl",
        jsonl('{"x": [1], "x": [2], "y": "a"}\n'),
        X,
        r":3: duplicate key 'x': keep one of them",
    ),
    "jsonl: truncated": (
        "a.jsonl",
        jsonl('{"x": [[1, 2], [3,'),
        X,
        r":3: the line ends inside a value \(was the file cut off\?\): complete or delete it",
    ),
    "jsonl: deep brackets": ("a.jsonl", jsonl("[" * 100_000), X, r":3: .*nested too deeply"),
    "jsonl: thousands of digits": (
        "a.jsonl",
        jsonl('{"x": [[1, ' + "9" * 9999 + ']], "y": "a"}'),
        X,
        r":3: .*number too long",
    ),
    "jsonl: too large for float32": (
        "a.jsonl",
        jsonl('{"x": [[1, 1e39]], "y": "a"}'),
        {**X, "scale": "none"},
        r":3: x: step 1: 1e\+39 is too large: set data.scale",
    ),
    "jsonl: too large at all": (
        "a.jsonl",
        jsonl('{"x": [[1, 1' + "0" * 400 + ']], "y": "a"}'),
        X,
        r":3: x: step 1: 1000.*is too large: scale the column down",
    ),
    "jsonl: wrong encoding": (
        "a.jsonl",
        jsonl('{"x": [[1, 2]], "y": "ä"}').encode("latin1"),
        X,
        r":3: not UTF-8 \(byte 0xe4\): convert the file, for example with iconv",
    ),
    "jsonl: UTF-16": ("a.jsonl", GOOD.encode("utf-16"), X, r":1: the file is UTF-16: convert it"),
    "jsonl: id of a wrong type": (
        "a.jsonl",
        jsonl('{"id": [1], "x": [[1, 2]], "y": "a"}'),
        X,
        r":3: id: expected a string or a whole number as the id, got \[1\]: change it",
    ),
    "jsonl: no id": (
        "a.jsonl",
        '{"name": "u", "x": [1, 2], "y": "a"}\n{"x": [1], "y": "b"}',
        {**X, "id": "name"},
        r":2: name: missing: give every sequence one, or leave data.id out",
    ),
    "jsonl: log of zero": (
        "a.jsonl",
        '{"x": [1.5, 2]}\n{"x": [1, 0]}',
        {**SERIES, "transform": {"x": "log"}},
        r":2: x: step 2: log of 0: use it for positive numbers only",
    ),
    "jsonl: too short to transform": (
        "a.jsonl",
        '{"x": [1.5, 2, 3, 4]}\n{"x": [1]}',
        {**SERIES, "transform": {"x": "difference"}},
        r":2: x: 1 step is too few: data.transform removes 1 of them",
    ),
    "jsonl: empty token": (
        "a.jsonl",
        '{"x": ["a", "b"], "y": "a"}\n{"x": ["a", ""], "y": "a"}',
        X,
        r":2: x: step 2: the token is missing",
    ),
    "jsonl: number for a set": (
        "a.jsonl",
        '{"x": [[1], [2, 3]], "y": "a"}\n{"x": [1, [2]], "y": "a"}',
        X,
        r":2: x: step 1: expected a list of labels, got 1: write \[\] for none",
    ),
    "jsonl: too long": (
        "a.jsonl",
        '{"x": [1.5, 2], "y": "a"}\n{"x": [1, 2, 3, 4], "y": "b"}',
        LONG,
        r":2: 4 steps would take about .*, and data.max_length is 3; longer than that in train: 2: set data.on_long to cut or split",
    ),
    # csv
    "csv: wrong dimension": (
        "a.csv",
        csv("b,1,p,7"),
        X,
        r":4: expected 3 cells as in the header, got 4: quote cells that hold the delimiter",
    ),
    "csv: truncated": (
        "a.csv",
        csv("b,1,p", "b,2"),
        X,
        r":5: expected 3 cells as in the header, got 2: complete or delete the row",
    ),
    "csv: not a number": ("a.csv", csv("b,1,p", "b,abc,q"), X, r":5: x: 'abc' is not a number: correct it"),
    "csv: NaN": (
        "a.csv",
        csv("b,1,p", "b,nan,q"),
        X,
        r":5: x: a number is missing \(nan\): fill it in, or say how with data.missing.fill",
    ),
    "csv: decimal comma": (
        "a.csv",
        'x;y\n1.5;a\n2.5;b\n"3,5";a\n',
        X,
        r":4: x: '3,5' is not a number: a number with a decimal comma: set data.table.decimal: \",\"",
    ),
    "csv: empty cell": ("a.csv", csv("b,,p"), X, r":4: x: a number is missing: fill it in"),
    "csv: infinite": ("a.csv", csv("b,inf,p"), X, r":4: x: inf is not a finite number"),
    "csv: empty label": (
        "a.csv",
        csv("b,1,"),
        X,
        r":4: y: the label is missing: fill it in, or set data.missing.target: skip",
    ),
    "csv: unclosed quote": (
        "a.csv",
        csv('b,"1,p', "c,2,p"),
        X,
        r":4: a quoted cell does not end on its line: close the quote, or take the line break out",
    ),
    "csv: quote within a cell": (
        "a.csv",
        csv('b,"1"2,p', "c,2,p"),
        X,
        r":4: the quotes do not match \(.*\): close every quote, and double those inside",
    ),
    "csv: empty id": ("a.csv", csv(",1,p"), X, r":4: the id is empty: give every row the id of its sequence"),
    "csv: column twice": ("a.csv", "x,x\n1,2\n", SERIES, r":1: two columns are named 'x': rename one"),
    "csv: no header": (
        "a.csv",
        "1,2\n3,4\n",
        SERIES,
        r":1: expected the names of the columns, got 1, 2: add names: data.table.columns",
    ),
    "csv: header only": ("a.csv", "x,y\n", X, r"a.csv: there are no rows: give at least one"),
    "csv: no such id": (
        "a.csv",
        csv(),
        {**X, "id": "run"},
        r":1: run: no such column \(there are id, x, y\): correct data.id",
    ),
    "csv: wrong encoding": ("a.csv", csv("b,1,ä").encode("latin1"), X, r":4: not UTF-8"),
    # npz
    "npz: not a number": (
        "a.npz",
        npz(x=[[1, np.nan], [3, 4]], y=["a", "b"]),
        NPZ,
        r"a.npz: sequence 1: x: step 2: a number is missing: fill it in, or say how with data.missing.fill",
    ),
    "npz: infinite": (
        "a.npz",
        npz(x=[[1, 2], [3, np.inf]], y=["a", "b"]),
        NPZ,
        r"a.npz: sequence 2: x: step 2: inf is not a finite number",
    ),
    "npz: empty sequence": (
        "a.npz",
        npz(x=np.ones((2, 3)), lengths=[3, 0], y=["a", "b"]),
        NPZ,
        r"sequence 2: x: an empty sequence",
    ),
    "npz: target longer": (
        "a.npz",
        npz(x=np.ones((2, 3)), y=np.ones((2, 4))),
        NPZ | {"target": {"column": "y", "per": "step"}},
        r"sequence 1: y: 4 values for 3 steps of x: give one per step",
    ),
    "npz: length too long": (
        "a.npz",
        npz(x=np.ones((2, 3)), lengths=[3, 4], y=["a", "b"]),
        NPZ,
        r"sequence 2: lengths: 4 steps of 3 in the arrays: correct the length",
    ),
    "npz: lengths of another number": (
        "a.npz",
        npz(x=np.ones((2, 3)), lengths=[3], y=["a", "b"]),
        NPZ,
        r"a.npz: lengths: expected 2, one per sequence, got 1: correct it",
    ),
    "npz: other number of targets": (
        "a.npz",
        npz(x=np.ones((2, 3)), y=["a"]),
        NPZ,
        r"a.npz: y: expected 2 sequences, got shape \(1,\): make the arrays equally long",
    ),
    "npz: bad offsets": (
        "a.npz",
        npz(x=np.ones(5), offsets=[0, 3, 2, 5], y=["a"]),
        NPZ,
        r"a.npz: offsets: expected 0 and then every sequence's end",
    ),
    "npz: no steps": (
        "a.npz",
        npz(x=np.ones(5), y=["a"]),
        NPZ,
        r"a.npz: no array with an axis of sequences and one of steps: save x",
    ),
    "npz: objects": (
        "a.npz",
        npz(x=np.array([[1, 2], [3]], dtype=object), y=["a", "b"]),
        NPZ,
        r"a.npz: contains Python objects, which are not loaded: save numbers or strings",
    ),
    "npz: complex": (
        "a.npz",
        npz(x=np.ones((2, 3), complex), y=["a", "b"]),
        NPZ,
        r"a.npz: x: expected numbers or strings .*, got complex128",
    ),
    "npz: truncated": (
        "a.npz",
        npz(x=np.ones((2, 3)), y=["a", "b"])[:300],
        NPZ,
        r"a.npz: not a complete .npz file: write it again",
    ),
    "npz: damaged": (
        "a.npz",
        npz(x=np.ones((2, 3)), y=["a", "b"]).replace(b"\x3f", b"\x40"),
        NPZ,
        r"a.npz: not a complete .npz file",
    ),
    "npz: of a later zip": (
        "a.npz",
        npz(x=np.ones((2, 3)), y=["a", "b"]).replace(b"PK\1\2-\3-", b"PK\1\2-\3\x7d"),
        NPZ,
        r"a.npz: not a complete .npz file",
    ),
    "npz: a single array": (
        "a.npz",
        np.lib.format.magic(1, 0)
        + b"v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(117)
        + b"\n"
        + bytes(8),
        NPZ,
        r"a.npz: holds npy, not npz: rename the file, or set data.format: npy",
    ),
    # text
    "text: wrong encoding of one text": ("a.txt", "ab\ncä\n".encode("latin1"), {}, r"a.txt:2: not UTF-8 \(byte 0xe4\)"),
    "text: wrong encoding": (
        "a.txt",
        "ab\ncä\n".encode("latin1"),
        {"lines": True},
        r"a.txt:2: not UTF-8 \(byte 0xe4\)",
    ),
    "text: only blank lines": ("a.txt", "\n\n", {"lines": True}, r"a.txt: the file is empty"),
    # conllu
    "conllu: truncated": (
        "a.conllu",
        conllu("2\tbad\t_"),
        TAGS,
        r":3: expected 10 cells, got 3: separate ten columns by tabs",
    ),
    "conllu: wrong dimension": (
        "a.conllu",
        conllu(word() + "\t_"),
        TAGS,
        r":3: expected 10 cells, got 11: separate ten columns by tabs",
    ),
    "conllu: not a number": ("a.conllu", headed("0", "one"), HEAD, r":3: head: 'one' is not a number: correct it"),
    "conllu: infinite": ("a.conllu", headed("0", "inf"), HEAD, r":3: head: inf is not a finite number: fill it in"),
    "conllu: missing column": (
        "a.conllu",
        conllu("# genre = news", word(), "", word()),
        {**TAGS, "target": "genre"},
        r":1: genre: the column is missing \(there are form, .*\): add it",
    ),
    "conllu: no number": (
        "a.conllu",
        conllu(word("x")),
        TAGS,
        r":3: expected a word's number, got 'x': number the words",
    ),
    "conllu: empty sequence": ("a.conllu", conllu("# sent_id = 2"), TAGS, r":3: the sentence has no words: delete it"),
    "conllu: wrong encoding": ("a.conllu", conllu(word(form="ä")).encode("latin1"), TAGS, r":3: not UTF-8"),
    # ts
    "ts: missing value": (
        "a.ts",
        ts("1,?:3,4:up"),
        LABEL,
        r":6: x: step 2: a number is missing: fill it in, or say how with data.missing.fill",
    ),
    "ts: not a number": ("a.ts", ts("1,b:3,4:up"), LABEL, r":6: x: 'b' is not a number: write numbers"),
    "ts: NaN": (
        "a.ts",
        ts("1,NaN:3,4:up"),
        LABEL,
        r":6: x: step 2: a number is missing: fill it in, or say how with data.missing.fill",
    ),
    "ts: empty sequence": ("a.ts", ts("::up"), LABEL, r":6: x: '' is not a number: write numbers"),
    "ts: infinite": ("a.ts", ts("1,inf:3,4:up"), LABEL, r":6: x: step 2: inf is not a finite number"),
    "ts: wrong dimension": ("a.ts", ts("1,2:up"), LABEL, r":6: expected 2 dimensions, got 1: complete the line"),
    "ts: label alone": (
        "a.ts",
        ts("up").replace("@dimensions", "@series"),
        LABEL,
        r":6: x: no values before the label: complete the line or remove it",
    ),
    "ts: unequal dimensions": ("a.ts", ts("1,2:3:up"), LABEL, r":6: x: the dimensions have 1 to 2 values"),
    "ts: label not declared": (
        "a.ts",
        ts("1,2:3,4:left"),
        LABEL,
        r":6: 'left' is not a label of the header \(up, down\)",
    ),
    "ts: missing column": (
        "a.ts",
        ts("1,2:3,4:?"),
        LABEL,
        r":6: label: the label is missing \(\?\): fill it in, or set data.missing.target: skip",
    ),
    "ts: wrong encoding": ("a.ts", ts("1,2:3,4:ü").encode("latin1"), LABEL, r":6: not UTF-8 \(byte 0xfc\)"),
    "ts: truncated": ("a.ts", ts("1,2:3,"), LABEL, r":6: '3,' is not a label of the header"),
    "ts: no data": ("a.ts", "@univariate true\n", LABEL, r"a.ts: there is no line @data"),
    "ts: an empty key": (
        "a.ts",
        "@univariate true\n@\n@data\n1,2:up\n",
        LABEL,
        r"a.ts:2: a line of @ alone: complete it",
    ),
    "ts: no cases": ("a.ts", "@univariate true\n@data\n", LABEL, r"a.ts: there are no series below @data"),
    "ts: no header": ("a.ts", "1,2:up\n", LABEL, r"a.ts:1: a series before @data"),
    "ts: time stamps": (
        "a.ts",
        ts("1,2:(0,3),(1,4):up").replace("@data", "@timeStamps true\n@data"),
        LABEL,
        r":6: x: expected values with time stamps as in the header",
    ),
    **format_rows.TABLE,
}
