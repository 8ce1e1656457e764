"""Runs with weights drawn at random, without training, and ONNX models beside what `lstm-predict` gives."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config import config_from_mapping
from lstm_cli.data import checked_contents, open_data
from lstm_cli.engine.build import parameters_of
from lstm_cli.export.folder import write_run
from lstm_cli.predict.run import Run


def drawn_run(folder: Path, config: dict[str, Any], *, seed: int = 4) -> Run:
    """Write a run of a config, whose data is in `folder`, with weights drawn at random; return it loaded."""
    settings = config_from_mapping({"threads": 1, **config}, folder)
    schema = open_data(settings).schema
    draw = np.random.default_rng(seed)
    weights = {
        parameter.name: draw.normal(size=parameter.shape) / np.sqrt(1 + parameter.shape[-1] / 2)
        for parameter in parameters_of(settings, schema)
    }
    run = folder / f"run-{len(list(folder.glob('run-*')))}"
    write_run(run, settings, checked_contents(schema, settings), weights, source=folder)
    return lstm_cli.load(run)


def slow_except(names: Iterable[str], quick: Iterable[str]) -> list[Any]:
    """Return names as parameters of a test, of which all but a few are slow ones."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


class Exported:
    """The ONNX model of a run folder, run by onnxruntime on raw sequences."""

    def __init__(self, run: Path) -> None:
        import onnxruntime

        self.run, self.path = lstm_cli.load(run), run.parent / f"{run.name}.onnx"
        lstm_cli.export_run(run, self.path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        self.metadata = {
            name: json.loads(text) for name, text in self.session.get_modelmeta().custom_metadata_map.items()
        }

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        """Return the outputs for a batch of sequences, padded to the longest one."""
        feeds = self.feeds(rows)
        return dict(zip((one.name for one in self.session.get_outputs()), self.session.run(None, feeds), strict=True))

    def feeds(self, rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        layout = self.run.schema.layout
        if layout.lines:  # the line end that begins every line
            rows = [{**row, "text": ["\n", *row["text"]]} for row in rows]
        lengths = np.array([len(row[layout.first.source]) for row in rows])
        feeds = {"lengths": lengths}
        for column in layout.inputs:
            values = [self._values(column, row[column.source]) for row in rows]
            feeds[column.name] = np.array(values) if column.static else self._padded(values)
        dtypes = {given.name: np.int64 if "int64" in given.type else np.float32 for given in self.session.get_inputs()}
        return {name: np.ascontiguousarray(array, dtypes[name]) for name, array in feeds.items()}

    def _values(self, column: Any, value: Any) -> np.ndarray:
        if column.kind == "number":
            numbers = np.array(value, np.float64)
            return numbers.reshape(-1) if column.static else numbers.reshape(len(numbers), -1)
        if column.kind == "set":
            return self.run.schema.sets[column.name].indicators([[str(label) for label in labels] for labels in value])
        tokens = self.metadata[f"vocabulary.{column.name}"]
        listed = [value] if column.static else value
        indices = [tokens.index(token) if token in tokens else 0 for token in column.spelling.apply(list(listed))]
        return np.array(indices[0] if column.static else indices)

    @staticmethod
    def _padded(values: list[np.ndarray]) -> np.ndarray:
        """Arrays of different lengths as one, with what no data has on padding."""
        most = max(map(len, values))
        filler = [
            np.full((most - len(value), *value.shape[1:]), 0 if value.dtype.kind == "i" else 77) for value in values
        ]
        return np.stack([np.concatenate(pair) for pair in zip(values, filler, strict=True)])


def assert_equal_predictions(exported: Exported, rows: list[dict[str, Any]], *, tolerance: float = 1e-5) -> None:
    """Check that onnxruntime gives what `Run.predict` gives, for a padded batch; None where there is no prediction."""
    schema, outputs = exported.run.schema, exported(rows)
    target = schema.target
    predictions = exported.run.predict(rows, probabilities=target.kind != "number")
    for output_name, output in outputs.items():
        name, _, column = output_name.partition(".")
        for row, values in zip(predictions, output, strict=True):
            entries = row[name] if name in row else row["quantiles"]
            entries = entries[column] if column else entries
            steps = entries if target.per == "step" else [entries]
            if target.per == "step":
                assert (values[len(steps) :] == 0).all()
            for entry, value in zip(steps, values if target.per == "step" else [values], strict=False):
                if entry is None:
                    assert np.isnan(value).all()
                    continue
                given = entry if name in row else entry[name]
                expected = np.array(list(given.values()) if isinstance(given, dict) else given, np.float64).reshape(-1)
                np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)
