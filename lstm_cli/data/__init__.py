"""Sequences: read, encoded, scaled, batched. Nothing here but numpy.

The way of the data: a reader yields rows, the layout makes typed records of them, the schema, fitted on training
records, encodes these as arrays, a dataset holds many, and batches puts them side by side.
"""

from lstm_cli.data.batch import Batch
from lstm_cli.data.batching.batches import Batches, training_batches
from lstm_cli.data.batching.whole import evaluation_batches, valid_batches
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.encoded import Encoded
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.loading import Data, open_data
from lstm_cli.data.reading import raw_sequences, read_sequences
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.target import Restorer, Target
from lstm_cli.data.schema.unknown_counts import UnknownCounts
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary

__all__ = [
    "Batch",
    "Batches",
    "Data",
    "Dataset",
    "Encoded",
    "Labels",
    "RawSequence",
    "Restorer",
    "Schema",
    "Target",
    "UnknownCounts",
    "Vocabulary",
    "evaluation_batches",
    "open_data",
    "raw_sequences",
    "read_sequences",
    "training_batches",
    "valid_batches",
]
