"""From a dataset to the batches of an epoch: windows of sequences, their order, and their arrays."""
