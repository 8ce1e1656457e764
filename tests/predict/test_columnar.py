"""Predictions of rows in parquet and Arrow."""

import pytest

from lstm_cli.data import encode, read_sequences
from tests.support.columnar import WRITERS


@pytest.mark.parametrize("form", WRITERS)
def test_rows_are_predicted_as_those_of_jsonl(loaded, raw_sequences, tmp_path, form):
    run, rows = loaded("classifier"), raw_sequences("classifier")
    path = tmp_path / f"in.{form}"
    path.write_bytes(WRITERS[form]({name: [row[name] for row in rows] for name in ("id", "x")}))
    encoded = (encode(run.schema, row) for row in read_sequences(path, run.schema))
    assert list(run.predictions(encoded)) == run.predict(rows)
