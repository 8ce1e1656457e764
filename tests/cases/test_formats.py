"""Formats: compressed, tagged columns, arrays, archives' formats, and those refused with what converts them."""

import gzip
import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from tests.support.cases import Case, npy, npz, parquet, table

TWO = {"inputs": ["a"], "target": "b"}
CSV = table("a,b", "0.5,1.25", "1.5,2.25", "2.5,3.75")
READ = {"numbers": [[0.5], [1.5], [2.5]], "targets": [1.25, 2.25, 3.75], "target": ("number", "step")}
X_TO_Y = {"inputs": ["x"], "target": "y"}
CONLL = table("-DOCSTART- -X- -X- O", "", "EU NNP B-NP B-ORG", "rejects VBZ B-VP O", "", "Peter NNP B-NP B-PER", "")
TAGS = ["word", "pos", "chunk", "ner"]
TSF = table(
    "# daily sales",
    "@relation sales",
    "@attribute series_name string",
    "@attribute start_timestamp date",
    "@frequency daily",
    "@missing false",
    "@data",
    "T1:2020-01-01 00-00-00:1.5,2.5,3.5",
    "T2:2020-01-01 00-00-00:7.5,8.5",
)
ROWS = [{"x": [0.5, 1.5], "y": "a"}, {"x": [2.5], "y": "b"}, {"x": [3.5], "y": "a"}]
OF_ROWS = {"numbers": [[0.5], [1.5], [2.5], [3.5]], "lengths": [2, 1, 1], "targets": ["a", "b", "a"]}
NESTED = [{"sensor": {"acc": [[1, 2], [3, 4]], "name": "left"}, "y": "a"}, {"sensor": {"acc": [[5, 6]]}, "y": "b"}]
DRAW = np.random.default_rng(5)
TRAIN, TEST = DRAW.normal(size=(4, 3, 2)), DRAW.normal(size=(2, 3, 2))
BOTH = npz(X_train=TRAIN, y_train=["a", "b", "b", "a"], X_test=TEST, y_test=["b", "a"])
PADDED = np.where(
    np.arange(6)[None, :, None] < np.array([2, 6, 3, 1])[:, None, None], np.arange(1.0, 25.0).reshape(4, 6, 1), 0.0
)


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def compressed(content):
    return pa.compress(content.encode(), codec="zstd", asbytes=True)


CASES = {
    "gzip": Case({"a.csv.gz": gzip.compress(CSV.encode())}, TWO, **READ),
    "zip": Case({"a.zip": zipped("a.csv", CSV)}, TWO, **READ),
    "zstd": Case({"a.csv.zst": compressed(CSV)}, TWO, **READ),
    "jsonl in gzip": Case(
        {"a.jsonl.gz": gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode())}, X_TO_Y, **OF_ROWS
    ),
    "a json array": Case({"a.json": json.dumps(ROWS, indent=1)}, X_TO_Y, **OF_ROWS),
    "a json object of splits": Case(
        {"a.json": json.dumps({"train": ROWS, "test": ROWS[1:]})}, {**X_TO_Y, "test": "a.json"}, **OF_ROWS
    ),
    "names with dots": Case(
        {"a.jsonl": "".join(json.dumps(row) + "\n" for row in NESTED)},
        {"inputs": ["sensor.acc"], "target": "y"},
        numbers=[[1, 2], [3, 4], [5, 6]],
        lengths=[2, 1],
    ),
    "CoNLL-2003": Case(
        {"a.conll": CONLL},
        {"format": "columns", "table": {"columns": TAGS}, "inputs": ["word"], "target": "ner"},
        tokens={"word": ["EU", "rejects", "Peter"]},
        target=("category", "step"),
        targets=["B-ORG", "O", "B-PER"],
        lengths=[2, 1],
    ),
    "tsf": Case({"a.tsf": TSF}, {}, numbers=[[1.5], [2.5], [7.5]], lengths=[2, 1]),
    "train and test in one npz": Case(
        {"trace.npz": BOTH},
        {"inputs": ["X"], "target": "y", "test": "trace.npz"},
        numbers=TRAIN.reshape(-1, 2).tolist(),
        targets=["a", "b", "b", "a"],
    ),
    "a pair of npy files": Case(
        {"x.npy": npy(TRAIN), "y.npy": npy(np.array(["a", "b", "b", "a"]))},
        X_TO_Y,
        numbers=TRAIN.reshape(-1, 2).tolist(),
        targets=["a", "b", "b", "a"],
    ),
    "trailing zeros without lengths": Case({"a.npz": npz(x=PADDED, y=["a", "b", "a", "b"])}, X_TO_Y, notes=["lengths"]),
    "sequences of parquet": Case(
        {"a.parquet": parquet({"x": [[0.5, 1.5], [2.5], [3.5]], "y": ["a", "b", "a"]})}, X_TO_Y, **OF_ROWS
    ),
    "steps of parquet": Case({"a.parquet": parquet({"a": [0.5, 1.5, 2.5], "b": [1.25, 2.25, 3.75]})}, TWO, **READ),
    "xlsx": Case({"a.xlsx": zipped("xl/workbook.xml", "<workbook/>")}, TWO, refused=r"read_excel\(.*to_csv\("),
    "h5": Case({"a.h5": b"\x89HDF\r\n\x1a\n" + bytes(64)}, TWO, refused="h5py"),
    "mat": Case({"a.mat": b"MATLAB 5.0 MAT-file" + bytes(128)}, TWO, refused="loadmat"),
    "arff": Case({"a.arff": table("@relation r", "@attribute a numeric", "@data", "1")}, TWO, refused="loadarff"),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)


def test_the_test_part_of_one_npz_is_its_own(tmp_path):
    data = Case({"trace.npz": BOTH}, {"inputs": ["X"], "target": "y", "test": "trace.npz"})._open(tmp_path)
    assert len(data.test) == 2
    np.testing.assert_allclose(data.test.numbers, TEST.reshape(-1, 2), rtol=1e-5)


def test_the_test_part_of_one_json_is_its_own(tmp_path):
    files = {"a.json": json.dumps({"train": ROWS, "test": ROWS[1:]})}
    data = Case(files, {**X_TO_Y, "test": "a.json"})._open(tmp_path)
    np.testing.assert_allclose(data.test.numbers, [[2.5], [3.5]])
