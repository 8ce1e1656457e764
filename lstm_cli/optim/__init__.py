"""Optimizers as updates of shared variables, clipping, and learning-rate schedules."""
