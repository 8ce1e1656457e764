"""Small files as people have them, with what is right: values, kinds, notes, or the line that refuses them."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from lstm_cli.data import Data, Dataset, open_data
from lstm_cli.errors import LstmError
from tests.support.data import data_config, write

Nested = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """Files, what a config says of them, and what must happen; the first file is the training data.

    Numbers are not scaled unless `data` says so. Of `numbers`, `tokens`, `targets` and `counted`, all steps of all
    training sequences stand end to end, in the order of the config.
    """

    files: Mapping[str, str | bytes]
    data: Nested
    sections: Nested = field(default_factory=dict)
    kinds: Mapping[str, str] | None = None
    target: tuple[str, str] | None = None
    labels: Sequence[Any] | None = None
    numbers: Sequence[Any] | None = None
    tokens: Mapping[str, Sequence[str]] | None = None
    targets: Sequence[Any] | None = None
    counted: Sequence[int] | None = None
    ids: Sequence[Any] | None = None
    lengths: Sequence[int] | None = None
    splits: Mapping[str, Sequence[Any]] | None = None
    notes: Sequence[str] = ()
    silent: bool = False
    refused: str | None = None

    def run(self, folder: Path) -> None:
        """Open the files in a folder as the config says, and compare with what is expected: at least one thing."""
        given = {item.name for item in fields(self) if getattr(self, item.name) not in (None, (), False)}
        assert given - {"files", "data", "sections"}
        if self.refused is None:
            self._compare(self._open(folder))
            return
        with pytest.raises(LstmError) as caught:
            self._open(folder)
        message = str(caught.value).replace(str(folder), "")
        assert re.search(self.refused, message), message
        assert "\n" not in message

    def _open(self, folder: Path) -> Data:
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write(folder / name, content)
        data = {"train": next(iter(self.files)), "scale": "none", **self.data}
        return open_data(data_config(folder, dict(self.sections), **data))

    def _compare(self, data: Data) -> None:
        schema, train = data.schema, data.train
        found = {
            "kinds": {column.name: column.kind for column in schema.layout.inputs},
            "target": (schema.target.kind, schema.target.per),
            "labels": None if schema.target.labels is None else list(schema.target.labels),
            "ids": train.ids,
            "lengths": train.lengths.tolist(),
        }
        for name, value in found.items():
            expected = getattr(self, name)
            if expected is not None:
                assert value == (list(expected) if isinstance(expected, Sequence) and name != "target" else expected)
        if self.numbers is not None:
            assert train.numbers is not None
            np.testing.assert_allclose(train.numbers, np.array(self.numbers, float), rtol=1e-5, atol=1e-6)
        for name, expected in (self.tokens or {}).items():
            assert [schema.tokens[name].tokens[index] for index in train.tokens[name]] == list(expected)
        if self.targets is not None:
            compare_targets(train, self.targets, self.counted)
        if self.counted is not None:
            assert counted(train) == [bool(count) for count in self.counted]
        for split, expected in (self.splits or {}).items():
            dataset = getattr(data, split)
            assert (None if dataset is None else dataset.ids) == expected
        text = "\n".join(data.notes)
        for note in self.notes:
            assert re.search(note, text), text or "no notes"
        assert not self.silent or not data.notes, text


def counted(dataset: Dataset) -> list[bool]:
    """Return which steps, or sequences, count."""
    return [True] * len(dataset.target) if dataset.weight is None else (dataset.weight > 0).tolist()


def compare_targets(dataset: Dataset, expected: Sequence[Any], only: Sequence[int] | None) -> None:
    """Compare the targets that count with those expected, with labels by their names."""
    target = dataset.schema.target
    chosen = [value for value, count in zip(dataset.target, only or [1] * len(expected), strict=True) if count]
    right = [value for value, count in zip(expected, only or [1] * len(expected), strict=True) if count]
    if target.kind == "number":
        np.testing.assert_allclose(
            np.reshape(chosen, (len(right), -1)), np.reshape(np.array(right, float), (len(right), -1)), rtol=1e-5
        )
    elif target.kind == "category":
        assert [target.labels[int(np.ravel(index)[0])] for index in chosen] == right
    else:
        assert [[target.labels[k] for k in np.flatnonzero(row)] for row in chosen] == right


def npz(**arrays: Any) -> bytes:
    """Return the content of an npz file."""
    file = io.BytesIO()
    np.savez(file, **{name: np.asarray(array) for name, array in arrays.items()})
    return file.getvalue()


def npy(array: Any) -> bytes:
    """Return the content of an npy file."""
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def parquet(columns: Nested) -> bytes:
    """Return the content of a parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), file)
    return file.getvalue()


def table(*lines: str, end: str = "\n") -> str:
    """Return lines as a text."""
    return "".join(line + end for line in lines)
