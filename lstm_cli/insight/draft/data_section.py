"""The section `data` of a config: what was seen in the files, key by key."""

from collections.abc import Sequence
from typing import Any

from lstm_cli.data.sources import FILE
from lstm_cli.errors import counted, listed
from lstm_cli.insight.draft.columns import Column
from lstm_cli.insight.draft.files import Files
from lstm_cli.insight.draft.inputs import Input
from lstm_cli.insight.draft.look import Look
from lstm_cli.insight.draft.splits import HeldOut
from lstm_cli.insight.draft.targets import Candidate, text_of
from lstm_cli.insight.draft.text import Entry

#: Inputs that have a line each, with what could be set, at most.
_EACH = 10


def data_entries(
    files: Files,
    seen: Look,
    candidate: Candidate,
    inputs: Sequence[Input],
    held: Sequence[HeldOut],
    settings: Sequence[Entry],
) -> list[Entry]:
    """Return the keys of the section."""
    count = counted(len(seen.lengths), "sequence")
    amount = f"{count}, {seen.steps:,} steps in all" if seen.several else counted(seen.steps, "step")
    amount = count if max(seen.lengths) == 1 else amount
    entries = [Entry("train", files.train, amount), *(Entry(part.key, part.value, part.why) for part in held)]
    entries += [*_format(seen), *_table(seen), *_names(seen)]
    if seen.bad is not None:
        what = f"{counted(seen.bad_count, 'row')} cannot be read; the first: {seen.bad}"
        entries.append(Entry("on_error", "skip", what))
    if inputs:
        entries.append(_inputs(seen, candidate, inputs, held))
    return [*entries, *settings]


def _format(seen: Look) -> list[Entry]:
    """Return the format, where the name of the file does not say it."""
    if seen.form == "columns":
        return [Entry("format", "columns", "one token a line, an empty line after each sentence")]
    if seen.form != "text":
        return []
    lines = Entry("lines", True, "short lines: each is a sequence, whose end is a step, too")
    return [
        Entry("format", "text", "plain text"),
        Entry("unit", "char", "a step is a character; word: a step is a word"),
        *([lines] if seen.lines else []),
    ]


def _table(seen: Look) -> list[Entry]:
    """Return how tables are written, as far as that must be said."""
    table, entries = seen.table, []
    if table.row != "auto":
        entries.append(Entry("row", table.row, f"each {'row' if seen.form == 'csv' else 'entry'} is a {table.row}"))
    if table.decimal == ",":
        entries.append(Entry("decimal", ",", "the decimal mark"))
    if table.thousands is not None:
        entries.append(Entry("thousands", table.thousands, "what groups the digits"))
    if table.columns is not None:
        entries.append(Entry("columns", list(table.columns), "names, as the file has no header"))
    if table.encoding != "utf-8":
        entries.append(Entry("encoding", table.encoding, "the file is not UTF-8"))
    return [Entry("table", entries, "how the file is written")] if entries else []


def _names(seen: Look) -> list[Entry]:
    """Return what names sequences and orders their steps."""
    found, entries = seen.arrangement, []
    if found.ids and found.ids != ("id",):
        ids: Any = found.ids[0] if len(found.ids) == 1 else list(found.ids)
        entries.append(Entry("id", ids, "rows with the same value are one sequence"))
    elif not found.ids and len(seen.files) > 1:
        entries.append(Entry("id", FILE, "each file is a sequence of its own"))
    elif not found.ids and not found.rows and not seen.several and (column := seen.column("id")) is not None:
        entries.append(Entry("id", FILE, f"all rows are one series: column id has {_values(column, seen.steps)}"))
    if found.time is not None:
        entries.append(Entry("time", found.time, "dates, which order the steps" if found.dates else "orders the steps"))
    return entries


def _values(column: Column, rows: int) -> str:
    """Return how many values a column has in a number of rows, for a comment."""
    if column.idle:
        return "the same value in all"
    if column.distinct is None or column.distinct == rows:
        return "another value in each"
    return f"{counted(column.distinct, 'value')} in {counted(rows, 'row')}, too many to tell series apart"


def _inputs(seen: Look, candidate: Candidate, inputs: Sequence[Input], held: Sequence[HeldOut]) -> Entry:
    unread = _unread(seen, candidate, inputs, held)
    rest = f"; not read: {unread}" if unread else ""
    beside = candidate.task == "forecast" and candidate.column is not None and 1 < len(inputs) <= _EACH
    if all(not item.settings for item in inputs) and not beside:
        why = inputs[0].why if len(inputs) == 1 else "what the network reads at each step"
        return Entry("inputs", [item.name for item in inputs], why + rest)
    entries = [Entry(item.name, item.settings, item.why + _if_known(seen, candidate, item)) for item in inputs]
    return Entry("inputs", entries, "what the network reads" + (" at each step" if beside else "") + rest)


def _if_known(seen: Look, candidate: Candidate, item: Input) -> str:
    """Return how the later values of a column beside the forecast one become inputs, which the data cannot tell."""
    column = seen.column(item.name)
    other = candidate.task == "forecast" and candidate.column not in (None, item.name)
    if not other or item.settings or column is None or (column.kind, column.per) != ("number", "step"):
        return ""
    return "; {known: true} if its later values are known"


def _unread(seen: Look, candidate: Candidate, inputs: Sequence[Input], held: Sequence[HeldOut]) -> str:
    """Return the columns that have no role, with the reason where one is known."""
    if seen.form in ("conllu", "text"):
        return ""
    found = seen.arrangement
    used = {item.name for item in inputs} | {str(item.settings.get("of")) for item in inputs}
    used |= {"id", candidate.column or "", found.time or "", found.group or "", *(str(part.value) for part in held)}
    reasons = dict(found.skipped)
    shown = []
    for column in seen.columns:
        if column.name not in used:
            reason = reasons.get(column.name) or _why_unread(seen, column)
            shown.append(f"{column.name} ({reason})" if reason else column.name)
    return listed(shown, 4) if shown else ""


def _why_unread(seen: Look, column: Column) -> str:
    """Return why a column has no role, as far as that can be seen in it."""
    if column.idle:
        return "always the same"
    return "one text is read" if column.kind == "text" and text_of(seen) is not None else ""
