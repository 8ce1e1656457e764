"""What `lstm check` finds, as text of at most 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from lstm_cli.config.train import PER_COLUMN
from lstm_cli.errors import brief, counted, duration, on_one_line
from lstm_cli.insight.training_columns import FirstSequence
from lstm_cli.scores.baseline import Baseline
from lstm_cli.scores.titles import SPLITS, short_title
from lstm_cli.training.findings import Findings, Split
from lstm_cli.training.sinks.wording import number

WIDTH = 80
COLUMNS, LABELS = 20, 8  # of them are shown
_METRICS = 3  # of a baseline
_NAME = 16  # width of names
_NOTICED = 0.001  # a share that is shown
_KEPT = "\x00"  # a blank where no line ends
_BLOCKS = "▁▂▃▄▅▆▇█"


class Check(Findings):
    """What `lstm check` finds; as text it is what the command prints."""

    def __str__(self) -> str:
        return text(self)


def text(found: Findings) -> str:
    """Return the whole text."""
    sections = [
        _first(found.first),
        _columns(found),
        _labels(found),
        _lengths(found.splits.items()),
        _notes(found.notes),
        _baselines(found.baselines),
        _model(found),
        _training(found),
    ]
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def _first(first: FirstSequence) -> Iterator[str]:
    steps = counted(first.steps, "step")
    if first.read not in (None, first.steps):
        steps += f", {first.read:,} of them read"
    times = f", {' to '.join(first.times)}" if first.times else ""
    yield from _wrapped(f"First sequence: {brief(first.id)}, {steps}{times} ({brief(first.where)})", "")
    for name, values in list(first.values.items())[:COLUMNS]:
        yield f"  {_cut(name, _NAME):<{_NAME}} {_values(values, WIDTH - _NAME - 3)}"
    yield from _more(len(first.values) - COLUMNS, "column")


def _values(values: Sequence[str], width: int) -> str:
    """Return as many values as fit into a line."""
    line = ""
    for place, value in enumerate(values):
        added = f"{' | ' if place else ''}{on_one_line(value)}"
        if len(line) + len(added) > width - 2:
            return f"{line or added[: width - 2]} …"
        line += added
    return line


def _columns(found: Findings) -> Iterator[str]:
    yield f"{'Columns of train':<33}{'min':>9} {'mean':>9} {'max':>9} {'missing':>7} {'distinct':>9}"
    for column in found.columns[:COLUMNS]:
        numbers = " ".join(f"{_short(value):>9}" for value in (column.low, column.mean, column.high))
        distinct = "" if column.distinct is None else f"{column.distinct:,}{'' if column.counted_all else '+'}"
        name, kind = _cut(column.name, _NAME), _cut(column.kind, 14)
        yield f"  {name:<{_NAME}} {kind:<14}{numbers} {column.missing:>7,} {distinct:>9}".rstrip()
    yield from _more(len(found.columns) - COLUMNS, "column")
    yield from _wrapped(f"target: {found.target}", "  ")


def _short(value: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}"
    return text if len(text) <= 9 else f"{value:.2g}"


def _labels(found: Findings) -> Iterator[str]:
    if not found.labels:
        return
    total = sum(found.labels.values())
    shown = [f"{_quoted(name)} {count:,} ({count / total:.1%})" for name, count in list(found.labels.items())[:LABELS]]
    more = len(found.labels) - LABELS
    shown = [label.replace(" ", _KEPT) for label in shown]  # a label stays with its count
    yield "Labels of train"
    yield from _wrapped(", ".join(shown) + (f" and {more:,} more" if more > 0 else ""), "  ")


def _quoted(label: str) -> str:
    """Return a label on one line, in quotation marks where it would be taken for something else."""
    plain = label and all(symbol.isalnum() or symbol in "_-." for symbol in label)
    return brief(label) if plain else f'"{brief(label)}"'


def _lengths(splits: Iterable[tuple[str, Split]]) -> Iterator[str]:
    yield "Sequences"
    for name, split in splits:
        most = max(split.histogram)
        bars = "".join(_BLOCKS[-(-7 * count // most)] if count else " " for count in split.histogram)
        line = f"  {name:<6} {split.summary}"
        fits = len(split.histogram) > 1 and len(line) + 3 + len(bars) <= WIDTH
        yield f"{line}  {bars}".rstrip() if fits else line


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield "Notes"
    for note in notes:
        yield from _wrapped(on_one_line(note), "  - ", "    ")


def _baselines(baselines: Sequence[Baseline]) -> Iterator[str]:
    if not baselines:
        return
    names = _shown_metrics(baselines)
    rows = [["Naive predictors", *map(_heading, names)]]
    for baseline in baselines:
        scores = [number(baseline.metrics[name]) if name in baseline.metrics else "" for name in names]
        rows.append([f"  {SPLITS[baseline.split]:<11}{baseline.title}", *scores])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][1:]
    first = WIDTH - sum(widths) - 2 * len(widths)
    for row in rows:
        cells = "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths, strict=True))
        yield f"{_cut(row[0], first):<{first}}{cells}"


def _heading(metric: str) -> str:
    """Return what to call a metric in a narrow column."""
    return _cut(short_title(metric), _NAME)


def _shown_metrics(baselines: Sequence[Baseline]) -> list[str]:
    """Return the metrics to show: of several columns, the first one's besides what they have in common."""
    names = [name for name in baselines[0].metrics if name != "unknown_labels"]
    plain = [name for name in names if "." not in name]
    return (plain + [name for name in names if name.partition(".")[0] in PER_COLUMN and name not in plain])[:_METRICS]


def _model(found: Findings) -> Iterator[str]:
    yield "Model"
    for part in found.model:
        lines = textwrap.wrap(part.description, WIDTH - _NAME - 15)
        yield f"  {_cut(part.name, _NAME):<{_NAME}} {lines[0]:<{WIDTH - _NAME - 15}}{part.parameters:>12,}"
        yield from (f"  {'':<{_NAME}} {line}" for line in lines[1:])
    yield f"  {'parameters':<{WIDTH - 14}}{found.parameters:>12,}"


def _training(found: Findings) -> Iterator[str]:
    yield "Training"
    batches = f"{found.batches:,} {'batch' if found.batches == 1 else 'batches'}"
    yield f"  {counted(found.updates, 'update')}: {counted(found.epochs, 'epoch')} of {batches}"
    otherwise = ""
    if found.padding_otherwise is not None and abs(found.padding_otherwise - found.padding) >= _NOTICED:
        setting = f"train.bucket: {str(not found.bucket).lower()}"
        otherwise = f"; with {setting} it would be {found.padding_otherwise:.1%}"
    yield f"  padding: {found.padding:.1%} of all steps{otherwise}"
    largest = found.largest
    size = f"{counted(largest.sequences, 'sequence')} of up to {counted(largest.steps, 'step')}"
    yield f"  largest batch: {size}, {largest.seconds * 1e3:,.1f} ms (first: {largest.first_seconds:.1f} s)"
    seconds = largest.seconds * found.updates
    taken = duration(seconds) if seconds >= 1 else "less than 1 s"
    yield f"  at its pace the updates take {taken}, without evaluations"
    yield f"  memory until then: {largest.megabytes:,.0f} MB"


def _more(count: int, noun: str) -> Iterator[str]:
    if count > 0:
        yield f"  and {counted(count, f'more {noun}')}"


def _cut(name: str, width: int) -> str:
    shown = on_one_line(name)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def _wrapped(line: str, first: str, later: str | None = None) -> list[str]:
    indent = first if later is None else later
    lines = textwrap.wrap(line, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace(_KEPT, " ") for line in lines] or [first]
