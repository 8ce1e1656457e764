"""From a config to data: held in memory, or copied to disk, with the batches of its splits."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from lstm_cli.config.config import Config
from lstm_cli.data import memory
from lstm_cli.data.auto_network import with_network
from lstm_cli.data.batching.batches import Batches
from lstm_cli.data.batching.whole import split_batches
from lstm_cli.data.cache.choice import copy_of, is_copied
from lstm_cli.data.cache.holding import InMemory, OnDisk
from lstm_cli.data.cache.kept import Kept
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats.source import Source
from lstm_cli.data.loader import Held, Loader, Look
from lstm_cli.data.long import BatchBytes
from lstm_cli.data.schema.following import Base
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.sources import first_file
from lstm_cli.data.splits import Split
from lstm_cli.data.written import Written


@dataclass(frozen=True, eq=False)
class Data:
    """What a config trains, validates and tests on.

    Attributes
    ----------
    config
        That of the data, with the network for it where it describes none.
    schema
        How sequences are encoded, fitted on the training sequences.
    train, valid, test
        The splits.
    notes
        What a user should know about them.
    batches
        The batches of each split: for training, for validation during training, for the final test.
    chosen
        The keys of `model` that were chosen from the data.
    """

    config: Config
    schema: Schema
    train: Dataset
    valid: Dataset | None
    test: Dataset | None
    notes: list[str]
    batches: dict[Split, Batches]
    chosen: dict[str, Any]


def open_data(
    config: Config,
    *,
    precision: str | None = None,
    batch_bytes: BatchBytes | None = None,
    look: Look | None = None,
    written: Written | None = None,
    base: Base | None = None,
) -> Data:
    """Return the data of a config, or raise the `DataError` or `ConfigError` that says what is wrong.

    Parameters
    ----------
    config
    precision
        Of its numbers; None: the config's.
    batch_bytes
        Estimates the memory of a batch, for the message about sequences that are longer than ``data.max_length``.
    look
        Receives the schema and the training sequences in original units, which are not kept.
    written
        Columns to keep of what is held out, and who looks at them.
    base
        What the schema continues: that of another run.
    """
    with memory.memory_errors(Source(config.source.resolve(first_file(config.data.train))).name):
        precision, written = precision or config.precision, written or Written()

        def load(held: Held) -> Kept:
            return Loader(config, batch_bytes, look, written, base, held).load(precision)

        if written.names or not is_copied(config):
            found = load(InMemory())
        else:

            def build(folder: Path) -> Kept:
                with closing(OnDisk(folder)) as held:
                    return load(held)

            found = copy_of(config, precision, base, build, fresh=look is not None)
        config, chosen = with_network(config, found.splits["train"])
        batches = {name: split_batches(config, dataset, name) for name, dataset in found.splits.items()}
    train, valid, test = (found.splits.get(split) for split in get_args(Split))
    return Data(config, found.schema, cast(Dataset, train), valid, test, found.notes, batches, chosen)
