"""Loads data: reads the files, infers kinds, makes the splits, fits on train and encodes."""

from collections.abc import Callable, Generator, Iterable, Iterator, MutableSequence, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import fits_text
from lstm_cli.config.formats import format_of, uncompressed
from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.cache.holding import InMemory, OnDisk
from lstm_cli.data.cache.kept import Kept
from lstm_cli.data.class_weights import notes_on_class_weights, with_loss
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats import Options, detect, read
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.input_notes import notes_on_inputs
from lstm_cli.data.long import BatchBytes, limited
from lstm_cli.data.notes import (
    notes_on_classes,
    notes_on_files,
    notes_on_ids,
    notes_on_marks,
    notes_on_repeats,
    notes_on_target,
    notes_on_unseen,
    repeated_ids,
)
from lstm_cli.data.reading import config_options, layout_options, require_ids
from lstm_cli.data.rounding_notes import notes_on_rounding
from lstm_cli.data.schema.columns import require
from lstm_cli.data.schema.counts import UnknownCounts
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.encoding import encode_record
from lstm_cli.data.schema.following import Base, fit_following
from lstm_cli.data.schema.inference import infer
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.parsing import parse, parse_bunch
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.sources import FILE, files_of, named_by_file, names_of
from lstm_cli.data.split_columns import marked, split_columns
from lstm_cli.data.splits import HELD_OUT, Split, split
from lstm_cli.data.time_notes import time_notes
from lstm_cli.data.written import Written
from lstm_cli.errors import DataError, listed

Look = Callable[[Schema, Sequence[Record]], None]
Held = InMemory | OnDisk


class Loader:
    """Loads the data of one config, and collects notes for the user."""

    def __init__(
        self,
        config: Config,
        batch_bytes: BatchBytes | None,
        look: Look | None,
        written: Written,
        base: Base | None,
        held: Held,
    ) -> None:
        self._config, self._batch_bytes, self._look, self._written = config, batch_bytes, look, written
        self._base, self._held = base, held
        self._notes: list[str] = []
        self._formats: dict[str, str] = {}
        self._bunches = config_options(config).bunches

    def load(self, precision: str) -> Kept:
        """Return the schema and the splits, with the notes on them."""
        config = self._config
        paths = files_of(config, "data.train", config.data.train)
        form, policy = self._format_of("data.train", paths), self._policy("train", paths)
        options = replace(config_options(config), bunches=self._bunched(paths))
        options = self._written.read_by(options)
        self._notes += notes_on_files("train", paths)
        read = partial(self._read, paths, form, options)
        sequences = self._held.read(read, policy)
        if not sequences:
            self._notes += policy.notes()  # raises: the file has sequences, but none can be used
        if options.id == (FILE,):
            options = replace(options, id_required=any(FILE in sequence.names for sequence in sequences))
        named = split_columns(config)
        for name, key in named.items():
            require(config, key, name, sequences)
        layout = infer(config, form, options, sequences)
        self._notes += [*notes_on_ids(form, options, sequences), *notes_on_marks(config, layout)]
        made = partial(marked, named, self._written, layout)
        records = self._parsed("train", policy, layout, made, self._held.last(sequences))
        found = split(config, layout, records, self._held.collect)
        records.clear()
        _check_horizon(config, layout, found.train)
        schema = fit_following(config, layout, found.train, precision, self._base, self._notes)
        self._notes += [*found.notes, *notes_on_target(config, schema, found.train)]
        self._notes += notes_on_inputs(config, schema, found.train)
        self._notes += notes_on_rounding(config, schema, found.train)
        if self._look is not None:
            self._look(schema, found.train)
        splits: dict[Split, Dataset] = {"train": self._encoded(schema, found.train, "train")}
        schema = splits["train"].schema = with_loss(config, splits["train"])
        files: list[Split] = []
        for key, held in zip(HELD_OUT, (found.valid, found.test), strict=True):
            given = getattr(config.data, key)
            if isinstance(given, str | list):
                held = self._from_files(layout, given, key)
                files.append(key)
            if held:
                self._written.look(key, held)
                splits[key] = self._encoded(schema, held, key)
        self._notes += [*notes_on_class_weights(schema), *notes_on_classes(schema, splits), *notes_on_unseen(splits)]
        self._notes += notes_on_repeats(splits, files)
        return Kept(schema, splits, self._notes)

    def _bunched(self, paths: Sequence[Path]) -> bool:
        """Return whether short sequences come in bunches."""
        return self._bunches and self._held.bunches and len(paths) == 1

    def _format(self, path: Path) -> str:
        """Return the format of a file; where its content decides, that of the first file with its suffix."""
        data, suffix = self._config.data, uncompressed(path).suffix
        if data.format != "auto":
            return data.format
        if suffix not in self._formats:
            form = detect(path, table=config_options(self._config).table, text=fits_text(data))
            self._formats[suffix] = form
            if form != format_of(path):
                self._notes.append(f"{Source(path).name}: read as {form}, by its content; otherwise set data.format")
        return self._formats[suffix]

    def _format_of(self, key: str, paths: Sequence[Path]) -> str:
        """Return the format of the files of a key, which must have the same."""
        forms = {self._format(path): path for path in paths}
        if len(forms) > 1:
            shown = listed([f"{path.name} ({form})" for form, path in forms.items()])
            raise self._config.error(key, f"files of several formats: {shown}: convert them to one, or set data.format")
        return next(iter(forms))

    def _policy(self, split: Split, paths: Sequence[Path]) -> BadRowPolicy:
        name = Source(paths[0]).name if len(paths) == 1 else f"data.{split}, {len(paths)} files"
        return BadRowPolicy(name, skip=self._config.data.on_error == "skip")

    def _read(
        self, paths: Sequence[Path], form: str, options: Options, policy: BadRowPolicy
    ) -> Generator[RawSequence, None, None]:
        """Yield the sequences of files; those of several files without ids are named by their file."""
        for path, name in zip(paths, names_of(paths), strict=True):
            items = read(_source(path), form, options)
            if len(paths) > 1 or (options.id == (FILE,) and not options.id_required):
                items = named_by_file(items, name, options.id)
            yield from policy.good(items)

    def _from_files(
        self, layout: Layout, given: str | list[str], split: Literal["valid", "test"]
    ) -> MutableSequence[Record]:
        """Return the typed sequences of files other than the training data."""
        paths = files_of(self._config, f"data.{split}", given)
        form, policy = self._format_of(f"data.{split}", paths), self._policy(split, paths)
        options = replace(layout_options(layout, labelled=True, split=split), bunches=self._bunched(paths))
        options = self._written.read_by(options)

        def made(raw: RawSequence) -> Record:
            require_ids(layout, form, raw)
            return self._written.on(layout, raw, parse(layout, raw, labelled=True))

        self._notes += notes_on_files(split, paths)
        return self._parsed(split, policy, layout, made, self._read(paths, form, options, policy))

    def _parsed(
        self,
        split: Split,
        policy: BadRowPolicy,
        layout: Layout,
        make: Callable[[RawSequence], Record],
        sequences: Generator[RawSequence, None, None],
    ) -> MutableSequence[Record]:
        """Return the records of sequences; a bunch in which anything is wrong is taken apart, and so names it."""
        records = self._held.collect()
        with closing(sequences):
            for sequence in sequences:
                bunch = None if sequence.bunch is None else parse_bunch(layout, sequence)
                records.extend([bunch] if bunch is not None else policy.converted(make, sequence.each()))
        self._notes += [*policy.notes(), *repeated_ids(policy.name, records), *time_notes(split, records)]
        return records

    def _encoded(self, schema: Schema, records: MutableSequence[Record], split: Split) -> Dataset:
        """Return records as a dataset; those too long are refused, cut or split as the config says.

        The list of records is empty afterwards, so that all of them and their arrays are never held together.
        """
        counts: list[UnknownCounts] = []

        def encoded(items: Iterable[Record]) -> Iterator[Encoded]:
            counts[:] = [UnknownCounts()]
            return (encode_record(schema, record, unknown_counts=counts[0]) for record in items)

        sequences = self._held.encoded(records, encoded)
        sequences = limited(self._config, schema, sequences, split, self._notes, self._batch_bytes)
        dataset = self._held.dataset(sequences, schema, split)
        self._notes += counts[0].notes(split)
        records.clear()
        if dataset.weight is not None and not (dataset.weight > 0).any():
            what = f"{split} has no step with a target that counts"
            fix = "give longer sequences, or more targets whose weight is not 0"
            if schema.target.horizon > 1:
                fix += f"; all {schema.target.horizon} values that a step predicts must be in it (data.target.horizon)"
            raise DataError(f"{dataset.where[0]}: {what}: {fix}")
        return dataset


def _check_horizon(config: Config, layout: Layout, records: Sequence[Record]) -> None:
    """Refuse to predict more steps at once than any sequence has, before outputs are made for them."""
    longest, horizon = max((record.steps for record in records), default=0), layout.target.horizon
    if horizon > max(1, longest):
        problem = f"{horizon} steps at once, but the longest sequence of train has {longest:,}: set fewer"
        raise config.error("data.target.horizon", problem)


def _source(path: Path) -> Source:
    return Source(path, base="the config's folder")
