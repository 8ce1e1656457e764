"""Sinks of a run's events: the console, ``train.log`` and ``metrics.jsonl``."""

from lstm_cli.training.sinks.console import console, log_lines
from lstm_cli.training.sinks.dispatcher import EventDispatcher
from lstm_cli.training.sinks.metrics_file import MetricsFile
from lstm_cli.training.sinks.sink import Sink

__all__ = ["EventDispatcher", "MetricsFile", "Sink", "console", "log_lines"]
