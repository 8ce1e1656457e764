"""The run folder: atomic files, checkpoints, the metrics log, and what a checkpoint is bound to."""
