"""From a config to data: reads the files, infers kinds, makes the splits, fits on train and encodes."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import fits_text
from lstm_cli.config.formats import format_of, uncompressed
from lstm_cli.data import memory
from lstm_cli.data.batching.batches import Batches
from lstm_cli.data.batching.whole import split_batches
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats import detect, read
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.input_notes import notes_on_inputs
from lstm_cli.data.notes import notes_on_classes, notes_on_ids, notes_on_repeats, notes_on_target
from lstm_cli.data.reading import BadRowPolicy, config_options, layout_options
from lstm_cli.data.schema.counts import UnknownCounts
from lstm_cli.data.schema.encoding import encode_record
from lstm_cli.data.schema.fitting import fit
from lstm_cli.data.schema.inference import infer
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.parsing import parse
from lstm_cli.data.schema.record import Encoded, Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.splits import Split, hold_out
from lstm_cli.errors import DataError, listed

#: Estimates the bytes of a batch of a split with this many steps, padding included.
BatchBytes = Callable[[Schema, int, Split], int]


@dataclass(frozen=True, eq=False)
class Data:
    """What a config trains, validates and tests on.

    Attributes
    ----------
    schema
        How sequences are encoded, fitted on the training sequences.
    train, valid, test
        The splits.
    notes
        What a user should know about them.
    batches
        The batches of each split: for training, for validation during training, for the final test.
    """

    schema: Schema
    train: Dataset
    valid: Dataset | None
    test: Dataset | None
    notes: list[str]
    batches: dict[Split, Batches]


def open_data(config: Config, *, precision: str | None = None, batch_bytes: BatchBytes | None = None) -> Data:
    """Return the data of a config, or raise the `DataError` or `ConfigError` that says what is wrong.

    Parameters
    ----------
    config
    precision
        Of its numbers; None: the config's.
    batch_bytes
        Estimates the memory of a batch, for the message about sequences that are longer than ``data.max_length``.
    """
    with memory.memory_errors(Source(config.source.resolve(first_file(config.data.train))).name):
        return _Loader(config, batch_bytes).load(precision or config.precision)


class _Loader:
    """Loads the data of one config, and collects notes for the user."""

    def __init__(self, config: Config, batch_bytes: BatchBytes | None) -> None:
        self._config, self._batch_bytes = config, batch_bytes
        self._notes: list[str] = []
        self._formats: dict[str, str] = {}

    def load(self, precision: str) -> Data:
        config = self._config
        path = config.source.resolve(first_file(config.data.train))
        form, options, policy = self._format(path), config_options(config), self._policy(path)
        sequences = list(policy.good(read(_source(path), form, options)))
        if not sequences:
            self._notes += policy.notes()  # raises: the file has sequences, but none can be used
        layout = infer(config, form, options, sequences)
        self._notes += notes_on_ids(form, options, sequences)
        records = self._parsed(layout, policy, _consumed(sequences))
        divisible = layout.target.per == "step" and layout.closed_loop is None
        train, valid, test = hold_out(config, records, per_step=divisible, lag=layout.lag)
        schema = fit(layout, train, scale=config.data.scale, precision=precision)
        self._notes += [*notes_on_target(config, schema, train), *notes_on_inputs(config, schema, train)]
        splits: dict[Split, Dataset] = {"train": self._encoded(schema, train, "train")}
        held_out: list[tuple[Split, list[Record], Any]] = [
            ("valid", valid, config.data.valid),
            ("test", test, config.data.test),
        ]
        for split, records, held in held_out:
            if isinstance(held, str):
                records = self._read(layout, config.source.resolve(held), split)
            if records:
                splits[split] = self._encoded(schema, records, split)
        files: list[Split] = [split for split, _, held in held_out if isinstance(held, str)]
        self._notes += [*notes_on_classes(schema, splits), *notes_on_repeats(splits, files)]
        batches = {split: split_batches(config, dataset, split) for split, dataset in splits.items()}
        return Data(schema, splits["train"], splits.get("valid"), splits.get("test"), self._notes, batches)

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

    def _policy(self, path: Path) -> BadRowPolicy:
        return BadRowPolicy(Source(path).name, skip=self._config.data.on_error == "skip")

    def _read(self, layout: Layout, path: Path, split: Split) -> list[Record]:
        """Return the typed sequences of a file other than the training data."""
        policy, options = self._policy(path), layout_options(layout, labelled=True, split=split)
        sequences = policy.good(read(_source(path), self._format(path), options))
        return self._parsed(layout, policy, sequences)

    def _parsed(
        self, layout: Layout, policy: BadRowPolicy, sequences: Generator[RawSequence, None, None]
    ) -> list[Record]:
        records = list(policy.converted(partial(parse, layout, labelled=True), sequences))
        self._notes += [*policy.notes(), *_repeated_ids(policy.name, records)]
        return records

    def _encoded(self, schema: Schema, records: Iterable[Record], split: Split) -> Dataset:
        """Return records as a dataset; those too long are refused, cut or split as the config says."""
        unknown_counts = UnknownCounts()
        sequences = [encode_record(schema, record, unknown_counts=unknown_counts) for record in records]
        sequences = self._limited(schema, sequences, split)
        self._notes += unknown_counts.notes(split)
        dataset = Dataset(sequences, schema)
        if dataset.weight is not None and not (dataset.weight > 0).any():
            what = f"{split} has no step with a target that counts"
            raise DataError(f"{sequences[0].where}: {what}: give longer sequences")
        return dataset

    def _limited(self, schema: Schema, sequences: list[Encoded], split: Split) -> list[Encoded]:
        """Return sequences none of which is longer than ``data.max_length``.

        Pieces of a split sequence become separate sequences, each with the whole sequence's target if that is per
        sequence. Only train is cut or split: scores are those of predictions, which are made for whole sequences.
        """
        most, action = self._config.data.max_length, self._config.data.on_long
        long = [sequence for sequence in sequences if most is not None and sequence.steps > most]
        if most is None or not long or (action != "stop" and split != "train"):
            return sequences
        names = listed([sequence.id for sequence in long])
        if action == "stop":
            longest = max(long, key=lambda sequence: sequence.steps)
            what = f"{longest.steps:,} steps"
            if self._batch_bytes is not None:
                what += f" would take about {memory.readable(self._batch_bytes(schema, longest.steps, split))}"
            raise DataError(
                f"{longest.where}: {what}, and data.max_length is {most:,}; longer than that in {split}: {names}: "
                f"set data.on_long to cut or split"
            )
        what = f"cut to {most:,} steps" if action == "cut" else f"split into pieces of at most {most:,} steps"
        self._notes.append(f"{split}: {len(long):,} of {len(sequences):,} sequences were {what}: {names}")
        return [piece for sequence in sequences for piece in _pieces(sequence, most, once=action == "cut")]


def first_file(files: str | list[str]) -> str:
    """Return the first of the files that a key names."""
    return files if isinstance(files, str) else files[0]


def _source(path: Path) -> Source:
    return Source(path, base="the config's folder")


def _consumed(sequences: list[RawSequence]) -> Generator[RawSequence, None, None]:
    """Yield sequences and drop them, so that the raw and typed values of all are never held together."""
    sequences.reverse()
    while sequences:
        yield sequences.pop()


def _pieces(sequence: Encoded, most: int, *, once: bool) -> list[Encoded]:
    if sequence.steps <= most:
        return [sequence]
    starts = range(0, 1 if once else sequence.steps, most)
    return [sequence.part(start, min(start + most, sequence.steps)) for start in starts]


def _repeated_ids(name: str, records: Sequence[Record]) -> list[str]:
    repeated = [f"{name!r} ({count} times)" for name, count in Counter(r.id for r in records).items() if count > 1]
    return [f"{name}: ids shared by several sequences: {listed(repeated)}"] if repeated else []
