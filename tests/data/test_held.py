"""Few rows of a file that is read for prediction are held at a time, in every format that can be read in pieces."""

import json
import tracemalloc

import numpy as np
import pytest

from lstm_cli.data.formats import READERS, Options, read
from lstm_cli.data.formats.source import Source
from tests.support.data import write

WORD = "\t".join(["1", "big", "_", "ADJ", *"______"]) + "\n"
SERIES = "@attribute series_name string\n@data\n"
HEADER = "@univariate true\n@classLabel false\n@data\n"


def columnar(form, **options):
    """All rows are in one batch or group, as writers make them by default."""

    def content(count):
        from tests.support import columnar  # skips the test where pyarrow is missing

        x = columnar.pa.FixedSizeListArray.from_arrays(np.random.default_rng(0).normal(size=30 * count), 30)
        return columnar.WRITERS[form]({"x": x, "w": ["word"] * count}, **options)

    return content


FILES = {
    "jsonl": ("jsonl", lambda count: (json.dumps({"x": [k / 7 for k in range(30)]}) + "\n") * count),
    "csv": ("csv", lambda count: "id,x\n" + "".join(f"{k},0.5\n" * 30 for k in range(count))),
    "text": ("text", lambda count: "a line of text\n" * count),
    "conllu": ("conllu", lambda count: (WORD * 30 + "\n") * count),
    "columns": ("columns", lambda count: ("big JJ\n" * 30 + "\n") * count),
    "tsf": ("tsf", lambda count: SERIES + ("s:" + ",".join("0.5" for _ in range(30)) + "\n") * count),
    "ts": ("ts", lambda count: HEADER + (",".join("0.5" for _ in range(30)) + "\n") * count),
    "parquet": ("parquet", columnar("parquet")),
    "arrow": ("arrow", columnar("arrow")),
    "arrow stream": ("arrow", columnar("arrow", stream=True)),
}


def peak(path, form):
    """The most memory that Python holds while the rows go by."""
    options = Options(lines=True)
    tracemalloc.start()
    count = sum(1 for _ in read(Source(path), form, options))
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, found


def test_all_formats_are_here_but_those_whose_arrays_are_read_whole():
    assert {form for form, _ in FILES.values()} == READERS.keys() - {"npz", "npy", "json"}


#: What Arrow reads of a file lies in Python's memory as it is: a batch, a block of lines, or a page of a megabyte.
BYTES_READ = {"parquet": 1 << 20, "arrow": 1 << 30, "csv": 1 << 30}


@pytest.mark.parametrize("kind", FILES)
def test_ten_times_the_rows_take_no_more_memory(tmp_path, kind):
    form, content = FILES[kind]
    peaks = []
    for count in (300, 300, 3000):  # the first time round Python fills its caches
        write(tmp_path / "a", content(count))
        rows, found = peak(tmp_path / "a", form)
        assert rows == count
        peaks.append(found)
    read_as_it_is = min(BYTES_READ.get(form, 0), (tmp_path / "a").stat().st_size)
    if form == "csv":  # rows are gathered by id: the ids and the rows of each are held too
        read_as_it_is *= 2
    assert peaks[2] < 1.2 * peaks[1] + read_as_it_is + 20_000  # a row as objects takes five times its bytes


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_of_long_rows_of_columns_even_fewer_are_held(tmp_path, form):
    """A few rows are as long as hundreds of others."""
    columnar = pytest.importorskip("tests.support.columnar")
    x = columnar.pa.FixedSizeListArray.from_arrays(np.zeros(60 * 20_000), 20_000)
    write(tmp_path / "a", columnar.WRITERS[form]({"x": x}))
    assert peak(tmp_path / "a", form)[1] < 2 * 60 * 20_000 * 8  # as objects they take five times as much
