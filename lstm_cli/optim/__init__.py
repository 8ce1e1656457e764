"""Optimizers as updates of shared variables, clipping, and learning-rate schedules."""

from lstm_cli.optim.build import Optimizer, build

__all__ = ["Optimizer", "build"]
