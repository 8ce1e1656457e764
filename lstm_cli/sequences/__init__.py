"""Sequences: read, encoded, scaled, batched. Nothing here but numpy.

The way of the data: a reader yields rows, the layout makes typed records of them, the schema, fitted on training
records, encodes these as arrays, a dataset holds many, and batches puts them side by side.
"""

from lstm_cli.sequences.batch import Batch
from lstm_cli.sequences.batches import Batches, training_batches
from lstm_cli.sequences.dataset import Dataset
from lstm_cli.sequences.encoded import Encoded
from lstm_cli.sequences.loading import Data, open_data
from lstm_cli.sequences.reading import read_rows, rows_of
from lstm_cli.sequences.rows import Row
from lstm_cli.sequences.schema import Schema
from lstm_cli.sequences.tally import Tally
from lstm_cli.sequences.target import Restorer, Target
from lstm_cli.sequences.vocabulary import Labels, Vocabulary
from lstm_cli.sequences.whole import evaluation_batches, valid_batches

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
