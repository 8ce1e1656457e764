"""Rows of predictions as a table: one line per sequence, or per step of the input that has an output."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lstm_cli.data import Schema
from lstm_cli.data.schema.target import Target
from lstm_cli.errors import ConfigError, brief
from lstm_cli.predict.wording import RESERVED, Later, PerStep, Row, spread_key

#: What separates labels where a blank does not, and a cell that is read as no label at all.
_BAR, _NONE = "|", "_"
#: What spreadsheets take for the beginning of a formula, and numbers, which begin so too and are none (OWASP 2024).
_FORMULA, _NUMBER = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"), re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Table:
    """How rows become lines of csv.

    Attributes
    ----------
    per_step
        Whether a prediction is a list with an entry for each step; there is one line per step then.
    ids
        The columns of the data that name a sequence.
    numbers
        The columns of the numbers of a prediction, such as ``load`` or ``x_0``; empty: ``prediction``.
    separator
        What stands between the labels of a set.
    safe
        Whether text that spreadsheets take for a formula gets an apostrophe before it; all cells are quoted then, so
        that none is cut in two where another character separates cells.
    around
        The key of what a row has around each number, if it has something.
    parts
        Of several target columns: the table of each alone, by its name.
    """

    per_step: bool
    ids: tuple[str, ...] = ("id",)
    numbers: tuple[str, ...] = ()
    separator: str = " "
    safe: bool = False
    around: str | None = None
    parts: Mapping[str, "Table"] = field(default_factory=dict)

    @classmethod
    def of(cls, schema: Schema, *, per_step: bool, later: bool = False, safe: bool = False) -> "Table":
        """Return the table of the predictions of a model that was trained with a schema, or of its later steps."""
        driven = schema.layout.closed_loop is not None
        parts = {name: cls.of(part, per_step=per_step) for name, part in schema.columns.items() if name}
        numbers = () if driven else _names_of_numbers(schema.target, later=later)
        return cls(per_step, schema.layout.id, numbers, _separator(schema), safe, spread_key(schema), parts)

    def lines(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yield the lines, the names of the columns first; the first row determines the columns."""
        return lines_of((record for row in rows for record in self._records(row)), safe=self.safe)

    def _records(self, row: Row) -> Iterator[dict[str, Any]]:
        """Yield the cells of a row by column: those that name it, those of the input, those of the prediction."""
        names = self._names(row)
        given = {name: value for name, value in row.items() if name not in RESERVED and name != self.around}
        around = None if self.around is None else row.get(self.around)
        prediction, probabilities = row["prediction"], row.get("probabilities")
        if not self.per_step:
            cells = self._predicted(prediction, probabilities, given, around)
            yield _merged(names, {name: _constant(value) for name, value in given.items()}, cells)
            return
        for place, step in enumerate(row.get("step", range(self._steps(prediction)))):
            beside = self._of_step(around, place)
            shares = self._of_step(probabilities, place)
            cells = self._predicted(self._of_step(prediction, place), shares, given, beside)
            if "output" in row:
                cells |= _outputs(row["output"][place])
            own = {name: _at(value, step, place) for name, value in given.items()}
            yield _merged({**names, "step": step}, own, cells)

    def _names(self, row: Row) -> dict[str, Any]:
        several = isinstance(row["id"], tuple | list)
        return dict(zip(self.ids, row["id"] if several else [row["id"]], strict=False))

    def _predicted(
        self, prediction: Any, probabilities: Mapping[str, float] | None, given: Mapping[str, Any], around: Any
    ) -> dict[str, Any]:
        """Return the cells of one prediction: numbers and what is around them, or labels and their probabilities.

        What names a line, and a column of the input that is carried through, has its name; the prediction of a column
        of the same name then has another.
        """
        if self.parts:
            return self._of_columns(prediction, probabilities or {}, given, around or {})
        if self.numbers:
            beside = around if isinstance(around, dict) else {} if around is None else {str(self.around): around}
            each = {"": prediction, **{f"_{name}": value for name, value in beside.items()}}
            taken = {*given, *self.ids, "step"}
            found: dict[str, Any] = {}
            for name, values in zip(self.numbers, zip(*map(_flat, each.values()), strict=True), strict=True):
                named = {f"{name}{suffix}": value for suffix, value in zip(each, values, strict=True)}
                prefix = "" if taken.isdisjoint(named) else "prediction_"
                found |= {f"{prefix}{key}": value for key, value in named.items()}
            return found
        if isinstance(prediction, list) and prediction and isinstance(prediction[0], float):
            return {f"prediction_{k}": value for k, value in enumerate(prediction)}
        shown = self.joined(prediction) if isinstance(prediction, list) else prediction
        return {"prediction": shown} | {f"p_{label}": share for label, share in (probabilities or {}).items()}

    def _of_columns(
        self,
        prediction: Mapping[str, Any],
        probabilities: Mapping[str, Any],
        given: Mapping[str, Any],
        around: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the cells of several target columns: each has the name of its column, in place of ``prediction``."""
        cells: dict[str, Any] = {}
        for name, part in self.parts.items():
            own = part._predicted(prediction[name], None, given, around.get(name))
            key = f"prediction_{name}" if name in {*given, *self.ids, "step"} else name
            cells |= {key if found == "prediction" else found: value for found, value in own.items()}
            cells |= {f"p_{name}_{label}": share for label, share in (probabilities.get(name) or {}).items()}
        return cells

    def _steps(self, prediction: Any) -> int:
        """Return how many steps predictions per step have."""
        return len(next(iter(prediction.values())) if self.parts else prediction)

    def _of_step(self, entries: Any, place: int) -> Any:
        """Return the entries of a step, of several target columns by their names."""
        if self.parts and entries is not None:
            return {name: own[place] for name, own in entries.items()}
        return entries and entries[place]

    def joined(self, labels: Sequence[Any]) -> str:
        """Return the labels of a set in one cell; a bar at its end says that it is one label, blanks and all."""
        names = [_writable(str(label)) for label in labels]
        alone = len(names) == 1 and (names[0] == _NONE or len(names[0].split()) != 1)
        return self.separator.join(names) + _BAR * alone


def lines_of(records: Iterable[Mapping[str, Any]], *, safe: bool = False) -> Iterator[str]:
    """Yield lines of csv, one for each record, after the names of the columns, which are those of the first record.

    With `safe` every cell is quoted, and text that spreadsheets take for a formula gets an apostrophe before it.
    """
    header: list[str] | None = None
    for record in records:
        if header is None:
            header = list(record)
            yield _line(header, safe=safe)
        yield _line([record.get(name) for name in header], safe=safe)


def _line(cells: Iterable[Any], *, safe: bool) -> str:
    buffer = io.StringIO()
    given = map(_cell, cells)
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL if safe else csv.QUOTE_MINIMAL)
    writer.writerow(map(_inert, given) if safe else given)
    return buffer.getvalue()


def check_labels(schema: Schema) -> None:
    """Raise the `ConfigError` for the first label of sets that no cell can hold so that it could be read back."""
    for part in schema.columns.values():
        for label in (part.target.labels or ()) if part.target.kind == "set" else ():
            _writable(str(label))


def _writable(label: str) -> str:
    if _BAR in label:
        name = brief(repr(label))
        raise ConfigError(f"-o: the label {name} has the character that separates labels in csv: write .jsonl")
    return label


def _separator(schema: Schema) -> str:
    """Return what stands between the labels of a set, so that the table can be read back."""
    if schema.target.kind != "set":
        return " "
    labels = [str(label) for label in schema.target.labels or ()]
    target, inputs = schema.layout.target, schema.layout.next_columns
    separator = inputs[0].separator if target.is_next else target.separator
    return _BAR if any(len(label.split()) != 1 or label == _NONE for label in labels) else separator


def _names_of_numbers(target: Target, *, later: bool) -> tuple[str, ...]:
    """Return a name for each output: its column, and the steps ahead where several are predicted at once."""
    names = distinct(target.output_columns[: target.width])
    if later or target.horizon == 1:
        return names
    return tuple(f"{name}_{step}" for step in range(target.ahead, target.reach + 1) for name in names)


def distinct(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name for each output: its column, with a number where the column has several."""
    totals, seen = Counter(columns), Counter[str]()
    names = []
    for name in columns:
        names.append(name if totals[name] == 1 else f"{name}_{seen[name]}")
        seen[name] += 1
    return tuple(names)


def _merged(names: Row, given: Row, cells: Row) -> dict[str, Any]:
    """Return all cells of a line; a column of the input that has the name of an output gets another."""
    return names | {f"input_{k}" if k in names or k in cells else k: value for k, value in given.items()} | cells


def _at(value: Any, step: int, place: int) -> Any:
    """Return a value of the input at a step, or of a forecast; one of the whole sequence is the same at all."""
    if isinstance(value, Later):
        return value[place]
    return value[step] if isinstance(value, PerStep) else value


def _flat(numbers: Any) -> list[Any]:
    """Return nested numbers one after the other; a horizon of several columns has lists in lists."""
    return [one for part in numbers for one in _flat(part)] if isinstance(numbers, list) else [numbers]


def _constant(value: Any) -> Any:
    """Return the value that all steps of a column have, if there is one; those that were skipped have none."""
    if not isinstance(value, PerStep):
        return value
    given = [cell for cell in value if cell is not None]
    return given[0] if given and all(cell == given[0] for cell in given) else value


def _outputs(output: Any) -> dict[str, Any]:
    """Return the columns of the outputs that drove a system at a step."""
    return {f"output_{k}": value for k, value in enumerate(output)} if isinstance(output, list) else {"output": output}


def _cell(value: Any) -> Any:
    """Return a cell: numbers with at most seven significant digits, lists as JSON."""
    if isinstance(value, float):
        return f"{value:.7g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _inert(cell: Any) -> Any:
    """Return a cell with an apostrophe before text that a spreadsheet would run as a formula."""
    runs = isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if runs else cell
