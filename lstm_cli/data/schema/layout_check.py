"""Whether a layout that was read from a file is one that training can have written: ranges, and what fits together.

Types are checked before, by the fields of the layout themselves. A problem is a key of the layout and what is wrong.
"""

import codecs
from collections.abc import Iterator
from dataclasses import asdict

from lstm_cli.config.fields import LARGEST
from lstm_cli.config.table import TableSpec
from lstm_cli.data.formats import READERS
from lstm_cli.data.schema.layout import NEXT_KINDS, Column, Layout, TargetColumn, common_target
from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.typed_json import WrongValue, shown

#: The most numbers that a step predicts: those of all steps of a horizon.
MOST_OUTPUTS = 10_000_000
_LONGEST_LAG = 10**9

Problem = tuple[str, str]


def check_layout(layout: Layout) -> None:
    """Raise the `WrongValue` that names the key of the first problem of a layout."""
    for key, problem in _problems(layout):
        raise WrongValue(problem, key)


def _problems(layout: Layout) -> Iterator[Problem]:
    if not layout.inputs:
        yield "inputs", "no input"
        return
    names = {column.name for column in layout.inputs}
    if len(names) < len(layout.inputs):
        yield "inputs", "two inputs have the same name"
    for number, column in enumerate(layout.inputs):
        for key, problem in _of_column(column, layout):
            yield f"inputs.{number}.{key}", problem
    for key, problem in _of_target(layout):
        yield f"target.{key}", problem
    yield from _of_parts(layout)
    yield from _of_files(layout)
    yield from _of_scale(layout)
    yield from _of_closed_loop(layout)


def _of_column(column: Column, layout: Layout) -> Iterator[Problem]:
    yield from _names(name=column.name, source=column.source)
    yield from _counts(min_count=column.min_count)
    if column.spelling.last is not None:
        yield from _counts(last=column.spelling.last)
    if not all(column.columns):
        yield "columns", "a column without a name"
    if column.kind != "number":
        if column.chain.transforms or column.fill != "stop" or column.calendar is not None:
            yield "kind", f"transforms, a fill or a calendar, which {column.kind} do not have"
        if column.known:
            yield "known", "only numbers are known ahead"
        return
    yield from _counts(width=column.width)
    yield from _of_chain(column.chain)
    if column.indicator and column.fill == "stop":
        yield "indicator", "nothing is filled"
    if column.calendar is not None:
        times = column.source == layout.time and layout.time_form != "number"
        if not times or column.width != 2 or column.chain.transforms or column.fill != "stop":
            yield "calendar", "not what is made of the column of the times"
    elif column.known and layout.target.reach == 0:
        yield "known", "no later step is predicted"


def _of_chain(chain: Chain) -> Iterator[Problem]:
    for number, transform in enumerate(chain.transforms):
        fits = {
            "log": transform.lag == 0,
            "difference": transform.lag == 1,
            "seasonal_difference": 1 <= transform.lag < _LONGEST_LAG,
        }.get(transform.name)
        if not fits:
            what = "no such transform" if fits is None else f"a lag of {shown(transform.lag)} steps"
            yield f"chain.transforms.{number}", what


def _of_target(layout: Layout) -> Iterator[Problem]:
    target = layout.target
    yield from _counts(horizon=target.horizon, **({"width": target.width} if target.kind == "number" else {}))
    if not 0 <= target.ahead <= LARGEST:
        yield "ahead", f"got {shown(target.ahead)}"
    if target.width * target.horizon > MOST_OUTPUTS:
        yield "horizon", f"more than {MOST_OUTPUTS:,} numbers at once"
    if target.column == "":
        yield "column", "a column without a name"
    later = target.is_next or target.horizon > 1
    if later and (target.per != "step" or target.ahead == 0):
        yield "ahead", "the next steps are predicted at every step, at least 1 ahead"
    if target.per == "sequence" and target.ahead:
        yield "ahead", "there is no later step where the target is per sequence"
    if target.kind != "number" and (target.horizon > 1 or target.chain.transforms):
        yield "kind", f"a horizon or transforms, which a {target.kind} does not have"
    if target.hot and target.kind in ("number", "several"):
        yield "hot", "numbers have no labels"
    yield from _of_chain(target.chain)
    yield from _of_next(layout) if target.is_next else ()
    yield from _of_differences(layout)


def _of_parts(layout: Layout) -> Iterator[Problem]:
    """Find what several target columns, and what they have in common, cannot be."""
    several, names = layout.target.kind == "several", [part.name for part in layout.parts]
    if several != (len(names) > 1) or len(set(names)) < len(names):
        yield "parts", "not the columns of the target"
        return
    if several and layout.target != common_target(layout.parts):
        yield "target", "not what its columns have in common"
    if several and (layout.closed_loop is not None or layout.scale == "window"):
        yield "parts", "a closed loop, and windows that are scaled, have one target"
    for number, view in enumerate(layout.views):
        part = view.target
        if part.is_next or part.kind == "several" or part.horizon > 1 or part.chain.lag:
            yield f"parts.{number}", "not one of several columns"
            return
        for key, problem in _of_target(view):
            yield f"parts.{number}.{key}", problem


def _of_next(layout: Layout) -> Iterator[Problem]:
    own, target = layout.next_columns, layout.target
    kinds = {NEXT_KINDS[column.kind] for column in own}
    if kinds != {target.kind} or (target.kind != "number" and len(own) > 1):
        yield "kind", f"{target.kind}, which is not the next step of these inputs"
    elif target.kind == "number" and target.width != sum(column.width for column in own):
        yield "width", f"{target.width}, but the inputs have {sum(column.width for column in own)} numbers"
    if target.chain.transforms:
        yield "chain", "the transforms are those of the inputs"


def _of_differences(layout: Layout) -> Iterator[Problem]:
    """Find differences that cannot be undone: the past value that it takes must be known."""
    target = layout.target
    inputs = {column.name: column for column in layout.inputs}
    own: tuple[Column | TargetColumn, ...] = layout.next_columns if target.is_next else (target,)
    needed = target.ahead if target.ahead == 1 else target.reach
    for column in own:
        lag, same = column.chain.shortest_lag, inputs.get(column.name)
        if same is not None and same.kind == "number" == target.kind and same.chain != column.chain:
            yield "chain", "not the transforms of the input of this name"
        if lag is not None and (same is None or target.per == "sequence" or lag < needed):
            yield "chain", "a difference that cannot be undone"


def _of_files(layout: Layout) -> Iterator[Problem]:
    if layout.format not in READERS:
        yield "format", f"no such format: {shown(layout.format)}"
    if layout.format == "text" and layout.inputs[0].kind != "tokens":
        yield "inputs.0.kind", "a text consists of tokens"
    if not layout.id or not all(layout.id):
        yield "id", "a column without a name"
    if layout.time == "" or "" in layout.loss.names:
        yield "time" if layout.time == "" else "loss", "a column without a name"
    try:
        codecs.lookup(layout.table.encoding)
        given = asdict(layout.table)
        TableSpec.model_validate({**given, "columns": given["columns"] and list(given["columns"])})
    except (LookupError, ValueError):
        yield "table", "not how tables are written"


def _of_scale(layout: Layout) -> Iterator[Problem]:
    if (layout.scale == "window") != (layout.window is not None):
        yield "window", f"got {shown(layout.window)} where numbers are scaled by {layout.scale}"
    if layout.window is not None:
        yield from _counts(window=layout.window)
        if layout.target.kind != "number" or layout.target.per == "sequence":
            yield "scale", "windows scale numbers per step"
    if layout.scale != "train" and not any(c.varies and not (c.known and layout.window) for c in layout.inputs):
        yield "scale", f"there is no input that a {layout.scale} could scale"


def _of_closed_loop(layout: Layout) -> Iterator[Problem]:
    closed_loop, target, state = layout.closed_loop, layout.target, layout.inputs[0]
    if closed_loop is None:
        return
    yield from _counts(**{"loop.steps": closed_loop.steps})
    if closed_loop.warmup is not None:
        yield from _counts(**{"loop.warmup": closed_loop.warmup})
    elements = closed_loop.elements
    inside = all(0 <= element < state.width for element in elements)
    if not inside or len(set(elements)) < len(elements) or len(elements) != target.width:
        yield "loop.elements", f"not {target.width} different elements of a state of {state.width} numbers"
    plain = all(column.kind == "number" and not column.chain.transforms for column in layout.inputs)
    if not plain or target.is_next or (target.kind, target.per, target.reach) != ("number", "step", 0):
        yield "loop", "a closed loop has numbers only"


def _names(**given: str) -> Iterator[Problem]:
    yield from ((key, "a column without a name") for key, name in given.items() if not name)


def _counts(**given: int) -> Iterator[Problem]:
    for key, count in given.items():
        if not 1 <= count <= LARGEST:
            yield key, f"expected a whole number of 1 or more, got {shown(count)}"
