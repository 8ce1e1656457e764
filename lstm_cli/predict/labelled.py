"""The batches in which sequences with targets are scored: from a file, as the run's training data was read."""

from collections.abc import Callable, Collection

from lstm_cli.config import Config
from lstm_cli.data import Batches, Dataset, Encoded, Schema, UnknownCounts, read_dataset, split_batches
from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Origin
from lstm_cli.engine.memory import check_memory

Listener = Callable[[RawSequence, Encoded], None]


def ignore(sequence: RawSequence, encoded: Encoded) -> None:
    """Do nothing with a sequence."""


def labelled_batches(
    config: Config,
    schema: Schema,
    data: Origin,
    *,
    form: str | None,
    policy: BadRowPolicy,
    unknown_counts: UnknownCounts | None = None,
    keep: Collection[str] | None = (),
    listener: Listener = ignore,
) -> Batches:
    """Return the batches in which a file with targets is scored.

    Parameters
    ----------
    config, schema
        Those of the run.
    data
        A path, ``-`` for standard input, or an open binary stream.
    form
        Its format; None: by its suffix.
    policy
        What to do with sequences that cannot be read or used.
    unknown_counts
        Counts the tokens and labels that training never saw.
    keep
        Further columns to read; None: all.
    listener
        Called with each sequence as it is read, and as it is encoded.

    Raises
    ------
    DataError
        The file cannot be read or used, or a batch does not fit into memory.
    """
    dataset = read_dataset(
        data, schema, form=form, policy=policy, unknown_counts=unknown_counts, keep=keep, listener=listener
    )
    policy.notes()  # raises if too many cannot be used
    return scored_batches(config, dataset)


def scored_batches(config: Config, dataset: Dataset) -> Batches:
    """Return the batches in which encoded sequences with targets are scored."""
    batches = split_batches(config, dataset, "test")
    check_memory(config, batches, "test")
    return batches
