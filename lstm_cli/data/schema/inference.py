"""From the config and the sequences to a layout: whatever the config leaves open is inferred from all sequences.

Inputs: numbers, or equally long lists of numbers, are numbers; strings are tokens; lists of strings, or of whole
numbers that differ in length, are sets. Where a column holds both numbers and strings, the more frequent type
decides, and values of the other are errors.

Targets: strings, booleans and whole numbers are categories, numbers with a decimal point are numbers. If most
sequences have as many values as steps, there is one target per step. Where every sequence has a single step, a list of
one value is per step and a plain value per sequence, which is the same prediction.
"""

from collections import Counter
from collections.abc import Sequence

from lstm_cli.config.columns import InputSpec, TargetSpec
from lstm_cli.config.config import Config
from lstm_cli.config.rollout import RolloutSpec
from lstm_cli.data.formats import READERS, Options
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema import values
from lstm_cli.data.schema.layout import (
    ClosedLoopLayout,
    Column,
    InputKind,
    Layout,
    LossColumns,
    Per,
    TargetColumn,
    TargetKind,
)
from lstm_cli.data.schema.preprocessing import Chain, Transform
from lstm_cli.data.schema.summary import Summary
from lstm_cli.data.schema.vocabulary import Spelling
from lstm_cli.errors import did_you_mean, listed, nearest

_NEXT_KINDS: dict[InputKind, TargetKind] = {"tokens": "category", "number": "number", "set": "set"}


def infer(config: Config, form: str, options: Options, sequences: Sequence[RawSequence]) -> Layout:
    """Return the layout of a data set, or raise the `ConfigError` that says what does not fit.

    Parameters
    ----------
    config
        Its settings of the columns.
    form, options
        The format, and how the sequences were read.
    sequences
        All sequences of the training data.
    """
    closed_loop = None
    if config.rollout is not None and config.rollout.dynamics is not None:
        inputs, target, closed_loop = _closed_loop(config, config.rollout, form, sequences)
    else:
        inputs = _inputs(config, form, sequences)
        target = _target(config, form, inputs, sequences)
    layout = Layout(
        format=form,
        inputs=inputs,
        target=target,
        unit=config.data.unit,
        lines=options.lines,
        id=options.id,
        id_required=options.id_required,
        loss=_loss(config, target, sequences),
        closed_loop=closed_loop,
        table=options.table,
        missing=options.missing,
        time=config.data.time,
        scale=config.data.scale if config.data.scale in ("series", "window") else "train",
        window=config.data.window if config.data.scale == "window" else None,
    )
    _check_transforms(config, layout)
    if target.per == "sequence" and config.data.window is not None:
        what = f"windows need a target per step, and {target.name} is one per sequence"
        raise config.error("data.window", f"{what}: leave it out, or set data.max_length with data.on_long: split")
    return layout


def _closed_loop(
    config: Config, rollout: RolloutSpec, form: str, sequences: Sequence[RawSequence]
) -> tuple[tuple[Column, ...], TargetColumn, ClosedLoopLayout]:
    """Return the columns of a closed loop around a system: all numeric, with the width of most sequences."""
    name = config.data.target.column if config.data.target is not None else None
    if name is None or rollout.steps is None:
        raise ValueError("a config with a system has a target column and a number of steps")
    _check_closed_loop(config, form, name, sequences)
    inputs = tuple(Column(name, name, "number", _table_width(sequences, name)) for name in config.data.inputs)
    state, width = inputs[0], _table_width(sequences, name)
    elements = tuple(range(state.width)) if rollout.loss_on is None else rollout.loss_on
    if max(elements) >= state.width:
        what = f"there is no element {max(elements)} in a state of {state.width} numbers ({state.name})"
        raise config.error("rollout.loss_on", f"{what}: count from 0 to {state.width - 1}")
    if width != len(elements):
        what = f"{len(elements)} elements of the state are compared, but {name} has {width} numbers"
        raise config.error("rollout.loss_on", f"{what}: list as many elements, in the order of {name}")
    target = TargetColumn(name, "number", "step", width=width)
    return inputs, target, ClosedLoopLayout(rollout.steps, rollout.warmup, elements)


def _check_closed_loop(config: Config, form: str, target: str, sequences: Sequence[RawSequence]) -> None:
    """Refuse formats and columns that cannot describe a closed loop around a system."""
    nested = [name for name, reader in READERS.items() if reader.nested]
    if form not in nested:
        what = f"rollout.dynamics reads starts and goals from {', '.join(nested)}"
        raise config.error("data.train", f"{what}, not {form}: convert it")
    for name, spec in config.data.inputs.items():
        if spec.kind not in ("auto", "number") or spec.token_keys:
            keys = " and ".join(["kind", *spec.token_keys] if spec.kind not in ("auto", "number") else spec.token_keys)
            raise config.error(f"data.inputs.{name}", f"a closed loop has numeric inputs only: leave {keys} out")
        _require(config, f"data.inputs.{name}", name, sequences)
    _require(config, "data.target", target, sequences)


def _table_width(sequences: Sequence[RawSequence], name: str) -> int:
    """Return how many numbers a step has in most sequences."""
    widths: Counter[int] = Counter()
    for sequence in sequences:
        try:
            widths[values.table(sequence.columns.get(name)).shape[1]] += 1
        except ValueProblem:
            continue  # the sequence is refused or skipped when it is parsed
    return widths.most_common(1)[0][0] if widths else 1


def _inputs(config: Config, form: str, sequences: Sequence[RawSequence]) -> tuple[Column, ...]:
    specs = config.data.inputs or _own_input(config, form)
    for name in config.data.transform:
        if name not in specs and name != (config.data.target.column if config.data.target else None):
            raise config.error(f"data.transform.{name}", "this column is neither an input nor the target")
    return tuple(_input(config, form, name, spec, sequences) for name, spec in specs.items())


def _own_input(config: Config, form: str) -> dict[str, InputSpec]:
    """Return the input of formats that name their columns themselves."""
    name = READERS[form].own_input
    if name is None:
        raise config.error("data.inputs", f"missing: name the columns of format {form} that feed the network")
    return {name: InputSpec.model_validate({})}


def _input(config: Config, form: str, name: str, spec: InputSpec, sequences: Sequence[RawSequence]) -> Column:
    source, key = spec.of or name, f"data.inputs.{name}"
    _require(config, key, source, sequences)
    given = "tokens" if form == "text" and spec.kind == "auto" else spec.kind
    summary = Summary()
    if given != "tokens":
        for sequence in sequences:
            summary.add(sequence.columns.get(source), 0, textual=sequence.textual)
    kind = _input_kind(config, key, summary) if given == "auto" else given
    if kind != "tokens" and spec.token_keys:
        raise config.error(key, f"{' and '.join(spec.token_keys)}: for tokens, but {source} holds a {kind} per step")
    return Column(
        name=name,
        source=source,
        kind=kind,
        width=summary.width,
        chain=_chain(config, name) if kind == "number" else Chain(),
        spelling=Spelling(spec.lowercase, spec.last),
        min_count=spec.min_count,
        label_type=_label_type(summary, textual=_textual(sequences)),
    )


def _textual(sequences: Sequence[RawSequence]) -> bool:
    return bool(sequences) and sequences[0].textual


def _input_kind(config: Config, key: str, summary: Summary) -> InputKind:
    """Return the kind of an input, inferred from its values."""
    if summary.depth == 0 and summary.numeric:
        raise config.error(key, "single numbers, not sequences: an input is a list with one value per step")
    if summary.depth is not None and summary.depth > 2:
        raise config.error(key, f"lists nested {summary.depth} deep: an input has at most a flat list per step")
    if summary.depth == 2:
        return "number" if summary.vectors else "set"
    return "number" if summary.numeric else "tokens"


def _target(config: Config, form: str, inputs: tuple[Column, ...], sequences: Sequence[RawSequence]) -> TargetColumn:
    spec = config.data.target
    if spec is None and form != "text":
        raise config.error("data.target", "missing: name the column to predict, or next for the next step")
    if spec is None or spec.column is None:
        return _next(config, spec, inputs)
    _require(config, "data.target", spec.column, sequences)
    summary, textual = Summary(), _textual(sequences)
    for sequence in sequences:
        steps = values.step_count(sequence.columns.get(inputs[0].source), config.data.unit)
        summary.add(sequence.columns.get(spec.column), steps, textual=sequence.textual)
    per = _per(summary, spec, textual=textual)
    kind = spec.kind if spec.kind != "auto" else _target_kind(summary, per, textual=textual)
    if per == "sequence" and spec.ahead:
        raise config.error("data.target.ahead", "there is no later step to predict where the target is per sequence")
    whole = per == "sequence" and summary.depth == 1 and not textual  # the list is one target, not one per step
    return TargetColumn(
        column=spec.column,
        kind=kind,
        per=per,
        ahead=spec.ahead,
        width=summary.lengths.most_common(1)[0][0] if whole else summary.width,
        chain=_chain(config, spec.column) if kind == "number" else Chain(),
        label_type=_label_type(summary, textual=textual),
    )


def _next(config: Config, spec: TargetSpec | None, inputs: tuple[Column, ...]) -> TargetColumn:
    """Return the target that is the next step of the inputs."""
    own = [column for column in inputs if column.source == column.name]
    kinds = sorted({column.kind for column in own})
    if len(kinds) != 1 or (kinds[0] != "number" and len(own) > 1):
        what = ", ".join(f"{column.name}: {column.kind}" for column in own) or "only derived columns"
        fix = "the next step is one column of tokens, one of sets, or columns of numbers; or name a column"
        raise config.error("data.target", f"next does not work for these inputs ({what}): {fix}")
    kind = _NEXT_KINDS[kinds[0]]
    if spec is not None and spec.kind not in ("auto", kind):
        raise config.error("data.target.kind", f"got {spec.kind}, but the next step of {own[0].name} is a {kind}")
    if spec is not None and spec.per == "sequence":
        raise config.error("data.target.per", "next is predicted at every step: leave it out")
    ahead = max(1, spec.ahead) if spec is not None else 1
    return TargetColumn(None, kind, "step", ahead, sum(column.width for column in own))


def _per(summary: Summary, spec: TargetSpec, *, textual: bool) -> Per:
    if spec.per != "auto":
        return spec.per
    if summary.depth == 1 and spec.kind == "set" and not textual:
        return "sequence"
    return "step" if summary.depth and 2 * summary.aligned > summary.count else "sequence"


def _target_kind(summary: Summary, per: Per, *, textual: bool) -> TargetKind:
    if summary.depth == 2:
        return "number" if summary.vectors else "set"
    number = summary.numeric and summary.cells["float"] > 0
    if summary.depth == 1 and per == "sequence" and not textual:
        return "number" if number else "set"
    return "number" if number else "category"


def _label_type(summary: Summary, *, textual: bool) -> str:
    """Return the type of labels in the file, so that predictions show them with the same type."""
    found = {name for name, count in summary.cells.items() if count and name != "null"}
    return found.pop() if not textual and found in ({"int"}, {"bool"}) else "str"


def _loss(config: Config, target: TargetColumn, sequences: Sequence[RawSequence]) -> LossColumns:
    loss = LossColumns(config.loss.start, config.loss.length, config.loss.weight)
    for key, name in (("start", loss.start), ("length", loss.length), ("weight", loss.weight)):
        if name is not None:
            _require(config, f"loss.{key}", name, sequences)
            if key != "weight" and target.per == "sequence":
                raise config.error(f"loss.{key}", "a window needs a target per step; this one is per sequence")
    return loss


def _chain(config: Config, name: str) -> Chain:
    return Chain(tuple(Transform(step.name, step.lag) for step in config.data.transform.get(name, ())))


def _check_transforms(config: Config, layout: Layout) -> None:
    """Refuse transforms that could not be undone in outputs: a difference needs a past value that is known."""
    target = layout.target
    inputs = {column.name: column for column in layout.inputs}
    for name in config.data.transform:
        if name in inputs and inputs[name].kind != "number":
            raise config.error(f"data.transform.{name}", f"for numbers only, and {name} holds {inputs[name].kind}")
        if name not in inputs and target.kind != "number":
            raise config.error(f"data.transform.{name}", f"for numbers only, and {name} is a {target.kind}")
    predicted = layout.next_columns if target.is_next else (target,)
    for column in predicted:
        lag = column.chain.shortest_lag
        if lag is not None and (column.name not in inputs or target.per == "sequence"):
            what = "a difference of the target can be undone only at each step, and if the target is an input too"
            raise config.error(f"data.transform.{column.name}", what)
        if lag is not None and lag < target.ahead:
            what = f"a difference of {lag} steps cannot be undone {target.ahead} steps ahead"
            fix = f"use seasonal_difference({target.ahead}) or more"
            raise config.error(f"data.transform.{column.name}", f"{what}: {fix}")


def _require(config: Config, key: str, name: str, sequences: Sequence[RawSequence]) -> None:
    """Refuse a column that no sequence has."""
    if not sequences or any(name in sequence.columns for sequence in sequences):
        return
    names: list[str] = sorted(set().union(*(sequence.names for sequence in sequences)))
    hint = did_you_mean(nearest(name, names))
    raise config.error(key, f"the data has no column {name}, only {listed(names)}{hint}")
