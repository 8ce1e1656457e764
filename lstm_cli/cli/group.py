"""The command ``lstm``, with the others below it."""

import click

from lstm_cli.cli.backtest import backtest
from lstm_cli.cli.check import check
from lstm_cli.cli.common import SETTINGS
from lstm_cli.cli.compare import compare
from lstm_cli.cli.convert import convert
from lstm_cli.cli.evaluate import evaluate
from lstm_cli.cli.export import export
from lstm_cli.cli.import_ import import_
from lstm_cli.cli.init import init
from lstm_cli.cli.predict import predict
from lstm_cli.cli.ranks import OneVoice
from lstm_cli.cli.report import report
from lstm_cli.cli.schema import schema
from lstm_cli.cli.serve import serve
from lstm_cli.cli.show import show
from lstm_cli.cli.sweep import sweep
from lstm_cli.cli.train import train
from lstm_cli.cli.version import version_option

__all__ = [
    "backtest",
    "check",
    "compare",
    "convert",
    "evaluate",
    "export",
    "import_",
    "init",
    "main",
    "predict",
    "report",
    "schema",
    "serve",
    "show",
    "sweep",
    "train",
]


class _Group(OneVoice, click.Group):
    """The commands below ``lstm``."""


@click.group("lstm", cls=_Group, context_settings=SETTINGS)
def main() -> None:
    """Train recurrent networks on sequences from a YAML file, on your CPU.

    \b
    Example:
      lstm train configs/quickstart.yaml
      lstm predict runs/quickstart new.jsonl
    """  # noqa: D301


main.params.append(version_option())
main.add_command(check)
main.add_command(train)
main.add_command(predict)
main.add_command(schema)
main.add_command(serve)
main.add_command(init)
main.add_command(backtest)
main.add_command(evaluate)
main.add_command(compare)
main.add_command(show)
main.add_command(convert)
main.add_command(export)
main.add_command(import_)
main.add_command(report)
main.add_command(sweep)
