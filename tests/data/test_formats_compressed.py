"""Compressed files of every format, damaged ones, and archives."""

import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from lstm_cli.config.formats import format_of
from lstm_cli.data import open_data
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError
from tests.support import format_rows
from tests.support.bad_rows import npz
from tests.support.columnar import COLUMNS, WRITERS
from tests.support.data import CONLLU, TS, data_config, write
from tests.support.reading import read_file

LINES = b'{"id": "a", "x": [1.5, 2], "y": "p"}\n{"id": "b", "x": [3], "y": "q"}\n'
FILES = {
    "a.jsonl": LINES, "a.csv": b"id,x,y\na,1.5,p\na,2,q\n", "a.txt": b"to be or not\n", "a.conllu": CONLLU.encode(),
    "a.ts": TS.encode(), "a.npz": npz(x=np.ones((2, 3)), y=["a", "b"]),
    **{f"a.{form}": writer(COLUMNS) for form, writer in WRITERS.items()},
    "a.json": format_rows.GOOD["json"][1].encode(), "a.conll": format_rows.COLUMNS.encode(),
    "a.npy": format_rows.GOOD["npy"][1], "a.tsf": format_rows.TSF.encode(),
}  # fmt: skip


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


PACKERS = {
    "gz": lambda name, content: gzip.compress(content, mtime=0),
    "zst": lambda name, content: pa.compress(content, "zstd", asbytes=True),
    "zip": zipped,
}


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("name", FILES)
def test_a_compressed_file_is_read_as_the_one_inside(tmp_path, name, suffix):
    plain = read_file(write(tmp_path / name, FILES[name]))
    packed = read_file(write(tmp_path / f"{name}.{suffix}", PACKERS[suffix](name, FILES[name])))
    assert format_of(f"data/{name}.{suffix}") == format_of(name)
    assert [row.id for row in packed] == [row.id for row in plain] and plain
    for one, other in zip(packed, plain, strict=True):
        assert one.columns.keys() == other.columns.keys()
        for column, value in other.columns.items():
            np.testing.assert_equal(one.columns[column], value)


def test_gz_and_zst_are_known_by_their_first_bytes_and_in_streams(tmp_path):
    for suffix in ("gz", "zst"):
        content = PACKERS[suffix]("a.jsonl", LINES)
        assert len(read_file(write(tmp_path / "a.jsonl", content))) == 2
        for stream in (io.BytesIO(content), io.BufferedReader(io.BytesIO(content))):
            assert len(list(read(Source(stream), "jsonl", Options()))) == 2
            assert not stream.closed


def test_several_parts_in_one_file_are_read_one_after_the_other(tmp_path):
    for suffix in ("gz", "zst"):
        parts = [PACKERS[suffix]("", LINES[: len(LINES) // 3]), PACKERS[suffix]("", LINES[len(LINES) // 3 :])]
        assert len(read_file(write(tmp_path / f"a.jsonl.{suffix}", b"".join(parts)))) == 2


MANY = LINES * 5000


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_cut_archive_is_one_message(tmp_path, name, suffix):
    content = MANY if name == "a.jsonl" else WRITERS["parquet"]({"x": [[float(k)] for k in range(5000)]})
    packed = PACKERS[suffix](name, content)
    for cut in (len(packed) // 2, 5):
        write(tmp_path / f"{name}.{suffix}", packed[:cut])
        with pytest.raises(DataError, match=rf"{name}.{suffix}: damaged or cut off \(.*\): copy or download") as caught:
            read_file(tmp_path / f"{name}.{suffix}")
        assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_an_error_and_not_skipped(tmp_path):
    packed = bytearray(gzip.compress(MANY, mtime=0))
    packed[-8] ^= 0xFF  # in the checksum
    write(tmp_path / "a.jsonl.gz", bytes(packed))
    with pytest.raises(DataError, match=r"a.jsonl.gz: damaged or cut off \(CRC"):
        open_data(data_config(tmp_path, train="a.jsonl.gz", inputs=["x"], target="y", on_error="skip"))


def archive(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name in members:
            file.writestr(name, LINES)
    return path


def test_the_file_of_an_archive_is_the_only_one_or_the_one_of_its_name(tmp_path):
    assert len(read_file(archive(tmp_path / "log.zip", ["folder/data.jsonl", "__MACOSX/._data.jsonl"]))) == 2
    assert len(read_file(archive(tmp_path / "log.zip", ["readme.txt", "log.jsonl"]))) == 2
    assert len(read_file(archive(tmp_path / "log.jsonl.zip", ["readme.txt", "log.jsonl"]))) == 2
    with pytest.raises(
        DataError, match=r"log.zip: the archive holds several files \(a.jsonl, b.jsonl\): unpack it, or"
    ):
        read_file(archive(tmp_path / "log.zip", ["a.jsonl", "b.jsonl"]))
    with pytest.raises(DataError, match=r"log.zip: the archive holds no file: unpack it, or give an archive of one"):
        read_file(archive(tmp_path / "log.zip", []))


def test_a_small_archive_of_a_file_larger_than_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lstm_cli.data.memory.available", lambda: 10**7)
    write(tmp_path / "a.jsonl.gz", gzip.compress(b'{"x": "' + b"a" * (1 << 24) + b'"}', mtime=0))
    write(tmp_path / "a.npz.gz", gzip.compress(npz(x=np.zeros((1, 1 << 21))), mtime=0))
    for name in ("a.jsonl.gz", "a.npz.gz"):
        with pytest.raises(DataError, match=rf"{name}.*: reading this takes .* of memory, but only 10 MB are free"):
            read_file(tmp_path / name)


def test_uncompressed_files_alone_are_plain(tmp_path):
    assert Source(write(tmp_path / "a.csv", "x\n1\n")).plain == tmp_path / "a.csv"
    assert Source(write(tmp_path / "b.csv", gzip.compress(b"x\n1\n"))).plain is None
    assert Source(tmp_path / "none.csv").plain is None
    assert Source(io.BytesIO(b"x")).plain is None
