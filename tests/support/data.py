"""Small data sets written on the spot, and the configs that read them."""

import csv
import json

import numpy as np

from lstm_cli.config import config_from_mapping
from lstm_cli.data import Dataset, Encoded, Schema, open_data
from lstm_cli.data.schema.layout import Column, Layout, TargetColumn
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.storage import contents
from tests.support.paths import ROOT

SHARED = ROOT.parent / "shared" / "data"
CONLLU = """# sent_id = a1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
2.1\tgone\t_\t_\t_\t_\t_\t_\t_\t_
3\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_

1\tsí\tsí\tINTJ\t_\t_\t0\troot\t_\t_
"""
TS = """# a comment
@problemName Waves
@timeStamps false
@univariate false
@dimensions 2
@classLabel true up down
@data
1,2,3:10,20,30:up
4:40:down
"""


def data_config(folder, sections=None, **data):
    """A config of this data; `sections` are those besides `data`."""
    return config_from_mapping({"data": {"valid": None, **data}, **(sections or {})}, folder)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_jsonl(path, rows):
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def raise_memory_error(*args, **options):
    """Stand in for a function whose result does not fit into memory."""
    raise MemoryError


def open_jsonl(folder, rows, sections=None, **data):
    write_jsonl(folder / "train.jsonl", rows)
    return open_data(data_config(folder, sections, train="train.jsonl", **data))


def open_text(folder, text, sections=None, **data):
    write(folder / "train.txt", text)
    return open_data(data_config(folder, sections, train="train.txt", **data))


def number_schema(*, per="step", kind="number"):
    """The schema of one column of plain numbers whose target is another."""
    layout = Layout("jsonl", (Column("x", "x", "number"),), TargetColumn("y", kind, per))
    return Schema.assemble(
        layout, tokens={}, sets={}, scaling={"x": Scaling.none(1)}, of_targets=[(None, Scaling.none(1))]
    )


def numbered(lengths, weights=None):
    """A data set whose step t of sequence s has the input and target 1000 s + t + 1, so that every step is known."""
    sequences = []
    for index, length in enumerate(lengths):
        values = (1000 * index + np.arange(1, length + 1, dtype=np.float32))[:, None]
        weight = None if weights is None else weights[index]
        sequences.append(Encoded(index, f"row {index}", length, values, {}, values.copy(), weight))
    return Dataset(sequences, number_schema())


def save_schema(schema, folder):
    """Write a schema's files into a folder, as a run does."""
    for name, content in contents(schema).items():
        (folder / name).write_bytes(content)
