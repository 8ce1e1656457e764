"""jsonl and json whose objects are single steps, as pandas writes records, are read as a table with `row: step`."""

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.raw import RawSequence, TableOptions
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

STEP = TableOptions(row="step")
TABLE = pd.DataFrame(
    {
        "store": ["a", "b", "a", "b", "a"],
        "day": pd.date_range("2024-01-01", periods=5).astype(str),
        "sold": [1, 5, 2, 6, 3],
        "price": [1.5, np.nan, 2.5, 2.25, 3.5],
        "tag": ["p", "q", "p", "p", None],
    }
)
FORMS = {"jsonl": {"orient": "records", "lines": True}, "json": {"orient": "records"}}


def sequences_of(path, form, **options):
    return list(read(Source(path), form, Options(**{"table": STEP, **options})))


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_gathered_by_id_as_in_csv(form, tmp_path):
    path = tmp_path / f"a.{form}"
    TABLE.to_json(path, **FORMS[form])
    wanted = frozenset({"day", "sold", "price", "tag"})
    found = sequences_of(path, form, id=("store",), columns=wanted)
    assert [sequence.id for sequence in found] == ["a", "b"]
    for sequence in found:
        own = TABLE[TABLE.store == sequence.id]
        np.testing.assert_array_equal(sequence.columns["sold"], own.sold)
        np.testing.assert_array_equal(sequence.columns["price"], own.price)
        assert list(sequence.columns["day"]) == list(own.day)
        assert list(sequence.columns["tag"]) == list(own.tag.fillna(""))
        assert sequence.rows and list(sequence.steps_at) == [f"{path}:{row + 1}" for row in own.index]
        assert set(sequence.columns) == wanted and sequence.names == tuple(TABLE.columns)


@pytest.mark.parametrize("form", FORMS)
def test_without_an_id_all_rows_are_one_series(form, tmp_path):
    TABLE.drop(columns="store").to_json(tmp_path / f"a.{form}", **FORMS[form])
    (sequence,) = sequences_of(tmp_path / f"a.{form}", form)
    np.testing.assert_array_equal(sequence.columns["sold"], TABLE.sold)
    with pytest.raises(DataError, match="store: no such column"):
        sequences_of(tmp_path / f"a.{form}", form, id=("store",), id_required=True)


def test_a_line_that_cannot_be_read_is_named_and_skipped(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": 1.5}\n{"x": 2.5\n\n{"x": 3.5}\n{"x": "broken"}\n')
    error, sequence = sequences_of(path, "jsonl")
    assert isinstance(error, DataError) and ":2: the line ends inside a value" in str(error)
    assert isinstance(sequence, RawSequence)
    assert list(sequence.columns["x"]) == ["1.5", "3.5", "broken"]
    assert list(sequence.steps_at) == [f"{path}:{line}" for line in (1, 4, 5)]
    (rest,) = BadRowPolicy("a", skip=True).good(read(Source(path), "jsonl", Options(table=STEP)))
    assert len(rest.steps_at) == 3


def test_columns_that_only_some_objects_have_are_missing_in_the_others(tmp_path):
    (tmp_path / "a.json").write_text('[{"x": 1, "a": {"b": 2}}, {"x": 2, "y": "p"}]')
    (sequence,) = sequences_of(tmp_path / "a.json", "json", columns=frozenset({"x", "y", "a.b"}))
    assert list(sequence.columns["y"]) == ["", "p"]
    np.testing.assert_array_equal(sequence.columns["a.b"], [2, np.nan])
