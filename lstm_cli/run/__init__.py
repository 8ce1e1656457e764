"""The run folder: atomic files, checkpoints, the metrics log, and the compatibility of a resumed run."""
