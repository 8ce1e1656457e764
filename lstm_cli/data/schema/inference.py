"""From the config and the rows to a layout: what the config leaves open is read off all rows.

Inputs: numbers, or equally long lists of numbers, are numbers; strings are tokens; lists of strings, or of whole
numbers that differ in length, are sets. Where a column holds numbers and strings, the more frequent of them decides,
and the others are errors.

Targets: strings, booleans and whole numbers are categories, numbers with a decimal point are numbers. As many values
as steps, in most rows, means one per step. Where every sequence has a single step, a list of one is per step and a
plain value per sequence, which is the same prediction.
"""

from collections.abc import Sequence
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.data.batching.closed_loops import infer_loop
from lstm_cli.data.formats import OWN_INPUT
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema.columns import Column, LossColumns, TargetColumn
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.summary import Summary
from lstm_cli.data.schema.transforms import Chain, Transform
from lstm_cli.data.schema.values import step_count
from lstm_cli.data.schema.vocabulary import Spelling
from lstm_cli.errors import did_you_mean, listed, nearest

LOOP_FORMATS = ("jsonl", "parquet", "arrow")  # those whose rows hold the start of a loop, and its goal


def infer(config: Config, form: str, rows: Sequence[RawSequence]) -> Layout:
    """Return the layout of a data set in format `form`, or raise the `ConfigError` that says what does not fit."""
    data, loop = config.data, None
    if config.rollout is not None and config.rollout.dynamics is not None:
        _check_loop(config, form, rows)
        inputs, answer, loop = infer_loop(config, rows)
    else:
        inputs = _inputs(config, form, rows)
        answer = _answer(config, form, inputs, rows)
    layout = Layout(
        format=form,
        inputs=inputs,
        answer=answer,
        unit=data.unit,
        lines=data.lines,
        id=data.id,
        id_required=data.id != "id",
        loss=_loss(config, answer, rows),
        loop=loop,
    )
    _check_transforms(config, layout)
    if answer.per == "sequence" and data.window is not None:
        what = f"windows need a target per step, and {answer.column} is one per sequence"
        raise config.error("data.window", f"{what}: leave it out, or set data.max_length with data.on_long: split")
    return layout


def _check_loop(config: Config, form: str, rows: Sequence[RawSequence]) -> None:
    """Refuse what a loop around a system cannot be read from."""
    if form not in LOOP_FORMATS:
        what = f"rollout.dynamics reads starts and goals from {', '.join(LOOP_FORMATS)}"
        raise config.error("data.train", f"{what}, not {form}: convert it")
    for name, spec in config.data.inputs.items():
        if spec.kind not in ("auto", "number") or spec.spells:
            keys = " and ".join(["kind", *spec.spells] if spec.kind not in ("auto", "number") else spec.spells)
            raise config.error(f"data.inputs.{name}", f"a closed loop is of numbers: leave {keys} out")
        _require(config, f"data.inputs.{name}", name, rows)
    _require(config, "data.target", config.data.target.column, rows)


def _inputs(config: Config, form: str, rows: Sequence[RawSequence]) -> tuple[Column, ...]:
    specs = dict(config.data.inputs) or _own_input(config, form)
    for name in config.data.transform:
        if name not in specs and name != (config.data.target.column if config.data.target else None):
            raise config.error(f"data.transform.{name}", "this column is neither an input nor the target")
    return tuple(_input(config, form, name, spec, rows) for name, spec in specs.items())


def _own_input(config: Config, form: str) -> dict[str, Any]:
    """Return the input of formats that name their columns themselves."""
    if form not in OWN_INPUT:
        raise config.error("data.inputs", f"missing: name the columns of format {form} that feed the network")
    from lstm_cli.config.data import InputSpec

    return {OWN_INPUT[form]: InputSpec()}


def _input(config: Config, form: str, name: str, spec: Any, rows: Sequence[RawSequence]) -> Column:
    source, key = spec.of or name, f"data.inputs.{name}"
    _require(config, key, source, rows)
    kind = "tokens" if form == "text" and spec.kind == "auto" else spec.kind
    summary = Summary()
    if kind != "tokens":
        for row in rows:
            summary.add(row.columns.get(source), 0, textual=row.textual)
        kind = _kind_of(config, key, summary) if kind == "auto" else kind
    if kind != "tokens" and spec.spells:
        raise config.error(key, f"{' and '.join(spec.spells)}: for tokens, but {source} holds a {kind} per step")
    return Column(
        name=name,
        source=source,
        kind=kind,
        width=summary.width,
        chain=_chain(config, name) if kind == "number" else Chain(),
        spelling=Spelling(spec.lowercase, spec.last),
        min_count=spec.min_count,
        label_type=_label_type(summary, bool(rows) and rows[0].textual),
    )


def _kind_of(config: Config, key: str, summary: Summary) -> str:
    """Return the kind of an input by what its values look like."""
    if summary.depth == 0 and summary.numeric:
        raise config.error(key, "single numbers, not sequences: an input is a list with one value per step")
    if summary.depth is not None and summary.depth > 2:
        raise config.error(key, f"lists nested {summary.depth} deep: an input has at most a flat list per step")
    if summary.depth == 2:
        return "number" if _are_vectors(summary) else "set"
    return "number" if summary.numeric else "tokens"


def _are_vectors(summary: Summary) -> bool:
    """Whether lists in lists are numbers of a fixed dimension, and not sets."""
    return summary.numeric and (summary.cells["float"] > 0 or (len(summary.widths) == 1 and -1 not in summary.widths))


def _answer(config: Config, form: str, inputs: tuple[Column, ...], rows: Sequence[RawSequence]) -> TargetColumn:
    spec = config.data.target
    if spec is None and form != "text":
        raise config.error("data.target", "missing: name the column to predict, or next for the next step")
    if spec is None or spec.next:
        return _next(config, spec, inputs)
    _require(config, "data.target", spec.column, rows)
    summary = Summary()
    for row in rows:
        steps = step_count(row.columns.get(inputs[0].source), config.data.unit)
        summary.add(row.columns.get(spec.column), steps, textual=row.textual)
    textual = bool(rows) and rows[0].textual
    per = _per(summary, textual, spec)
    kind = spec.kind if spec.kind != "auto" else _answer_kind(summary, textual, per)
    if per == "sequence" and spec.ahead:
        raise config.error("data.target.ahead", "there is no later step to predict where the target is per sequence")
    return TargetColumn(
        column=spec.column,
        kind=kind,
        per=per,
        ahead=spec.ahead,
        width=_width(summary, textual, per),
        chain=_chain(config, spec.column) if kind == "number" else Chain(),
        label_type=_label_type(summary, textual),
    )


def _next(config: Config, spec: Any, inputs: tuple[Column, ...]) -> TargetColumn:
    """Return the answer that is the next step of the inputs."""
    own = [column for column in inputs if column.source == column.name]
    kinds = sorted({column.kind for column in own})
    if len(kinds) != 1 or (kinds[0] != "number" and len(own) > 1):
        what = ", ".join(f"{column.name}: {column.kind}" for column in own) or "only derived columns"
        fix = "the next step is one column of tokens, one of sets, or columns of numbers; or name a column"
        raise config.error("data.target", f"next does not work for these inputs ({what}): {fix}")
    kind: Any = {"tokens": "category", "number": "number", "set": "set"}[kinds[0]]
    if spec is not None and spec.kind not in ("auto", kind):
        raise config.error("data.target.kind", f"got {spec.kind}, but the next step of {own[0].name} is a {kind}")
    if spec is not None and spec.per == "sequence":
        raise config.error("data.target.per", "next is predicted at every step: leave it out")
    ahead = max(1, spec.ahead) if spec is not None else 1
    return TargetColumn(None, kind, "step", ahead, sum(column.width for column in own))


def _per(summary: Summary, textual: bool, spec: Any) -> Any:
    if spec.per != "auto":
        return spec.per
    if summary.depth == 1 and spec.kind == "set" and not textual:
        return "sequence"
    return "step" if summary.depth and 2 * summary.aligned > summary.rows else "sequence"


def _answer_kind(summary: Summary, textual: bool, per: str) -> Any:
    if summary.depth == 2:
        return "number" if _are_vectors(summary) else "set"
    number = summary.numeric and summary.cells["float"] > 0
    if summary.depth == 1 and per == "sequence" and not textual:
        return "number" if number else "set"
    return "number" if number else "category"


def _width(summary: Summary, textual: bool, per: str) -> int:
    """Return how many numbers an answer has."""
    if per == "sequence" and summary.depth == 1 and not textual:
        return summary.lengths.most_common(1)[0][0]
    return summary.width


def _label_type(summary: Summary, textual: bool) -> str:
    """Return what labels are in the file, so that they are given out as the same."""
    found = {name for name, count in summary.cells.items() if count and name != "null"}
    return found.pop() if not textual and found in ({"int"}, {"bool"}) else "str"


def _loss(config: Config, answer: TargetColumn, rows: Sequence[RawSequence]) -> LossColumns:
    loss = LossColumns(config.loss.start, config.loss.length, config.loss.weight)
    for key, name in (("start", loss.start), ("length", loss.length), ("weight", loss.weight)):
        if name is not None:
            _require(config, f"loss.{key}", name, rows)
            if key != "weight" and answer.per == "sequence":
                raise config.error(f"loss.{key}", "a window needs a target per step; this one is per sequence")
    return loss


def _chain(config: Config, name: str) -> Chain:
    return Chain(tuple(Transform(step.name, step.lag) for step in config.data.transform.get(name, ())))


def _check_transforms(config: Config, layout: Layout) -> None:
    """Refuse transforms that could not be undone in outputs: a difference needs a past value that is known."""
    answer = layout.answer
    inputs = {column.name: column for column in layout.inputs}
    for name in config.data.transform:
        if name in inputs and inputs[name].kind != "number":
            raise config.error(f"data.transform.{name}", f"for numbers only, and {name} holds {inputs[name].kind}")
        if name not in inputs and answer.kind != "number":
            raise config.error(f"data.transform.{name}", f"for numbers only, and {name} is a {answer.kind}")
    predicted = layout.next_columns if answer.is_next else (answer,)
    for column in predicted:
        name = answer.column or getattr(column, "name", None)
        lag = column.chain.shortest_lag
        if lag is not None and (name not in inputs or answer.per == "sequence"):
            what = "a difference of the target can be undone only at each step, and if the target is an input too"
            raise config.error(f"data.transform.{name}", what)
        if lag is not None and lag < answer.ahead:
            what = f"a difference of {lag} steps cannot be undone {answer.ahead} steps ahead"
            raise config.error(f"data.transform.{name}", f"{what}: use seasonal_difference({answer.ahead}) or more")


def _require(config: Config, key: str, name: str, rows: Sequence[RawSequence]) -> None:
    """Refuse a column that no row has."""
    if not rows or any(name in row.columns for row in rows):
        return
    names = sorted(set().union(*(row.names for row in rows)))
    hint = did_you_mean(nearest(name, names))
    raise config.error(key, f"the data has no column {name}, only {listed(names)}{hint}")
