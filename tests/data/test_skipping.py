"""Rows that cannot be used and are skipped on demand: how many may be, and what is reported."""

import numpy as np
import pytest

from lstm_cli.data import open_data
from lstm_cli.errors import DataError
from tests.support.bad_rows import LABEL, TAGS, X, npz, ts, word
from tests.support.data import data_config, open_jsonl, write


def test_skipped_rows_are_counted_and_the_first_ten_named(tmp_path):
    rows = [{"x": [1.5, 2.0], "y": "a"}] * 150 + [{"x": [], "y": "a"}] * 12
    data = open_jsonl(tmp_path, rows, on_error="skip", **X)
    (note,) = [note for note in data.notes if "skipped" in note]
    assert len(data.train) == 150
    assert "12 of 162 sequences were skipped" in note
    assert note.count("an empty sequence") == 10
    assert note.endswith("and 2 more")


def skippable(form, good, bad):
    """A file of N good sequences, and of bad ones that can be skipped."""
    if form == "jsonl":
        return '{"x": [1.5], "y": "a"}\n' * good + '{"x": [[]], "y": "a"}\n' * bad
    if form == "csv":
        lines = [f"{n},1.5,a\n" if n < good else f"{n},1,5,a\n" for n in range(good + bad)]
        return "id,x,y\n" + "".join(lines)
    if form == "npz":
        return npz(x=np.ones((good + bad, 2)), lengths=[2] * good + [3] * bad, y=["a"] * (good + bad))
    if form == "conllu":
        return f"{word('1')}\n\n" * good + f"{word('1')}\t_\n\n" * bad
    if form == "ts":
        return ts(*["1,2:3,4:up"] * (good - 1), *["1,2:3,4:left"] * bad)
    from tests.support.columnar import WRITERS  # skips the test where pyarrow is missing

    return WRITERS[form]({"x": [[1.5]] * good + [[]] * bad, "y": ["a"] * (good + bad)})


@pytest.mark.parametrize("form", ["jsonl", "csv", "npz", "conllu", "ts", "parquet", "arrow"])
@pytest.mark.parametrize(("good", "bad", "stops"), [(89, 11, True), (99, 11, False), (5, 10, False), (20, 11, True)])
def test_skipping_stops_above_ten_rows_and_ten_percent(tmp_path, form, good, bad, stops):
    write(tmp_path / f"a.{form}", skippable(form, good, bad))
    given = data_config(tmp_path, train=f"a.{form}", on_error="skip", **{"conllu": TAGS, "ts": LABEL}.get(form, X))
    noun = "rows" if form == "csv" else "sequences"
    if not stops:
        data = open_data(given)
        assert len(data.train) == good
        assert sum(f"{bad} of {good + bad} {noun} were skipped" in note for note in data.notes) == 1
        return
    with pytest.raises(DataError, match=rf"{bad} of {good + bad} {noun} cannot be used, more than data.on_error: skip"):
        open_data(given)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize("second", ["", 'a",p\n'])
def test_a_stray_quote_never_takes_sequences_along_unreported(tmp_path, on_error, second):
    """However few the sequences are that are left, and whether or not another quote far below closes it."""
    lines = [f"{n},{n}.5,p\n" for n in range(2000)]
    lines[99] = '99,"9.5,p\n'
    lines[1799] = '1799,4"' + (second or ",p\n")
    write(tmp_path / "a.csv", "id,x,y\n" + "".join(lines))
    with pytest.raises(DataError, match=r"a.csv:101: a quoted cell does not end on its line: close the quote"):
        open_data(data_config(tmp_path, train="a.csv", on_error=on_error, **X))


def test_skipping_everything_is_an_error(tmp_path):
    with pytest.raises(DataError, match="2 of 2 sequences cannot be used, none is left"):
        open_jsonl(tmp_path, [{"x": [], "y": "a"}] * 2, on_error="skip", **X)


SERIES = "".join(f"{t}.5,{'pq'[t % 2]}\n" for t in range(60))


def test_a_skipped_row_of_a_table_does_not_take_its_series_along(tmp_path):
    write(tmp_path / "a.csv", "id,x,y\n" + "".join(f"{i},1.5,p\n{i},2.5,q\n" for i in range(5)) + "9,bad,p\n9,1,p\n")
    data = open_data(data_config(tmp_path, train="a.csv", on_error="skip", **X))
    assert (data.train.ids[-1], data.train.lengths.tolist()) == ("9", [2] * 5 + [1])
    (note,) = [note for note in data.notes if "skipped" in note]
    assert "1 of 12 rows was skipped" in note
    assert "a.csv:12: x: 'bad' is not a number" in note


def test_every_row_that_is_skipped_is_counted_once(tmp_path):
    """Of a missing number, a wrong one, a missing label and a line of the wrong length."""
    lines = SERIES.splitlines()
    for step, line in {3: "?,p", 20: "-,p", 30: "4.5,", 40: "1.5,p,p"}.items():
        lines[step] = line
    write(tmp_path / "a.csv", "x,y\n" + "\n".join(lines) + "\n")
    data = open_data(data_config(tmp_path, train="a.csv", on_error="skip", scale="none", **X))
    kept = [t for t in range(60) if t not in (3, 20, 30, 40)]
    assert data.train.numbers[:, 0].tolist() == [t + 0.5 for t in kept]
    assert data.train.target.tolist() == [t % 2 for t in kept]
    (note,) = [note for note in data.notes if "skipped" in note]
    assert "4 of 60 rows were skipped" in note
    assert all(f"a.csv:{step + 2}:" in note for step in (3, 20, 30, 40))


def test_of_many_bad_rows_the_first_ten_are_named(tmp_path):
    lines = [f"{'oops' if t % 20 == 7 else t},p\n" for t in range(400)]
    write(tmp_path / "a.csv", "x,y\n" + "".join(lines))
    data = open_data(data_config(tmp_path, train="a.csv", on_error="skip", scale="none", **X))
    assert data.train.numbers[:, 0].tolist() == [t for t in range(400) if t % 20 != 7]
    (note,) = [note for note in data.notes if "skipped" in note]
    assert "20 of 400 rows were skipped" in note
    assert note.count("'oops' is not a number") == 10
    assert note.endswith("and 10 more")


def test_too_many_bad_rows_of_a_series_are_an_error(tmp_path):
    write(tmp_path / "a.csv", "x,y\n" + "".join(f"{'oops' if t % 5 == 0 else t},p\n" for t in range(100)))
    with pytest.raises(DataError, match=r"a.csv: 20 of 100 rows cannot be used, more than data.on_error: skip"):
        open_data(data_config(tmp_path, train="a.csv", on_error="skip", **X))
