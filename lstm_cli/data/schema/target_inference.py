"""What the target is: its kind and whether it is per step or per sequence, given or inferred from its values.

Strings and booleans are categories. Numbers are quantities, unless few different whole ones recur (see `quantities`),
or the format says that they are labels; vectors of zeros and a single one are categories by position. If most sequences
have as many values as steps, there is one target per step. Where every sequence has a single step, a list of one value
is per step and a plain value per sequence, which is the same prediction.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from lstm_cli.config.columns import TargetSpec
from lstm_cli.config.config import Config
from lstm_cli.config.formats import OWN_TARGETS
from lstm_cli.data.formats.bunch import Bunch
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema import values
from lstm_cli.data.schema.again import like
from lstm_cli.data.schema.columns import chain_of, is_textual, label_type, refuse_notations, require, set_separator
from lstm_cli.data.schema.layout import NEXT_KINDS, Column, LossColumns, Per, TargetColumn, TargetKind
from lstm_cli.data.schema.preprocessing import Chain
from lstm_cli.data.schema.quantities import recurs, share_of_hot
from lstm_cli.data.schema.summary import Summary
from lstm_cli.data.schema.weights import counted_cells


def infer_target(
    config: Config, form: str, inputs: tuple[Column, ...], sequences: Sequence[RawSequence]
) -> TargetColumn:
    """Return the target of a data set with these inputs, or raise the `ConfigError` that says what does not fit."""
    spec = config.data.target or _own_target(config, form)
    if spec.column is None:
        return _next(config, spec, inputs)
    return _of_column(config, spec, spec.column, inputs, sequences)


def infer_parts(
    config: Config, inputs: tuple[Column, ...], sequences: Sequence[RawSequence]
) -> tuple[TargetColumn, ...]:
    """Return each of several target columns, all per step or all per sequence; none where there is one target."""
    spec, parts = config.data.target, list[TargetColumn]()
    if spec is None:
        return ()
    for name, part in spec.columns.items():
        own = TargetSpec(column=name, kind=part.kind, per=spec.per, ahead=spec.ahead)
        parts.append(_of_column(config, own, name, inputs, sequences))
    if len({part.per for part in parts}) > 1:
        shown = ", ".join(f"{part.name} per {part.per}" for part in parts)
        fix = "name columns that are all per step or all per sequence, or give per in data.target"
        raise config.error("data.target", f"{shown}: one network predicts either: {fix}")
    return tuple(parts)


def _of_column(
    config: Config, spec: TargetSpec, column: str, inputs: tuple[Column, ...], sequences: Sequence[RawSequence]
) -> TargetColumn:
    require(config, "data.target", column, sequences)
    found = _Found(config, spec, column, inputs, sequences)
    if found.per == "sequence" and spec.ahead:
        raise config.error("data.target.ahead", "there is no later step to predict where the target is per sequence")
    kind = spec.kind if spec.kind != "auto" else found.kind()
    hot = found.hot(kind)
    summary = found.summary
    whole = found.per == "sequence" and summary.depth == 1 and not found.textual  # one target, not one per step
    return TargetColumn(
        column=column,
        kind=kind,
        per=found.per,
        ahead=max(1, spec.ahead) if spec.horizon > 1 else spec.ahead,
        horizon=spec.horizon,
        width=summary.lengths.most_common(1)[0][0] if whole else summary.width,
        chain=chain_of(config, column) if kind == "number" else Chain(),
        label_type="str" if hot else label_type(summary, textual=found.textual),
        separator=set_separator(column, sequences) if kind == "set" and not hot else " ",
        hot=hot,
        skip_missing=config.data.missing.target == "skip",
    )


class _Counted(NamedTuple):
    """The values of a target that count, the steps of their sequence, whether they are cells of text, their bunch."""

    value: Any
    steps: int
    textual: bool
    bunch: Bunch | None


class _Found:
    """What the values of a target column say about it."""

    def __init__(
        self,
        config: Config,
        spec: TargetSpec,
        column: str,
        inputs: tuple[Column, ...],
        sequences: Sequence[RawSequence],
    ) -> None:
        self._config, self._spec, self._column, self._sequences = config, spec, column, sequences
        self.missing = MissingValues(config.data.missing.values)
        self._loss = LossColumns(config.loss.start, config.loss.length, config.loss.weight)
        self.textual = is_textual(sequences)
        self.summary = Summary(self.missing)
        steps_of = next((found for found in inputs if not found.static), inputs[0])
        self._counted = like(sequences, partial(self._targets, steps_of))
        for given in self._counted:
            if given.bunch is None:
                self.summary.add(given.value, given.steps, textual=given.textual)
            else:
                whole = column in given.bunch.whole
                self.summary.add_bunch(given.value, given.bunch, whole=whole, steps=True, textual=given.textual)
        self.per: Per = "step" if spec.horizon > 1 else _per(self.summary, spec, textual=self.textual)
        self._is_input = any(column in (found.name, found.source) and found.kind == "number" for found in inputs)

    def _targets(self, steps_of: Column) -> Iterator[_Counted]:
        """Yield the target of each sequence or bunch, whose steps are those of an input."""
        for sequence in self._sequences:
            if not {steps_of.source, self._column} <= sequence.columns.keys():
                continue  # refused later, or without a target
            if sequence.bunch is not None and steps_of.source not in sequence.bunch.whole:
                yield _Counted(sequence.columns[self._column], 0, sequence.textual, sequence.bunch)
                continue
            for one in sequence.each():
                steps = values.step_count(one.columns.get(steps_of.source), steps_of.unit or self._config.data.unit)
                yield from self._target(one, steps)

    def _target(self, sequence: RawSequence, steps: int) -> Iterator[_Counted]:
        """Yield the target of a sequence, without the cells at steps that do not count."""
        value, spec = sequence.columns.get(self._column), self._spec
        ahead = max(1, spec.ahead) if spec.horizon > 1 else spec.ahead
        counted = counted_cells(self._loss, self.missing, sequence, value, ahead, spec.horizon)
        if counted is not value:
            if not len(counted):
                return
            steps = len(counted) if values.step_count(value, self._config.data.unit) == steps else -1
        yield _Counted(counted, steps, sequence.textual, None)

    def kind(self) -> TargetKind:
        """Return the kind of the target, inferred from its values."""
        summary = self.summary
        if self._spec.horizon > 1:
            return "number"
        if any(self._column in sequence.labels for sequence in self._sequences):
            return "category"
        if not summary.numeric:
            return self._kind_of_text()
        if summary.cells["bool"] > summary.cells["int"] + summary.cells["float"] and not self._vectors:
            return "category"
        if self._vectors:
            return self._kind_of_vectors()
        if self._is_input or not recurs(self._values(), self.missing):
            return "number"
        return "category"

    def hot(self, kind: TargetKind) -> bool:
        """Return whether labels are the positions of ones; refuse vectors that cannot be read as categories."""
        if not self._vectors or kind == "number" or not self.summary.numeric:
            return False
        if share_of_hot(self._values(), many=kind == "set") > 0.5:
            return True
        if kind == "category":
            what = f"{self._column} holds vectors, not labels or one-hot vectors"
            raise self._config.error("data.target.kind", f"{what}: write the label, the argmax, or set kind: number")
        return False

    @property
    def _vectors(self) -> bool:
        """Whether there are several numbers for each target."""
        if self.summary.depth == 2:
            return self.summary.widths.keys() != {1}
        return self._is_whole and self.summary.lengths.keys() != {1}

    @property
    def _is_whole(self) -> bool:
        """Whether a list is one target, not one per step."""
        return self.per == "sequence" and self.summary.depth == 1 and not self.textual

    def _kind_of_text(self) -> TargetKind:
        if self.summary.depth == 2 or self._is_whole:
            return "set"
        refuse_notations(self._config, "data.target", self._column, self._sequences, "category")
        return "category"

    def _kind_of_vectors(self) -> TargetKind:
        """Return the kind of several numbers for each target: vectors, or sets of whole numbers."""
        if share_of_hot(self._values(), many=False) == 1:
            return "category"
        if self.summary.depth == 2:
            return "number" if self.summary.vectors else "set"
        if share_of_hot(self._values(), many=True) == 1:
            return "set"
        fixed = len(self.summary.lengths) == 1 and not recurs(self._values(), self.missing)
        return "number" if fixed or self.summary.cells["float"] > 0 else "set"

    def _values(self) -> Iterator[Any]:
        """Yield the target of every sequence; one for all its rows where it is per sequence.

        Of a bunch, those of its sequences are together unless each is a vector, or several.
        """
        for value, _, textual, bunch in self._counted:
            if bunch is not None and self._vectors:
                yield from bunch.cut(value, whole=self._column in bunch.whole)
            elif bunch is not None:
                repeated = self.per == "sequence" and textual and self._column not in bunch.whole
                yield values.taken(value, bunch.starts) if repeated else value
            elif value is not None:
                yield values.first(value, textual=textual) if self.per == "sequence" else value


def _own_target(config: Config, form: str) -> TargetSpec:
    """Return the target of formats that say what it is."""
    name = OWN_TARGETS.get(form)
    if name is None:
        raise config.error("data.target", "missing: name the column to predict, or next for the next step")
    return TargetSpec.model_validate(TargetSpec.long_form(name))


def _next(config: Config, spec: TargetSpec, inputs: tuple[Column, ...]) -> TargetColumn:
    """Return the target that is the next step of the inputs."""
    own = [column for column in inputs if column.predicted]
    kinds = sorted({column.kind for column in own})
    if len(kinds) != 1 or (kinds[0] != "number" and len(own) > 1):
        what = ", ".join(f"{column.name}: {column.kind}" for column in own) or "only derived columns"
        fix = "the next step is one column of tokens, one of sets, or columns of numbers; or name a column"
        raise config.error("data.target", f"next does not work for these inputs ({what}): {fix}")
    kind = NEXT_KINDS[kinds[0]]
    if spec.kind not in ("auto", kind):
        raise config.error("data.target.kind", f"got {spec.kind}, but the next step of {own[0].name} is a {kind}")
    if spec.per == "sequence":
        raise config.error("data.target.per", "next is predicted at every step: leave it out")
    ahead, horizon = max(1, spec.ahead), spec.horizon
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
