"""Optimizers: gradients to a dict of updates, and learning-rate schedules."""
