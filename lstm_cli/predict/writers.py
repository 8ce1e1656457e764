"""Rows of predictions as jsonl or csv, or text, to a file that appears whole or not at all, or to standard output."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lstm_cli.errors import ConfigError
from lstm_cli.run.files import WholeFile

Row = dict[str, Any]


def write_rows(rows: Iterable[Row], out: Path | None, *, per_step: bool) -> None:
    """Write rows as they come, as csv if `out` is named so, else as jsonl.

    Parameters
    ----------
    rows : iterable of mappings
        With `id`, `prediction` and, where there are any, `probabilities` or `output`.
    out : Path or None
        None is standard output.
    per_step : bool
        Whether a prediction is a list with an entry for each step; csv then has a line for each.

    Raises
    ------
    ConfigError
        The file's suffix names no format.
    DiskError
        The file cannot be written; what was there before is as it was.
    """
    if out is not None and out.suffix not in (".csv", ".jsonl", ".json"):
        raise ConfigError(f"-o {out}: expected a name that ends in .jsonl or .csv")
    lines = _csv(rows, per_step=per_step) if out and out.suffix == ".csv" else _jsonl(rows)
    # Half a surrogate pair, which JSON can spell and UTF-8 cannot, is written as JSON spells it.
    _write((line.encode(errors="backslashreplace") for line in lines), out)


def write_text(pieces: Iterable[str], out: Path | None) -> None:
    """Write text piece by piece; None is standard output, where each piece is flushed at once."""
    _write((piece.encode() for piece in pieces), out, at_once=True)


def _write(pieces: Iterable[bytes], out: Path | None, *, at_once: bool = False) -> None:
    if out is not None:
        with WholeFile(out) as file:
            for piece in pieces:
                file.write(piece)
        return
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)
        if at_once:
            sys.stdout.buffer.flush()
    sys.stdout.buffer.flush()


def _jsonl(rows: Iterable[Row]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


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
        cells = _cells(value, probabilities and probabilities[step])
        yield {"id": row["id"], "step": step, **cells, **(_outputs(row["output"][step]) if "output" in row else {})}


def _cells(prediction: Any, probabilities: dict[str, float] | None) -> Row:
    """Return the columns of one prediction: a label, numbers side by side, or a set's labels joined by spaces."""
    cells: Row = {"prediction": prediction}
    if isinstance(prediction, list) and prediction and isinstance(prediction[0], float):
        cells = {f"prediction_{k}": value for k, value in enumerate(prediction)}
    elif isinstance(prediction, list):
        cells = {"prediction": " ".join(map(str, prediction))}
    return cells | {f"p_{label}": p for label, p in (probabilities or {}).items()}


def _outputs(output: Any) -> Row:
    """Return the columns of what drove a system at a step."""
    return {f"output_{k}": value for k, value in enumerate(output)} if isinstance(output, list) else {"output": output}


def _line(cells: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
