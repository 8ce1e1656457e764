"""What takes the loop's events: the console, ``train.log``, ``metrics.jsonl`` and ``report.html``."""

from lstm_cli.report.report import Report
from lstm_cli.training.sinks.console import Bar, Lines, Verbosity, console, open_log
from lstm_cli.training.sinks.metrics_file import MetricsFile
from lstm_cli.training.sinks.sink import Sink

__all__ = [
    "Bar",
    "Lines",
    "MetricsFile",
    "Report",
    "Sink",
    "Verbosity",
    "console",
    "open_log",
]
