"""The run folder: atomic files, checkpoints, the log of metrics, and what a resumed run must agree on."""
