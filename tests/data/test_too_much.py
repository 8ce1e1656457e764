"""Data larger than memory: refused with a message while it is read, before the OOM killer ends the process."""

import io
import os
import threading

import numpy as np
import pytest

from lstm_cli.data import memory, open_data
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.raw import repeated
from lstm_cli.data.formats.source import PIECE, Source
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, raise_memory_error, write

X = {"inputs": ["x"], "target": "y"}
ROW = b'{"x": [1.5, 2.5], "y": "a"}\n'


class Endless(io.RawIOBase):
    """A stream that never ends, and counts what was read of it."""

    def __init__(self, piece):
        self.piece, self.given = piece, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        count = len(buffer) // len(self.piece)
        buffer[: count * len(self.piece)] = self.piece * count
        self.given += count * len(self.piece)
        return count * len(self.piece)


@pytest.fixture
def little(monkeypatch):
    """A hundred megabytes are free, whatever is taken."""
    monkeypatch.setattr(memory, "available", lambda: 100 * 10**6)


def refused(stream, form):
    with pytest.raises(DataError) as caught:
        list(read(Source(io.BufferedReader(stream)), form, Options(lines=True)))
    return str(caught.value)


@pytest.mark.parametrize("form", ["jsonl", "csv", "text", "conllu", "ts"])
def test_a_line_that_does_not_end_is_refused(little, form):
    stream = Endless(b"1,")
    assert "<stream>:1: reading this takes 101 MB of memory, but only 100 MB are free: give" in refused(stream, form)
    assert stream.given < 50 * 10**6


@pytest.mark.parametrize("form", ["jsonl", "csv", "text", "conllu", "ts"])
def test_zeros_without_an_end_are_refused_at_once(form):
    stream = Endless(b"\0")
    assert "<stream>:1: zero bytes in a line of megabytes: give a text file" in refused(stream, form)
    assert stream.given < 2 * PIECE


@pytest.mark.parametrize("form", ["npz", "parquet", "arrow"])
def test_what_is_needed_whole_is_read_up_to_the_memory(little, form):
    pytest.importorskip("pyarrow")
    stream = Endless(b"\0")
    assert refused(stream, form).startswith("<stream>: reading this takes 10")
    assert stream.given < 110 * 10**6


def test_a_hole_of_a_file_is_refused_before_it_is_read(tmp_path):
    for name in ("x.npy", "a.json", "a.txt"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(1 << 39)
        with pytest.raises(DataError, match=rf"{name}: reading this takes 550 GB of memory, but only .* are free"):
            open_data(data_config(tmp_path, train=name, **({} if name == "a.txt" else X)))


@pytest.mark.parametrize("name", ["a.npz", "a.json", "a.txt", "x.npy"])
def test_a_file_of_zeros_is_refused_at_its_start(tmp_path, monkeypatch, name):
    """As much as is read at a time is held, and no more."""
    monkeypatch.setattr("lstm_cli.data.formats.source.PIECE", 10_000)
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 30)
    before = memory.resident()
    with pytest.raises(DataError, match=rf"{name}: (zero bytes in a line|not a complete \.np)"):
        open_data(data_config(tmp_path, train=name, **({} if name == "a.txt" else X)))
    assert memory.resident() - before < 10**8


def test_a_device_is_refused_and_a_pipe_is_read(tmp_path):
    with pytest.raises(DataError, match=r"/dev/zero: a device, which may have no end: give a file, or a pipe"):
        open_data(data_config(tmp_path, train="/dev/zero", format="jsonl", **X))
    for name, content in (("a.jsonl", ROW * 3), ("a.txt", b"some text")):
        os.mkfifo(tmp_path / name)
        writer = threading.Thread(target=(tmp_path / name).write_bytes, args=[content])
        writer.start()
        assert len(open_data(data_config(tmp_path, train=name, **({} if name == "a.txt" else X))).train)
        writer.join()
    with pytest.raises(ConfigError, match=r"data\.cache: .*a\.jsonl is no file, of which a copy can be made"):
        open_data(data_config(tmp_path, train="a.jsonl", cache="always", **X))


@pytest.mark.parametrize("form", ["jsonl", "csv", "arrow"])
def test_rows_that_pile_up_are_refused_while_there_is_memory_left(tmp_path, monkeypatch, form):
    """Each look at the process finds a gigabyte more, and two are free in the end."""
    found = iter(range(10**9, 10**12, 10**9))
    monkeypatch.setattr(memory, "resident", lambda: next(found))
    monkeypatch.setattr("lstm_cli.data.formats.source.PIECE", 10_000)
    monkeypatch.setattr("lstm_cli.data.formats.arrow.PIECE", 10_000)
    monkeypatch.setattr(memory, "available", lambda: 2 * 10**9)
    if form == "arrow":
        from tests.support.columnar import arrow, pa

        x = pa.FixedSizeListArray.from_arrays(np.zeros(8 * 10**4), 1)
        content = arrow({"x": x, "y": ["a"] * 80_000})
    else:
        content = ROW * 10_000 if form == "jsonl" else "x,y\n" + "1.5,a\n" * 50_000
    write(tmp_path / f"a.{form}", content)
    with pytest.raises(DataError, match=rf"a.{form}.*: reading this takes 9 GB of memory, but only 2 GB are free"):
        open_data(data_config(tmp_path, train=f"a.{form}", **X))


def test_there_is_always_some_memory_left(monkeypatch):
    """Of 100 MB that are taken a quarter would do, but something is left for all else; of little less is."""
    monkeypatch.setattr(memory, "available", lambda: 50 * 10**6)
    for taken, fits in ((100 * 10**6, False), (40 * 10**6, True)):
        found = iter([0, taken])
        monkeypatch.setattr(memory, "resident", lambda found=found: next(found))
        watch = memory.Watch()
        if fits:
            watch.check("a")
        else:
            with pytest.raises(DataError, match="a: reading this takes 100 MB of memory, but only 50 MB are free"):
                watch.check("a")


def test_many_short_lines_are_looked_at_as_often_as_they_take_memory(tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(memory.Watch, "check", lambda self, where, *, more=0: looks.append(where))
    rows = read(Source(write(tmp_path / "a.txt", "1\n" * 200_000)), "text", Options(lines=True))
    assert sum(1 for _ in rows) == 200_000
    assert len(looks) >= 3  # of 400 kB, which are 40 MB as objects


def test_what_is_held_by_others_is_no_reason_to_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    monkeypatch.setattr(memory, "resident", lambda: 10**9)
    monkeypatch.setattr("lstm_cli.data.formats.source.PIECE", 10_000)
    rows = read(Source(write(tmp_path / "a.jsonl", ROW * 5000)), "jsonl", Options())
    assert sum(1 for _ in rows) == 5000


def test_a_long_line_is_read_as_a_short_one(tmp_path):
    numbers = ",".join(["1.25"] * (PIECE // 2))
    content = f'{{"x": [{numbers}]}}\n{{"x": [1, 2]}}\n{{"x": [{numbers}]}}'
    first, second, third = read(Source(write(tmp_path / "a.jsonl", content)), "jsonl", Options())
    assert [len(row.columns["x"]) for row in (first, second, third)] == [PIECE // 2, 2, PIECE // 2]
    assert third.where.endswith("a.jsonl:3")


def test_memory_that_is_not_enough_is_an_error_of_the_data(tmp_path, monkeypatch):
    write(tmp_path / "a.jsonl", ROW * 3)
    for place in ("lstm_cli.data.formats.jsonl.bunch_of", "lstm_cli.data.dataset.np.concatenate"):
        with monkeypatch.context() as patch:
            patch.setattr(place, raise_memory_error)
            with pytest.raises(DataError, match=r"a.jsonl: does not fit into memory: give fewer or shorter"):
                open_data(data_config(tmp_path, train="a.jsonl", **X))


@pytest.mark.parametrize("room", [False, True])
def test_a_library_without_room_for_its_code_is_an_error_of_the_data(room):
    """As the loader of shared libraries says it; another import that fails is no matter of memory."""
    reason = "x.so: " + ("undefined symbol" if room else "failed to map segment from shared object")
    with pytest.raises(ImportError if room else DataError, match="undefined" if room else "a.csv: does not fit"):
        with memory.memory_errors("a.csv"):
            raise ImportError(reason)


def test_arrays_that_are_larger_than_memory_once_unpacked(tmp_path, monkeypatch):
    """The file is small: a thousand zeros are compressed to a few bytes."""
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((10, 1000, 50)), y=np.arange(10), other=np.zeros(10**6))
    assert (tmp_path / "a.npz").stat().st_size < 20_000
    source = Source(tmp_path / "a.npz")
    monkeypatch.setattr(memory, "available", lambda: 5_000_000)
    assert len(list(read(source, "npz", Options(columns=frozenset("xy"))))) == 10
    monkeypatch.setattr(memory, "available", lambda: 3_000_000)
    with pytest.raises(DataError, match=r"a\.npz: reading this takes 4 MB of memory, but only 3 MB are free"):
        list(read(source, "npz", Options(columns=frozenset("xy"))))


@pytest.mark.parametrize(
    ("name", "form", "content", "message"),
    [
        ("a.csv", "csv", "1" * 10**6 + "x\n0.5\n", None),
        ("a.txt", "csv", 'a "b"\n1 ' + '"' * 10**6 + "x\n", "the quotes do not match"),
        (
            "a.ts",
            "ts",
            "@timestamps true\n@classlabel false\n@data\n" + ":" * 10**5,
            "expected values with time stamps",
        ),
    ],
)
def test_the_time_that_a_line_takes_grows_as_its_length(tmp_path, name, form, content, message):
    """A search that begins anew at every character would take hours."""
    found = list(read(Source(write(tmp_path / name, content)), form, Options(columns=None)))
    assert (
        [item for item in found if isinstance(item, DataError)] == [] if message is None else message in str(found[0])
    )


def test_names_of_very_many_columns_are_compared_once():
    """Each with each would take minutes."""
    names = [f"c{k}" for k in range(200_000)]
    assert repeated(names) == []
    assert repeated(["b", "a", *names, "a", "b", "c7"]) == ["a", "b", "c7"]
