"""Labels and their confusions as tables for a terminal."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lstm_cli.errors import counted
from lstm_cli.insight.evaluation import Evaluation
from lstm_cli.insight.tables import aligned, cut, end_of, padded, width_of, wrapped
from lstm_cli.scores.titles import UNSEEN

MOST_LABELS = 40  # rows of the table
_CONFUSED = 5  # pairs that are named
_NAME, _SHORT = 20, (10, 9, 8, 7, 6, 5, 4, 3)  # characters of a label: at the beginning of a line, and above a column
_BAR = " |"


def labels_table(evaluation: Evaluation, width: int) -> list[str]:
    """Return precision, recall, F1 and support of each label, and beside them the confusion matrix.

    Where not all columns of the matrix fit, it has those of the labels that are confused most.
    """
    if not evaluation.classes:
        return []
    names = _frequent(evaluation)
    lines = aligned(_figures(evaluation, names))
    taken = max(map(width_of, lines))
    columns, cells = _matrix(evaluation, names, width - taken - len(_BAR) - 1)
    if columns:
        right = aligned(cells, left=0, indent=" ", gap=" ")
        lines = [padded(line, taken) + _BAR + row for line, row in zip(lines, right, strict=True)]
    return lines + [
        line for text in _left_out(evaluation, names, columns) for line in wrapped(text, width, indent="  ")
    ]


def _frequent(evaluation: Evaluation) -> list[str]:
    """Return the labels of the table: all, or of many the most frequent ones."""
    if len(evaluation.classes) <= MOST_LABELS:
        return list(evaluation.classes)
    return sorted(evaluation.classes, key=lambda name: -evaluation.classes[name]["support"])[:MOST_LABELS]


def _figures(evaluation: Evaluation, names: Sequence[str]) -> list[list[str]]:
    """Return the figures of labels as cells; the last row counts those that training never saw."""
    rows = [["", "precision", "recall", "F1", "n"]]
    for name in names:
        one = evaluation.classes[name]
        figures = [f"{one[key]:.2f}" for key in ("precision", "recall", "f1")]
        rows.append([cut(name, _NAME), *figures, f"{one['support']:,}"])
    unknown = evaluation.confusion.get("unknown")
    return [*rows, [UNSEEN, "", "", "", f"{sum(unknown):,}"]] if unknown else rows


def _matrix(evaluation: Evaluation, names: Sequence[str], room: int) -> tuple[list[str], list[list[str]]]:
    """Return the labels whose columns of the confusion matrix fit into a width, and the cells below their names."""
    matrix = evaluation.confusion
    if not matrix:
        return [], []
    places = {name: k for k, name in enumerate(matrix["labels"])}
    rows = [matrix["counts"][places[name]] for name in names] + ([matrix["unknown"]] if "unknown" in matrix else [])
    cells = {name: [f"{row[places[name]]:,}" for row in rows] for name in names}
    by_confusions, shorten = _most_confused_first(evaluation, names), _shortening(names)
    found = [(short, _fitting(by_confusions, cells, shorten, short, room)) for short in _SHORT]
    distinct = [(short, kept) for short, kept in found if len({shorten(name, short) for name in kept}) == len(kept)]
    short, kept = max(distinct or found, key=lambda one: len(one[1]))
    columns = [name for name in names if name in kept] if len(kept) > 1 else []
    header = [shorten(name, short) for name in columns]
    return columns, [header, *(list(row) for row in zip(*(cells[name] for name in columns), strict=True))]


def _shortening(names: Sequence[str]) -> Callable[[str, int], str]:
    """Return what shortens labels to a width: to their beginnings or, where these are the same, to their ends."""
    if len({cut(name, max(_SHORT), end="") for name in names}) == len(names):
        return lambda name, short: cut(name, short, end="")
    return end_of


def _most_confused_first(evaluation: Evaluation, names: Sequence[str]) -> list[str]:
    involved: Counter[str] = Counter()
    for pair in evaluation.confused:
        for name in (pair["truth"], pair["predicted"]):
            involved[name] += pair["count"]
    return sorted(names, key=lambda name: -involved[name])


def _fitting(
    names: Sequence[str], cells: dict[str, list[str]], shorten: Callable[[str, int], str], short: int, room: int
) -> list[str]:
    """Return the first names whose columns fit into a width, shortened to `short` characters."""
    kept = []
    for name in names:
        room -= max(width_of(shorten(name, short)), *map(len, cells[name])) + 1
        if room < 0:
            break
        kept.append(name)
    return kept


def _left_out(evaluation: Evaluation, names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return what the table leaves out."""
    notes, total = [], counted(len(evaluation.classes), "label")
    if len(names) < len(evaluation.classes):
        notes.append(f"the {len(names)} most frequent of {total}; --json has all")
    if evaluation.confusion and not columns:
        notes.append(f"no room for the confusions of {total}; --json has all")
    elif 0 < len(columns) < len(evaluation.classes):
        notes.append(f"right: columns of the {len(columns)} labels confused most, of {total}; --json has all")
    return notes


def confused_lines(evaluation: Evaluation, width: int) -> list[str]:
    """Return the most frequent confusions; on a narrow terminal each has a line of its own, with more of its labels."""
    pairs = evaluation.confused[:_CONFUSED]
    if not pairs:
        return []
    roomy = (width - 38) // 2 >= _NAME
    most = _NAME if roomy else (width - 20) // 2
    names = {pair["truth"] for pair in pairs if pair["truth"] is not None} | {pair["predicted"] for pair in pairs}
    shorten = cut if len({cut(name, most) for name in names}) == len(names) else end_of
    texts = [_pair(pair, lambda name: shorten(name, most)) for pair in pairs]
    lines = ["Most often confused: " + texts.pop(0)] if roomy else ["Most often confused:"]
    for text in texts:
        if not roomy or width_of(lines[-1]) + 3 + width_of(text) > width:
            lines[-1] += ";" if roomy else ""
            lines.append("  " + text)
        else:
            lines[-1] += "; " + text
    return lines


def _pair(pair: dict[str, Any], shorten: Callable[[str], str]) -> str:
    truth = UNSEEN if pair["truth"] is None else shorten(pair["truth"])
    return f"{truth} taken for {shorten(pair['predicted'])}, {pair['count']:,}"
