"""Short sequences are prepared many at a time, which changes nothing but what it takes."""

import json
import random
import sys
import tracemalloc
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstm_cli.data import open_data
from lstm_cli.errors import DataError
from tests.support.data import data_config, write

DRAW = random.Random(0)
#: A few kinds of lines, of which each bunch has its own mixture.
LINES = [
    {
        "x": [DRAW.choice([1, 2.5, -3.25, 7])] * count,
        "w": ["p", "q"] * count,
        "y": DRAW.choice([0, 1, 2, "a"]),
        "z": 0.5,
    }
    for count in [1] * 40 + [1, 2, 3, 4] * 10
]
for number, line in enumerate(LINES):
    line["w"] = [DRAW.choice("pqr") for _ in line["x"]]
    line["v"] = [[value, 1.0] for value in line["x"]]
    line["y"] = number % 3 if number < 60 else DRAW.choice(["a", 0])
    line["z"] = DRAW.choice([number / 3, number])
JSONL = "".join(json.dumps(line) + "\n" for line in LINES)
IDS = "".join(json.dumps({"id": f"s{number}", **line}) + "\n" for number, line in enumerate(LINES))
CSV = "id,x,w,y\n" + "".join(
    f"s{number},{value},{word},{number % 3}\n"
    for number, line in enumerate(LINES)
    for value, word in zip(line["x"], line["w"], strict=True)
)
TEXT = "".join(DRAW.choice(["abc", "so it is", "x", ""]) + "\n" for _ in range(90))
CASES = {
    "label": ("a.jsonl", JSONL, {"inputs": ["x"], "target": {"column": "y", "kind": "category"}}),
    "number": ("a.jsonl", IDS, {"inputs": ["v"], "target": "z", "scale": "minmax"}),
    "tokens": ("a.jsonl", JSONL, {"inputs": ["w"], "target": {"column": "y", "kind": "category"}}),
    "next": ("a.jsonl", IDS, {"inputs": ["x", "v"], "target": "next"}),
    "per step": ("a.jsonl", JSONL, {"inputs": ["x"], "target": "w", "valid": 0.3}),
    "logarithm": ("a.jsonl", JSONL, {"inputs": ["v"], "target": "w", "transform": {"v": "log"}}),
    "long": ("a.jsonl", JSONL, {"inputs": ["x"], "target": "w", "max_length": 2, "on_long": "split"}),
    "by time": ("a.jsonl", JSONL, {"inputs": ["x"], "target": "w", "valid": {"share": 1, "by": "time"}}),
    "csv": ("a.csv", CSV, {"inputs": ["x", "w"], "target": "y"}),
    "csv per sequence": ("a.csv", CSV, {"inputs": ["x"], "target": {"column": "y", "per": "sequence"}}),
    "text": ("a.txt", TEXT, {"format": "text", "lines": True}),
    "words": ("a.txt", TEXT, {"format": "text", "lines": True, "unit": "word"}),
    "null": ("a.jsonl", JSONL + '{"x": [1], "w": [null], "y": 1, "z": 1}\n', {"inputs": ["x"], "target": "w"}),
    "skipped": (
        "a.jsonl",
        JSONL + '{"x": [1], "w": "p"\n{"x": ["no"], "w": ["p"]}\n{"w": ["p"], "x": [1]}\n',
        {"inputs": ["x"], "target": "w", "on_error": "skip"},
    ),
    "unfit": ("a.csv", CSV + "s999,oops,p,1\n", {"inputs": ["x"], "target": "y"}),
    "unlabelled": (
        "a.csv",
        CSV.replace(",2\n", ",NA\n", 3),
        {"inputs": ["x"], "target": "y", "missing": {"values": ["NA"], "target": "skip"}},
    ),
    "unlabelled in train only": (
        "a.csv",
        "id,x,y\n" + "".join(f"s{k},{k / 2},{'NA' if k == 3 else k % 2}\n" for k in range(40)),
        {"inputs": ["x"], "target": "y", "valid": 2, "missing": {"values": ["NA"], "target": "skip"}},
    ),
    "unlabelled in test": (
        "a.csv",
        "id,x,y\n" + "".join(f"s{k // 2},{k / 2},{'NA' if k // 2 == 9 else k % 2}\n" for k in range(80)),
        {"inputs": ["x"], "target": "y", "test": 1, "missing": {"values": ["NA"], "target": "skip"}},
    ),
    "repeated ids": ("a.jsonl", IDS + IDS[: IDS.index("\n") + 1], {"inputs": ["x"], "target": "w"}),
}
JSON = json.dumps(LINES)
TS = "@problemName a\n@classLabel true 0 1 2\n@data\n" + "".join(
    f"{','.join(map(str, line['x']))}:{','.join(map(str, line['x']))}:{number % 3}\n"
    for number, line in enumerate(LINES)
)


def as_npz(path, padded):
    """Write the numbers as arrays, padded or end to end."""
    lengths = np.array([len(line["x"]) for line in LINES])
    steps = np.concatenate([line["x"] for line in LINES])
    labels = np.arange(len(LINES)) % 3
    if not padded:
        np.savez(path, x=steps, y=labels, offsets=np.append(0, np.cumsum(lengths)))
        return
    x = np.zeros((len(LINES), lengths.max(), 1), np.float32)
    x[np.arange(lengths.max()) < lengths[:, None]] = steps[:, None]
    np.savez(path, x=x, y=labels, lengths=lengths)


def as_table(path, *names):
    """Write columns as lists, with the row of each as its id."""
    table = pa.table({"id": range(len(LINES)), **{name: [line[name] for line in LINES] for name in names}})
    pq.write_table(table, path)


NUMBERS = {"inputs": ["x"], "target": "y"}
LABEL = {"inputs": ["x"], "target": "label"}


def as_rows(path):
    """Write a table whose rows are steps, with lists in its cells."""
    rows = [{"id": f"s{k // 2}", "s": list(range(1, 1 + k % 4)), "y": k % 3} for k in range(80)]
    pq.write_table(pa.Table.from_pylist(rows), path)


CASES |= {
    "json": ("a.json", JSON, {"inputs": ["x"], "target": "w"}),
    "json vectors": ("a.json", JSON, {"inputs": ["v", "w"], "target": "z"}),
    "json next": ("a.json", JSON, {"inputs": ["x"], "target": "next"}),
    "json null": ("a.json", JSON[:-1] + ', {"x": [1, null], "w": [1, null]}]', {"inputs": ["x"], "target": "w"}),
    "json no object": ("a.json", JSON[:-1] + ", 3]", {"inputs": ["x"], "target": "w", "on_error": "skip"}),
    "json cut off": ("a.json", JSON[:-20], {"inputs": ["x"], "target": "w"}),
    "ts": ("a.ts", TS, LABEL),
    "ts numbers": (
        "a.ts",
        TS.replace("@classLabel true 0 1 2", "@targetLabel true"),
        {"inputs": ["x"], "target": "label"},
    ),
    "ts few numbers": (
        "a.ts",
        "@targetLabel true\n@data\n1,2:0\n3,4:1.5\n5,6:7\n",
        {"inputs": ["x"], "target": "label"},
    ),
    "ts missing": ("a.ts", TS + "1,?:2,3:1\n", {"inputs": ["x"], "target": "label", "on_error": "skip"}),
    "npz padded": ("a.npz", partial(as_npz, padded=True), NUMBERS),
    "npz end to end": ("a.npz", partial(as_npz, padded=False), {**NUMBERS, "scale": "minmax"}),
    "parquet": ("a.parquet", lambda path: as_table(path, "x", "z"), {"inputs": ["x"], "target": "z"}),
    "parquet tokens": ("a.parquet", lambda path: as_table(path, "x", "w"), {"inputs": ["w"], "target": "w"}),
    "parquet sets": ("a.parquet", as_rows, {"inputs": ["s"], "target": "y", "table": {"row": "step"}}),
    "parquet vectors": ("a.parquet", lambda path: as_table(path, "v"), {"inputs": ["v"], "target": "next"}),
}


def put(path, content):
    """Write a file: its text, or what a function makes of it."""
    content(path) if callable(content) else write(path, content)


def described(folder, name, given):
    """Everything that is made of a file, or why nothing is."""
    try:
        data = open_data(data_config(folder, train=name, **given))
    except DataError as error:
        return str(error)
    parts = [part for part in (data.train, data.valid) if part is not None]
    arrays = [
        array
        for part in parts
        for array in (part.numbers, part.target, part.weight, part.lengths, *part.tokens.values())
    ]
    return (
        [(list(part.ids), list(part.where), part.digest(), part.context_steps) for part in parts],
        [None if array is None else (array.dtype, array.tolist()) for array in arrays],
        data.notes,
        [batch.sequences.tolist() for batch in data.batches["train"].epoch(1)],
        [(one.id, one.where, one.steps) for part in parts for one in part],
    )


@pytest.mark.parametrize("case", CASES)
def test_bunches_give_what_sequences_one_by_one_give(tmp_path, monkeypatch, case):
    name, content, given = CASES[case]
    put(tmp_path / name, content)
    with monkeypatch.context() as patch:
        patch.setattr("lstm_cli.data.reading._fits_bunches", lambda config: False)
        expected = described(tmp_path, name, given)
    for most in (7, 1 << 14):
        for module in ("jsonl", "rows", "text", "gathering"):
            monkeypatch.setattr(f"lstm_cli.data.formats.{module}.MOST", most)
        assert described(tmp_path, name, given) == expected


COUNT = 20_000
MANY = {
    "jsonl": (
        "a.jsonl",
        "".join(f'{{"x": [{k % 97 / 10}], "y": {k % 2}}}\n' for k in range(COUNT)),
        {"inputs": ["x"], "target": "y"},
    ),
    "csv": (
        "a.csv",
        "id,x,y\n" + "".join(f"s{k},{k % 97 / 10},{k % 2}\n" for k in range(COUNT)),
        {"inputs": ["x"], "target": "y"},
    ),
    "text": ("a.txt", "abc\nx\n" * (COUNT // 2), {"format": "text", "lines": True}),
}
MANY["npz"] = (
    "a.npz",
    lambda path: np.savez(path, x=np.arange(COUNT).reshape(-1, 1) % 97 / 10, y=np.arange(COUNT) % 2),
    {"inputs": ["x"], "target": "y"},
)
MANY["files"] = ("a.jsonl", MANY["jsonl"][1], {**MANY["jsonl"][2], "valid": "b.jsonl"})


@pytest.mark.parametrize("kind", MANY)
def test_a_short_sequence_takes_few_bytes_and_few_calls(tmp_path, kind):
    """Some hundred bytes and calls each where they were objects of their own."""
    name, content, given = MANY[kind]
    put(tmp_path / name, content)
    write(tmp_path / "b.jsonl", '{"x": [0], "y": 1}\n')
    config = data_config(tmp_path, train=name, **given)
    open_data(config)  # imports whatever is needed
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        open_data(config)
    finally:
        sys.setprofile(None)
    tracemalloc.start()
    try:
        data = open_data(config)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(data.train) + len(data.valid or ()) - (kind == "files") == COUNT
    assert calls / COUNT < 30
    assert most / COUNT < 400
