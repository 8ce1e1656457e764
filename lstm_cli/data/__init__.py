"""Reading, encoding, scaling and batching sequences, with numpy alone.

The data flows one way: a reader of `formats` yields raw sequences; by the layout of `schema` they are parsed to typed
records and encoded as arrays; a dataset holds many of them; `batching` combines them into batches.
"""

from lstm_cli.data.batch import Batch
from lstm_cli.data.batching.batches import Batches, training_batches
from lstm_cli.data.batching.closed_loops import CountedSteps
from lstm_cli.data.batching.length import Length
from lstm_cli.data.batching.whole import evaluation_batches, split_batches
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.loading import Data, open_data
from lstm_cli.data.reading import raw_sequences, read_dataset, read_sequences
from lstm_cli.data.schema.counts import UnknownCounts
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.encoding import encode
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.storage import checked_contents, load_schema, schema_of
from lstm_cli.data.splits import Split

__all__ = [
    "Batch",
    "Batches",
    "CountedSteps",
    "Data",
    "Dataset",
    "Encoded",
    "Length",
    "Schema",
    "Split",
    "UnknownCounts",
    "checked_contents",
    "encode",
    "evaluation_batches",
    "load_schema",
    "open_data",
    "raw_sequences",
    "read_dataset",
    "read_sequences",
    "schema_of",
    "split_batches",
    "training_batches",
]
