"""Sequences: read, encoded, scaled, batched. Nothing here but numpy.

The way of the data: a reader yields rows, the layout makes typed records of them, the schema, fitted on training
records, encodes these as arrays, a dataset holds many, and batches puts them side by side.
"""

from lstm_cli.data.batch import Batch
from lstm_cli.data.batching.batches import Batches, training_batches
from lstm_cli.data.batching.whole import evaluation_batches, valid_batches
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.encoded import Encoded
from lstm_cli.data.formats.raw import Row
from lstm_cli.data.loading import Data, open_data
from lstm_cli.data.reading import read_rows, rows_of
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.target import Restorer, Target
from lstm_cli.data.schema.unknown_counts import Tally
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary

__all__ = [
    "Batch",
    "Batches",
    "Data",
    "Dataset",
    "Encoded",
    "Labels",
    "Restorer",
    "Row",
    "Schema",
    "Tally",
    "Target",
    "Vocabulary",
    "evaluation_batches",
    "open_data",
    "read_rows",
    "rows_of",
    "training_batches",
    "valid_batches",
]
