"""Rows of predictions as jsonl or csv, to a file that appears whole or not at all, or to a stream."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lstm_cli.errors import ConfigError
from lstm_cli.files import WholeFile

Row = dict[str, Any]


def write_rows(rows: Iterable[Row], out: Path | None, *, per_step: bool) -> None:
    """Write rows as they come to `out`, as csv if it is named so, else as jsonl; None or ``-`` is standard output.

    Parameters
    ----------
    rows : iterable of mappings
        With `id`, `prediction` and perhaps `probabilities`.
    out : Path or None
    per_step : bool
        Whether a prediction is a list with an entry for each step; csv then has a line for each.

    Raises
    ------
    ConfigError
        The file's suffix names no format.
    DiskError
        The file cannot be written; what was there before is as it was.
    """
    if out is None or str(out) == "-":
        for line in _jsonl(rows):
            sys.stdout.write(line)
        sys.stdout.flush()
        return
    lines = _csv(rows, per_step=per_step) if _is_csv(out) else _jsonl(rows)
    with WholeFile(out) as file:
        for line in lines:
            file.write(line.encode())


def _is_csv(out: Path) -> bool:
    if out.suffix not in (".csv", ".jsonl", ".json"):
        raise ConfigError(f"-o {out}: expected a name that ends in .jsonl or .csv")
    return out.suffix == ".csv"


def _jsonl(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _csv(rows: Iterable[Row], *, per_step: bool) -> Iterator[str]:
    """Yield csv: a line for each sequence, or for each step where there is a prediction for every one."""
    header: list[str] | None = None
    for row in rows:
        for record in _records(row, per_step=per_step):
            if header is None:
                header = list(record)
                yield _line(header)
            yield _line([record[name] for name in header])


def _records(row: Row, *, per_step: bool) -> Iterator[Row]:
    prediction, probabilities = row["prediction"], row.get("probabilities")
    if not per_step:
        yield {"id": row["id"], **_cells(prediction, probabilities)}
        return
    for step, value in enumerate(prediction):
        yield {"id": row["id"], "step": step, **_cells(value, probabilities and probabilities[step])}


def _cells(prediction: Any, probabilities: dict[str, float] | None) -> Row:
    """Return the columns of one prediction: a label, numbers side by side, or a set's labels joined by spaces."""
    cells: Row = {"prediction": prediction}
    if isinstance(prediction, list) and prediction and isinstance(prediction[0], float):
        cells = {f"prediction_{k}": value for k, value in enumerate(prediction)}
    elif isinstance(prediction, list):
        cells = {"prediction": " ".join(map(str, prediction))}
    return cells | {f"p_{label}": p for label, p in (probabilities or {}).items()}


def _line(cells: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
