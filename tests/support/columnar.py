"""Files of parquet and Arrow, made on the spot. Whoever imports this is skipped where pyarrow is missing."""

import io

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is missing: pip install '.[test]' brings it")
ipc = pytest.importorskip("pyarrow.ipc")
write_table = pytest.importorskip("pyarrow.parquet").write_table


def parquet(columns, **options):
    buffer = io.BytesIO()
    write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def arrow(columns, *, stream=False, rows=None):
    table, buffer = pa.table(columns), io.BytesIO()
    with (ipc.new_stream if stream else ipc.new_file)(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return buffer.getvalue()


WRITERS = {"parquet": parquet, "arrow": arrow}
ROWS = [
    {"id": "a", "x": [[1.5, 2.0], [3.0, 4.25]], "w": ["p", "q"], "s": [["u"], []], "n": [1, 2], "y": 3},
    {"id": "b", "x": [[5.0, 6.0]], "w": ["p"], "s": [["u", "v"]], "n": [7], "y": 4},
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
