"""Small data sets written on the spot, and the configs that read them."""

import json
from pathlib import Path

import numpy as np

from lstm_cli.config import config_from_mapping
from lstm_cli.data import Dataset, Encoded, Schema, open_data
from lstm_cli.data.schema.columns import Column, TargetColumn
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.scaling import Scaling

SHARED = Path(__file__).parents[3] / "shared" / "data"


def config(folder, sections=None, **data):
    return config_from_mapping({"data": {"valid": None, **data}, **(sections or {})}, folder)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_jsonl(path, rows):
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def open_jsonl(folder, rows, sections=None, **data):
    write_jsonl(folder / "train.jsonl", rows)
    return open_data(config(folder, sections, train="train.jsonl", **data))


def open_text(folder, text, sections=None, **data):
    write(folder / "train.txt", text)
    return open_data(config(folder, sections, train="train.txt", **data))


def number_schema(*, per="step", kind="number"):
    """The schema of one column of plain numbers whose target is another."""
    answer = TargetColumn("y", kind, per)
    layout = Layout("jsonl", (Column("x", "x", "number"),), answer)
    return Schema.assemble(layout, tokens={}, sets={}, scaling={"x": Scaling.none(1)}, own_scaling=Scaling.none(1))


def numbered(lengths, weights=None):
    """A data set whose step t of sequence s has the input and target 1000 s + t + 1, so that every step is known."""
    sequences = []
    for index, length in enumerate(lengths):
        values = (1000 * index + np.arange(1, length + 1, dtype=np.float32))[:, None]
        weight = None if weights is None else weights[index]
        sequences.append(Encoded(index, f"row {index}", length, values, {}, values.copy(), weight))
    return Dataset(sequences, number_schema())
