"""Sequences that are longer than ``data.max_length``: refused, cut or split as the config says."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lstm_cli.config.config import Config
from lstm_cli.data import memory
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats.raw import Id
from lstm_cli.data.schema.again import like
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.splits import Split
from lstm_cli.errors import DataError, counted, listed

#: Estimates the bytes of a batch of a split with this many steps, padding included.
BatchBytes = Callable[[Schema, int, Split], int]


class _Long(NamedTuple):
    """A sequence that is too long."""

    id: Id
    where: str
    steps: int


def limited(
    config: Config,
    schema: Schema,
    sequences: Sequence[Encoded],
    split: Split,
    notes: list[str],
    batch_bytes: BatchBytes | None,
) -> Sequence[Encoded]:
    """Return sequences none of which is longer than ``data.max_length``.

    Pieces of a split sequence become separate sequences, each with the whole sequence's target if that is per
    sequence. Only train is cut or split: scores are those of predictions, which are made for whole sequences.
    """
    most, action = config.data.max_length, config.data.on_long
    if most is None or all((sequence.lengths <= most).all() for sequence in sequences):
        return sequences
    if action != "stop" and split != "train":
        return sequences
    own = like(
        sequences,
        lambda: (one for given in sequences for one in ([given] if given.bunch is None else Dataset([given], schema))),
    )
    long = [_Long(sequence.id, sequence.where, sequence.steps) for sequence in own if sequence.steps > most]
    names = listed([sequence.id for sequence in long])
    if action == "stop":
        longest = max(long, key=lambda sequence: sequence.steps)
        what = f"{longest.steps:,} steps"
        if batch_bytes is not None:
            what += f" would take about {memory.readable(batch_bytes(schema, longest.steps, split))}"
        raise DataError(
            f"{longest.where}: {what}, and data.max_length is {most:,}; longer than that in {split}: {names}: "
            f"set data.on_long to cut or split"
        )
    what = f"{'cut to' if action == 'cut' else 'split into pieces of at most'} {counted(most, 'step')}"
    were = f"{counted(len(own), 'sequence')} {'was' if len(long) == 1 else 'were'}"
    notes.append(f"{split}: {len(long):,} of {were} {what}: {names}")
    return like(own, lambda: (piece for sequence in own for piece in sequence.pieces(most, once=action == "cut")))
