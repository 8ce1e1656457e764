"""Whatever is in a file, reading it gives data or one of our errors; numpy's warnings are errors here, too."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_cli.data import Batches, open_data
from lstm_cli.errors import LstmError
from tests.support import format_rows
from tests.support.bad_rows import npz
from tests.support.data import CONLLU, TS, data_config

GOOD = {
    "a.jsonl": b'{"id": "a", "x": [[1.5, 2], [3, 4]], "w": ["p", "q"], "y": "a"}\n{"x": [[5, 6]], "w": ["p"], "y": 3}',
    "a.csv": b"id,x,w,y\na,1,p,0.5\na,2.5,q,1\nb,3,p,2\n",
    "a.npz": npz(x=np.ones((2, 3)), w=np.array([["a", "b", "c"]] * 2), lengths=[3, 2], y=[0.5, 1.5]),
    "a.txt": b"to be\nor not\n",
    "a.conllu": CONLLU.encode(),
    "a.ts": TS.encode(),
    "a.json": format_rows.GOOD["json"][1].encode(),
    "a.conll": format_rows.COLUMNS.encode(),
    "x.npy": format_rows.GOOD["npy"][1],
    "a.tsf": format_rows.TSF.encode(),
    "a.jsonl.gz": gzip.compress(b'{"x": [[1.5, 2], [3, 4]], "w": ["p", "q"], "y": "a"}\n' * 9, mtime=0),
}
COLUMNAR = ["a.parquet", "a.arrow"]
GIVEN = {
    "a.txt": [{}, {"lines": True, "unit": "word"}],
    "a.conllu": [{"inputs": ["form"], "target": "upos"}, {"inputs": {"feats": "set"}, "target": "next"}],
    "a.conll": [{"inputs": ["form"], "target": "tag"}, {"inputs": {"c2": "number"}, "target": "next"}],
    "x.npy": [{"target": "next"}, {"target": "next", "transform": {"x": ["log", "difference"]}}],
    "a.tsf": [{"target": "kind"}, {"inputs": ["x"], "target": "time"}],
    "a.ts": [{"target": "label"}, {"target": "next", "transform": {"x": ["log", "difference"]}}],
}
TABLE = [
    {"inputs": ["x", "w"], "target": "y"},
    {"inputs": ["x"], "target": "next", "transform": {"x": "log"}, "scale": "none"},
    {"inputs": {"x": "set"}, "target": {"column": "y", "kind": "number"}, "on_error": "skip"},
]
PIECES = st.sampled_from(
    [b"", b"[", b"]", b",", b'"', b"\n", b"\r", b"\t", b":", b"\xff", b"\x00", b"NaN", b"-", b"1e999", b"{}", b"null"]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), PIECES), min_size=1, max_size=4)


SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def check_overwritten(folder, name, content, edits, which):
    """Read a file with some places overwritten: data, or an error of ours that names a place."""
    for place, length, piece in edits:
        start = int(place * len(content))
        content = content[:start] + piece + content[start + length :]
    (folder / name).write_bytes(content)
    choices = GIVEN.get(name, TABLE)
    try:
        data = open_data(data_config(folder, train=name, **choices[which % len(choices)]))
    except LstmError as error:
        assert str(error).count(": ") >= 1
        return
    for batch in Batches(data.train, batch_size=2).epoch(0):
        assert batch.numbers is None or np.isfinite(batch.numbers).all()


@pytest.fixture(params=[*GOOD, *COLUMNAR])
def file(request):
    """The name of a file of each format, and what is in it."""
    name = request.param
    if name in GOOD:
        return name, GOOD[name]
    from tests.support import columnar  # skips the test where pyarrow is missing

    return name, columnar.WRITERS[name.removeprefix("a.")](columnar.COLUMNS)


@settings(max_examples=60, **SETTINGS)
@given(edits=EDITS, which=st.integers(0, 2))
def test_edited_files_give_data_or_an_error(tmp_path, file, edits, which):
    check_overwritten(tmp_path, *file, edits, which)


@pytest.mark.slow
@settings(max_examples=5000, **SETTINGS)
@given(edits=EDITS, which=st.integers(0, 2))
def test_edited_files_at_length(tmp_path, file, edits, which):
    check_overwritten(tmp_path, *file, edits, which)
