"""The entry points of the commands: signals are handled before anything slow is imported.

Before that Python itself starts, which responds to an early SIGINT with a traceback; no code can prevent it.
"""

import os
import sys


def main() -> None:
    """Run ``lstm``."""
    _run("main")


def train() -> None:
    """Run ``lstm-train``."""
    _run("train")


def predict() -> None:
    """Run ``lstm-predict``."""
    _run("predict")


def _run(name: str) -> None:
    try:
        from lstm_cli.signals import end_at_once, end_undisturbed

        end_at_once()
        from lstm_cli.cli.environment import prepare

        prepare()
    except KeyboardInterrupt:  # from Python's own handler
        os._exit(130)
    try:
        from lstm_cli.cli import group

        getattr(group, name)()
    finally:
        _discard_unwritten()
        end_undisturbed()


def _discard_unwritten() -> None:
    """Discard what a full disk did not take of the output: Python would try again, and end with a code of its own."""
    from lstm_cli.cli.environment import discard

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            discard(stream)
