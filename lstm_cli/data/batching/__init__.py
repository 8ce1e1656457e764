"""From a dataset to the batches of an epoch: windows of sequences, in which order, and as which arrays."""
