"""What the target is: its kind and whether it is per step or per sequence, given or inferred from its values.

Strings, booleans and whole numbers are categories, numbers with a decimal point are numbers. If most sequences have as
many values as steps, there is one target per step. Where every sequence has a single step, a list of one value is per
step and a plain value per sequence, which is the same prediction.
"""

from collections.abc import Sequence

from lstm_cli.config.columns import TargetSpec
from lstm_cli.config.config import Config
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema import values
from lstm_cli.data.schema.columns import chain_of, is_textual, label_type, require
from lstm_cli.data.schema.layout import Column, InputKind, Per, TargetColumn, TargetKind
from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.data.schema.summary import Summary

_NEXT_KINDS: dict[InputKind, TargetKind] = {"tokens": "category", "number": "number", "set": "set"}


def infer_target(
    config: Config, form: str, inputs: tuple[Column, ...], sequences: Sequence[RawSequence]
) -> TargetColumn:
    """Return the target of a data set whose inputs are known, or raise the `ConfigError` that says what does not fit."""
    spec = config.data.target
    if spec is None and form != "text":
        raise config.error("data.target", "missing: name the column to predict, or next for the next step")
    if spec is None or spec.column is None:
        return _next(config, spec, inputs)
    require(config, "data.target", spec.column, sequences)
    summary, textual = Summary(), is_textual(sequences)
    for sequence in sequences:
        steps = values.step_count(sequence.columns.get(inputs[0].source), config.data.unit)
        summary.add(sequence.columns.get(spec.column), steps, textual=sequence.textual)
    per = "step" if spec.horizon > 1 else _per(summary, spec, textual=textual)
    kind = _kind(summary, spec, per, textual=textual)
    if per == "sequence" and spec.ahead:
        raise config.error("data.target.ahead", "there is no later step to predict where the target is per sequence")
    whole = per == "sequence" and summary.depth == 1 and not textual  # the list is one target, not one per step
    return TargetColumn(
        column=spec.column,
        kind=kind,
        per=per,
        ahead=max(1, spec.ahead) if spec.horizon > 1 else spec.ahead,
        horizon=spec.horizon,
        width=summary.lengths.most_common(1)[0][0] if whole else summary.width,
        chain=chain_of(config, spec.column) if kind == "number" else Chain(),
        label_type=label_type(summary, textual=textual),
        skip_missing=config.data.missing.target == "skip",
    )


def _next(config: Config, spec: TargetSpec | None, inputs: tuple[Column, ...]) -> TargetColumn:
    """Return the target that is the next step of the inputs."""
    own = [column for column in inputs if column.predicted]
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
    ahead, horizon = (max(1, spec.ahead), spec.horizon) if spec is not None else (1, 1)
    if horizon > 1 and kind != "number":
        raise config.error("data.target.horizon", f"only for numbers, but {own[0].name} holds {own[0].kind}")
    width, skip = sum(column.width for column in own), config.data.missing.target == "skip"
    return TargetColumn(None, kind, "step", ahead, width, horizon=horizon, skip_missing=skip)


def _per(summary: Summary, spec: TargetSpec, *, textual: bool) -> Per:
    if spec.per != "auto":
        return spec.per
    if summary.depth == 1 and spec.kind == "set" and not textual:
        return "sequence"
    return "step" if summary.depth and 2 * summary.aligned > summary.count else "sequence"


def _kind(summary: Summary, spec: TargetSpec, per: Per, *, textual: bool) -> TargetKind:
    if spec.kind != "auto":
        return spec.kind
    return "number" if spec.horizon > 1 else _target_kind(summary, per, textual=textual)


def _target_kind(summary: Summary, per: Per, *, textual: bool) -> TargetKind:
    if summary.depth == 2:
        return "number" if summary.vectors else "set"
    number = summary.numeric and summary.cells["float"] > 0
    if summary.depth == 1 and per == "sequence" and not textual:
        return "number" if number else "set"
    return "number" if number else "category"
