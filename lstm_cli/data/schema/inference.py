"""From the config and the sequences to a layout: whatever the config leaves open is inferred from all sequences.

Inputs: numbers, or equally long lists of numbers, are numbers; strings are tokens; lists of strings, or of whole
numbers that differ in length, are sets. Where a column holds both numbers and strings, the more frequent type
decides, and values of the other are errors.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from lstm_cli.config.columns import InputSpec
from lstm_cli.config.config import Config
from lstm_cli.config.table import Fill
from lstm_cli.data.formats import READERS, Options
from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence, TableOptions, ValueProblem
from lstm_cli.data.schema.closed_loop_inference import infer_closed_loop
from lstm_cli.data.schema.columns import chain_of, is_textual, label_type, refuse_notations, require, set_separator
from lstm_cli.data.schema.layout import Column, InputKind, Layout, LossColumns, TargetColumn, common_target
from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.data.schema.summary import Summary
from lstm_cli.data.schema.target_inference import infer_parts, infer_target
from lstm_cli.data.schema.times import TimeForm, infer_form
from lstm_cli.data.schema.values import first
from lstm_cli.data.schema.vocabulary import Spelling
from lstm_cli.errors import counted, did_you_mean, nearest


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
    closed_loop, parts = None, tuple[TargetColumn, ...]()
    if config.rollout is not None and config.rollout.dynamics is not None:
        inputs, target, closed_loop = infer_closed_loop(config, config.rollout, form, sequences)
    else:
        inputs = _inputs(config, form, sequences)
        parts = infer_parts(config, inputs, sequences)
        target = common_target(parts) if parts else infer_target(config, form, inputs, sequences)
    time_form = _time_form(config, sequences)
    layout = Layout(
        format=form,
        inputs=(*inputs, *_calendar(config, time_form)),
        target=target,
        parts=parts,
        unit=config.data.unit,
        lines=options.lines,
        id=options.id,
        id_required=options.id_required,
        id_given=bool(sequences) and all(name in sequences[0].names for name in options.id),
        loss=_loss(config, target, sequences),
        closed_loop=closed_loop,
        table=_table(options, sequences),
        missing=options.missing,
        time=config.data.time,
        time_form=time_form,
        scale=config.data.scale if config.data.scale in ("series", "window") else "train",
        window=config.data.window if config.data.scale == "window" else None,
    )
    _check_transforms(config, layout)
    _check_forecasts(config, layout)
    if target.per == "sequence" and config.data.window is not None:
        what = f"windows need a target per step, and {target.name} is one per sequence"
        raise config.error("data.window", f"{what}: leave it out, or set data.max_length with data.on_long: split")
    return layout


def _table(options: Options, sequences: Sequence[RawSequence]) -> TableOptions:
    """Return how tables are written, with the decimal mark that the training data shows, if it is not the point."""
    marks = {sequence.table.decimal for sequence in sequences if sequence.table is not None} - {"auto"}
    return replace(options.table, decimal=",") if marks == {","} else options.table


def _inputs(config: Config, form: str, sequences: Sequence[RawSequence]) -> tuple[Column, ...]:
    specs = config.data.inputs or _own_input(config, form)
    for name in config.data.transform:
        if name not in specs and name not in (config.data.target.names if config.data.target else ()):
            raise config.error(f"data.transform.{name}", "this column is neither an input nor the target")
    for name in config.data.missing.fill if isinstance(config.data.missing.fill, dict) else ():
        if name not in specs:
            hint = did_you_mean(nearest(name, [*specs])) or f", expected one of {', '.join(specs)}"
            raise config.error(f"data.missing.fill.{name}", f"no such input{hint}")
    columns, sources = [], Counter(spec.of or name for name, spec in specs.items())
    for name, spec in specs.items():
        columns.append(_input(config, form, name, spec, sequences))
        if columns[-1].varies and _is_input_only(config, sources, columns[-1].source):
            for sequence in sequences:
                cells = sequence.columns.get(columns[-1].source)
                if isinstance(cells, Cells):
                    cells.keep_numbers()
    return tuple(columns)


def _is_input_only(config: Config, sources: Counter[str], column: str) -> bool:
    """Return whether a column of the file is one input and nothing else; `sources` counts the inputs of each."""
    data, loss = config.data, config.loss
    others = [*(() if data.target is None else data.target.names), data.time, data.split]
    others += [loss.start, loss.length, loss.weight, *(getattr(spec, "by", None) for spec in (data.valid, data.test))]
    return column not in others and sources[column] == 1


def _time_form(config: Config, sequences: Sequence[RawSequence]) -> TimeForm:
    """Return how the times of the steps are written."""
    name = config.data.time
    if name is None:
        return "number"
    require(config, "data.time", name, sequences)
    try:
        return infer_form(sequence.columns.get(name) for sequence in sequences)
    except ValueProblem as problem:
        raise config.error("data.time", f"{name}: {problem.what}: {problem.fix}") from None


def _calendar(config: Config, time_form: TimeForm) -> list[Column]:
    """Return the inputs that are computed from the time; a name with a dot is nobody else's."""
    time, parts = config.data.time, config.data.calendar
    if time is None or not parts:
        return []
    if time_form == "number" or (time_form == "clock" and set(parts) != {"hour"}):
        what = "numbers" if time_form == "number" else "times of day, which have an hour only"
        raise config.error("data.calendar", f"needs dates, but {time} holds {what}: leave it out")
    return [Column(f"{time}.{part}", time, "number", width=2, calendar=part) for part in parts]


def _own_input(config: Config, form: str) -> dict[str, InputSpec]:
    """Return the input of formats that name their columns themselves."""
    name = READERS[form].own_input
    if name is None:
        raise config.error("data.inputs", f"missing: name the columns of format {form} that feed the network")
    return {name: InputSpec.model_validate({})}


def _input(config: Config, form: str, name: str, spec: InputSpec, sequences: Sequence[RawSequence]) -> Column:
    source, key = spec.of or name, f"data.inputs.{name}"
    require(config, key, source, sequences)
    given = "tokens" if form == "text" and spec.kind == "auto" else spec.kind
    summary = Summary(MissingValues(config.data.missing.values))
    for sequence in sequences if form != "text" else ():
        value, bunch = sequence.columns.get(source), sequence.bunch
        if bunch is not None:
            summary.add_bunch(value, bunch, whole=source in bunch.whole, steps=False, textual=sequence.textual)
            continue
        summary.add(first(value, textual=sequence.textual) if spec.static else value, 0, textual=sequence.textual)
    kind = _input_kind(config, key, summary, static=spec.static) if given == "auto" else given
    if given == "auto" and kind == "tokens":
        refuse_notations(config, key, source, sequences, "tokens")
    fill = _fill(config, name, kind)
    if kind != "tokens" and spec.token_keys:
        raise config.error(key, f"{' and '.join(spec.token_keys)}: for tokens, but {source} holds a {kind} per step")
    return Column(
        name=name,
        source=source,
        kind=kind,
        width=_width(summary, static=spec.static),
        chain=chain_of(config, name) if kind == "number" else Chain(),
        spelling=Spelling(spec.lowercase, spec.last),
        min_count=spec.min_count,
        known=spec.known,
        label_type=label_type(summary, textual=is_textual(sequences)),
        unit=spec.unit,
        text=summary.depth == 0 if kind == "tokens" and form != "text" and not spec.static else None,
        separator=set_separator(source, sequences) if kind == "set" and is_textual(sequences) else " ",
        static=spec.static,
        columns=spec.columns,
        fill=fill,
        indicator=config.data.missing.indicator and fill != "stop",
    )


def _fill(config: Config, name: str, kind: InputKind) -> Fill:
    """Return how missing values of an input are filled: numbers only are."""
    given = config.data.missing.fill
    if kind == "number":
        return given if isinstance(given, str) else given.get(name, "stop")
    if isinstance(given, dict) and name in given:
        raise config.error(f"data.missing.fill.{name}", f"for numbers, but {name} holds {kind}: leave it out")
    return "stop"


def _width(summary: Summary, *, static: bool) -> int:
    """Return how many numbers a step has; a list of a static column is one vector, not one number per step."""
    return summary.lengths.most_common(1)[0][0] if static and summary.depth == 1 else summary.width


def _input_kind(config: Config, key: str, summary: Summary, *, static: bool) -> InputKind:
    """Return the kind of an input, inferred from its values."""
    if static:
        return _static_kind(config, key, summary)
    if summary.depth == 0 and summary.numeric:
        what = "single numbers, not sequences: an input is a list with one value per step"
        fix = "where each row is a step, set data.table.row: step; for one value per sequence set static: true"
        raise config.error(key, f"{what}; {fix}")
    if summary.depth is not None and summary.depth > 2:
        raise config.error(key, f"lists nested {summary.depth} deep: an input has at most a flat list per step")
    if summary.depth == 2:
        return "number" if summary.vectors else "set"
    return "number" if summary.numeric else "tokens"


def _static_kind(config: Config, key: str, summary: Summary) -> InputKind:
    """Return the kind of an input with one value per sequence."""
    if summary.depth is not None and summary.depth > 1:
        what = f"lists nested {summary.depth} deep: with static: true an input is one value per sequence"
        raise config.error(key, f"{what}, a number, a flat list or a string")
    if summary.depth == 1:
        return "number" if summary.numeric and len(summary.lengths) == 1 else "set"
    return "number" if summary.numeric else "tokens"


def _loss(config: Config, target: TargetColumn, sequences: Sequence[RawSequence]) -> LossColumns:
    loss = LossColumns(config.loss.start, config.loss.length, config.loss.weight)
    for key, name in (("start", loss.start), ("length", loss.length), ("weight", loss.weight)):
        if name is not None:
            require(config, f"loss.{key}", name, sequences)
            if key != "weight" and target.per == "sequence":
                raise config.error(f"loss.{key}", "a window needs a target per step; this one is per sequence")
    return loss


def _check_transforms(config: Config, layout: Layout) -> None:
    """Refuse transforms that could not be undone in outputs: a difference needs a past value that is known."""
    target = layout.target
    inputs = {column.name: column for column in layout.inputs}
    kinds = {part.name: part.kind for part in layout.parts or (target,)}
    for name in config.data.transform:
        if name in inputs and inputs[name].kind != "number":
            raise config.error(f"data.transform.{name}", f"for numbers only, and {name} holds {inputs[name].kind}")
        if name not in inputs and kinds[name] != "number":
            raise config.error(f"data.transform.{name}", f"for numbers only, and {name} is a {kinds[name]}")
    predicted = layout.next_columns if target.is_next else (target,)
    for column in predicted:
        lag = column.chain.shortest_lag
        if lag is not None and (column.name not in inputs or target.per == "sequence"):
            what = "a difference of the target can be undone only at each step, and if the target is an input too"
            raise config.error(f"data.transform.{column.name}", what)
        # From the next step on, values further ahead are sums of those predicted before them.
        needed = target.ahead if target.ahead == 1 else target.reach
        if lag is not None and lag < needed:
            what = f"a difference of {counted(lag, 'step')} cannot be undone {counted(needed, 'step')} ahead"
            fix = f"use seasonal_difference({needed}) or more"
            raise config.error(f"data.transform.{column.name}", f"{what}: {fix}")


def _check_forecasts(config: Config, layout: Layout) -> None:
    """Refuse scaling by window and known inputs for kinds of targets and inputs that they do not fit."""
    target = layout.target
    if layout.window is not None and (target.kind != "number" or target.per == "sequence"):
        what = f"only for a target of numbers per step, but {target.name} is a {target.kind} per {target.per}"
        raise config.error("data.scale", f"window: {what}: use series or standard")
    own = [column for column in layout.inputs if column.varies and not (column.known and layout.scale == "window")]
    if layout.scale != "train" and not own:
        known = " and is not known ahead" if layout.scale == "window" else ""
        what = f"{layout.scale}: there is no input of numbers that changes within a sequence{known}"
        raise config.error("data.scale", f"{what}, which it would scale: use standard")
    for column in layout.inputs:
        if not column.known or column.calendar is not None:
            continue
        key = f"data.inputs.{column.name}.known"
        if column.kind != "number":
            raise config.error(key, f"only for numbers, but {column.name} holds {column.kind}: leave it out")
        if target.reach == 0:
            raise config.error(key, f"{target.name} is not a later step, whose inputs could be known: leave it out")
