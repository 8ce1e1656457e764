"""Keys of tables that do not go together are refused before a file is opened."""

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.errors import ConfigError

WIDE = {"inputs": {"ecg": {"columns": "t*"}}}
REFUSED = [
    ({"table": {"header": True, "columns": ["x", "y"]}}, r"data.table.header: the header names the columns"),
    ({"table": {"header": False}}, r"data.table.header: without a header the columns have no names: list them in"),
    ({"table": {"columns": ["x", "x"]}}, r"data.table.columns: two columns are named 'x'"),
    ({"table": {"thousands": ",", "decimal": ","}}, r"data.table.thousands: ',' is the decimal mark"),
    ({"table": {"thousands": "0"}}, r"data.table.thousands: '0' is a part of numbers"),
    ({"table": {"encoding": "cp12520"}}, r"data.table.encoding: got 'cp12520', expected an encoding such as"),
    ({"table": {"delimiter": '"'}}, r"data.table.delimiter: '\"' cannot separate cells"),
    ({"train": "a.jsonl", "table": {"skip": 1}}, r"data.table.skip: only for csv, columns, not jsonl: leave it out"),
    (
        {"train": "a.npz", "table": {"row": "step"}},
        r"data.table.row: only for csv, parquet, arrow, jsonl, json, not npz",
    ),
    ({"train": "a.parquet", "table": {"decimal": ","}}, r"data.table.decimal: only for csv, columns, not parquet"),
    ({**WIDE, "table": {"row": "step"}}, r"data.inputs.ecg.columns: a row is a sequence then: set data.table.row"),
    ({"inputs": {"ecg": {"columns": "t*", "of": "x"}}}, r"data.inputs.ecg.of: the columns are what is read"),
    ({**WIDE, "time": "date"}, r"data.inputs.ecg.columns: the steps of a row are in the order of the columns"),
    ({**WIDE, "train": "a.jsonl"}, r"data.inputs.ecg.columns: only for tables \(csv, parquet, arrow\), not jsonl"),
]
GOOD = [
    {"table": {"header": False, "columns": ["x", "y"]}},
    {"table": {"thousands": ".", "decimal": ","}},
    {"table": {"delimiter": "tab", "encoding": "cp1252"}},
    {"train": "a.txt", "table": {"delimiter": "space"}},
    {"train": "a.parquet", "table": {"row": "step"}},
    {**WIDE, "table": {"row": "sequence"}},
    {"train": "a.parquet", **WIDE},
    {"train": "a.jsonl", "table": {"encoding": "cp1252"}},
    {"train": "a.bin", "format": "columns", "table": {"comment": "#"}},
]


def config(data):
    return config_from_mapping({"data": {"train": "a.csv", "inputs": ["x"], "target": "y", **data}})


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_keys_that_do_not_go_together(data, message):
    with pytest.raises(ConfigError, match=message):
        config(data)


@pytest.mark.parametrize("data", GOOD)
def test_keys_that_do(data):
    assert config(data).data.target.column == "y"
