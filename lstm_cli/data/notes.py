"""Notes on the training data and the splits: one line each for what may surprise the user, with what to do."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.config.formats import LISTS, TABLES
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats import Options
from lstm_cli.data.formats.bunch import Joined
from lstm_cli.data.formats.raw import RawSequence, Split
from lstm_cli.data.schema.again import each
from lstm_cli.data.schema.blocks import blocks, limits
from lstm_cli.data.schema.encoded import ids_of
from lstm_cli.data.schema.layout import Layout, TargetColumn
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.errors import are, counted, listed

#: Names of columns, in lower case, that are ids as a rule; and their ends.
_IDS = ("subject", "patient", "user", "customer", "store", "shop", "device", "sensor", "station", "machine", "engine")
_ENDS = ("_id", "-id", ".id", " id", "_nr", "_no")
_NO_ID = ("row_id", "index_id")
_REPEATS = 0.2  # a share of sequences of tokens alone that may repeat by chance


def notes_on_files(split: Split, paths: Sequence[Path]) -> list[str]:
    """Return a note that names the files of a split if there are several."""
    named = listed([path.name for path in paths], 5)
    return [f"{split}: {len(paths)} files: {named}"] if len(paths) > 1 else []


def notes_on_ids(form: str, options: Options, sequences: Sequence[RawSequence]) -> list[str]:
    """Return a note if ids say that a table's rows are joined, or kept apart, otherwise than they should be."""
    if form in ("parquet", "arrow") and options.table.row == "auto" and _are_texts_with_shared_ids(options, sequences):
        what = "each row is a sequence, since its input is a text, but rows share ids"
        return [f"train: {what}; if rows are steps, set data.table.row: step"]
    rows = form in TABLES and len(sequences) == sequences[0].count == 1 and sequences[0].steps_at is not None
    if options.id_required or not rows:
        return []
    names = [name for name in sequences[0].names if name not in options.id and _is_id(name)]
    if not names:
        return []
    what = f"there is no column {options.id[0]}, so that all rows are one series, but {names[0]} looks like an id"
    return [f"train: {what}; if its values are series of their own, set data.id: {names[0]}"]


def notes_on_marks(config: Config, layout: Layout) -> list[str]:
    """Return a note if numbers are read with a decimal comma that nobody set."""
    if config.data.table.decimal != "auto" or layout.table.decimal != ",":
        return []
    what = 'numbers are read with a decimal comma, as the cells show it; otherwise set data.table.decimal: "."'
    return [f"train: {what}"]


def _are_texts_with_shared_ids(options: Options, sequences: Sequence[RawSequence]) -> bool:
    texts = all(isinstance(sequence.columns.get(options.input), str) for sequence in sequences)
    return texts and len({sequence.id for sequence in sequences}) < len(sequences)


def _is_id(name: str) -> bool:
    name = name.strip().lower()
    return name not in _NO_ID and (name == "id" or name in _IDS or name.endswith(_ENDS))


def repeated_ids(name: str, records: Sequence[Record]) -> list[str]:
    """Return a note on ids that several sequences share."""
    ids = ids_of(records)
    if isinstance(ids, Joined) and ids.counted:
        return []
    hashes = np.fromiter(map(hash, ids), np.int64, len(ids))  # a million of them take less than the ids
    if len(np.unique(hashes)) == len(ids):
        return []
    repeated = [f"{name!r} ({count} times)" for name, count in Counter(ids).items() if count > 1]
    return [f"{name}: ids shared by several sequences: {listed(repeated)}"] if repeated else []


def notes_on_target(config: Config, schema: Schema, records: Sequence[Record]) -> list[str]:
    """Return what was decided about the target, and what about it may surprise."""
    target = schema.layout.target
    if target.is_next or schema.layout.closed_loop is not None:
        return []
    if schema.parts:
        views = (notes_on_target(config, part, each(records, partial(_view, k))) for k, part in enumerate(schema.parts))
        return [note for notes in views for note in notes]
    notes = [
        *_decision(config, schema, records),
        *_on_constant(schema, records),
        *_on_input(config, schema),
        *_on_extent(config, target, schema, records),
    ]
    return [f"train: {note}" for note in notes]


def _view(part: int, record: Record) -> Record:
    return record.view(part)


def _decision(config: Config, schema: Schema, records: Sequence[Record]) -> Iterator[str]:
    """Say what numbers were taken for, where the config leaves it open."""
    target, spec = schema.layout.target, config.data.target
    if spec is None or (spec.columns[target.name] if spec.columns else spec).kind != "auto":
        return
    if target.hot:
        what = "a single 1 is a category" if target.kind == "category" else "zeros and ones is a set of labels"
        yield f"target: {target.name}: each vector with {what}, by position; for quantities set kind: number"
    elif target.kind == "number":
        low, high = limits(map(_numbers, records), target.width)
        extent = f", {low.min():,.6g} to {high.max():,.6g}" if np.isfinite(low).any() else ""
        whole = target.width == 1 and not any(np.nan_to_num(part % 1).any() for part in blocks(map(_numbers, records)))
        yield f"target: {target.name}: number per {target.per}{extent}{'; for labels set kind: category' * whole}"
    elif (
        schema.labels is not None
        and schema.layout.format != "ts"
        and target.label_type != "bool"
        and all(map(_is_whole, schema.labels.names))
    ):
        what = f"{target.kind}, {counted(len(schema.labels), 'label')} per {target.per}"
        yield f"target: {target.name}: {what}; for quantities set kind: number in data.target"


def _is_whole(label: str | int | bool) -> bool:
    return not isinstance(label, bool) and str(label).removeprefix("-").isdecimal()


def _on_constant(schema: Schema, records: Sequence[Record]) -> Iterator[str]:
    target = schema.layout.target
    if target.kind == "category" and schema.labels is not None and len(schema.labels) == 1:
        yield f"{target.name} is always {schema.labels.names[0]!r}: there is nothing to learn"
    if target.kind == "number":
        low, high = limits(_complete(records), target.width)
        if np.array_equal(low, high) and sum(map(len, _complete(records))) > 1:
            shown = f"{low[0]:g}" if target.width == 1 else "the same vector"
            yield f"{target.name} is always {shown}: there is nothing to learn"


def _numbers(record: Record) -> Numbers:
    """Return the targets of a record (T, D), which are numbers."""
    return cast(Numbers, record.target)


def _complete(records: Sequence[Record]) -> Iterator[Numbers]:
    """Yield the targets without missing numbers, in blocks (T, D)."""
    return (block[~np.isnan(block).any(axis=1)] for block in blocks(map(_numbers, records)))


def _on_input(config: Config, schema: Schema) -> Iterator[str]:
    """Note a target that stands among the inputs that the network reads for it."""
    target = schema.layout.target
    same = [column for column in schema.layout.inputs if column.source == target.column and not column.known]
    if not same or target.per != "step":
        return
    if target.ahead == 0:
        what = f"{target.name} is also an input of the same step, which can be copied"
        yield f"{what}; to predict a later one set ahead: 1 in data.target, else take it out of data.inputs"
    elif any(layer.bidirectional for layer in config.model.layers):
        what = f"{target.name} is also an input, whose later steps a bidirectional layer sees and can copy"
        yield f"{what}; set model.bidirectional: false"


def _on_extent(config: Config, target: TargetColumn, schema: Schema, records: Sequence[Record]) -> Iterator[str]:
    """Note targets per step that may be meant per sequence."""
    spec = config.data.target
    several = sum(record.count for record in records) > 1 and any((record.lengths > 1).any() for record in records)
    if target.per != "step" or not several or spec is None:
        return
    known = target.kind == "category" and all(record.known is None for record in records)
    each = chain.from_iterable(record.each() for record in records)
    if known and all(len(set(cast(list[str], record.target))) == 1 for record in each):
        what, fix = "the same at all steps of each sequence", "for one target per sequence, set per: sequence"
        yield f"{target.name} is {what}; {fix} in data.target"
    table = any(column.source == target.column for column in schema.layout.inputs)
    vectors = target.kind == "number" or (schema.labels is not None and all(map(_is_whole, schema.labels.names)))
    steps = {length for record in records for length in np.unique(record.lengths).tolist()}
    arrays = schema.layout.format in LISTS
    if spec.per == "auto" and vectors and len(steps) == 1 and target.width == 1 and arrays and not table:
        what = f"one value for each of the {steps.pop()} steps, as every sequence has as many of both"
        yield f"{target.name}: {what}; for one vector per sequence set per: sequence in data.target"


def notes_on_classes(schema: Schema, splits: Mapping[Split, Dataset]) -> list[str]:
    """Return a note for each split in which labels of the training data never occur."""
    if schema.parts:
        each = [dataset.parts for dataset in splits.values()]
        views = (dict(zip(splits, parts, strict=True)) for parts in zip(*each, strict=True))
        return [note for part, own in zip(schema.parts, views, strict=True) for note in notes_on_classes(part, own)]
    if schema.labels is None or schema.target.kind != "category" or len(schema.labels) < 2:
        return []
    notes = []
    for split, dataset in splits.items():
        target = cast(np.ndarray, dataset.target)
        if dataset.weight is not None:
            target = target[dataset.weight > 0]
        absent = [name for index, name in enumerate(schema.labels.names) if not (target == index).any()]
        if split != "train" and absent:
            verb, them = ("occurs", "it") if len(absent) == 1 else ("occur", "them")
            what = f"{counted(len(absent), 'label')} of {schema.layout.target.name} never {verb}: {listed(absent)}"
            notes.append(f"{split}: {what}; its scores say nothing about {them}: hold out more, or other sequences")
    return notes


def notes_on_unseen(splits: Mapping[Split, Dataset]) -> list[str]:
    """Return a note for each split that has no loss, since training saw none of its labels."""
    what = "training saw none of its labels, so that it has no loss: hold out other data, or train on more"
    return [f"{split}: {what}" for split, dataset in splits.items() if not dataset.has_known_labels]


def notes_on_repeats(splits: Mapping[Split, Dataset], files: Sequence[Split]) -> list[str]:
    """Return a note for each split from a file of its own whose sequences also stand in an earlier split.

    Parameters
    ----------
    splits
        Their data.
    files
        The splits that were read from files other than the training data.
    """
    notes, earlier = [], list[tuple[Split, NDArray[np.int64]]]()
    for split, dataset in splits.items() if files else ():
        own = _hashes(dataset)
        for other, seen in earlier:
            repeated = int(np.isin(own, seen).sum())
            by_chance = 0.0 if dataset.numbers is not None else _REPEATS
            if (split in files or other in files) and repeated > by_chance * len(dataset):
                what = f"{repeated:,} of {counted(len(dataset), 'sequence')} {are(repeated)} also in {other}"
                what += ", with the same target"
                notes.append(f"{split}: {what}: its scores are those of known data; take them out of one of the two")
        earlier.append((split, own))
    return notes


def _hashes(dataset: Dataset) -> NDArray[np.int64]:
    """Return a hash of the inputs and the target of each sequence (n,)."""
    per_sequence = dataset.schema.target.per == "sequence"
    parts = [_parts(array, dataset.offsets) for array in (dataset.numbers, *dataset.tokens.values())]
    parts.append(_parts(dataset.target, np.arange(len(dataset) + 1) if per_sequence else dataset.offsets))
    return np.fromiter(map(hash, zip(*parts, strict=False)), np.int64, len(dataset))


def _parts(array: np.ndarray | None, bounds: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield the bytes between bounds (n + 1,) of an array; for None nothing, as often as asked."""
    if array is None:
        return repeat(b"")
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return (bytes(content[start:stop]) for start, stop in pairwise(bounds * (len(content) // max(1, len(array)))))
