"""``lstm check``: the data as it is understood, naive scores, the model, and the largest batch, before training."""

import json

import click

from lstm_cli.cli.common import SETTINGS, Command, reported, show


@click.command("check", cls=Command, context_settings=SETTINGS, short_help="Show data and model before training.")
@click.argument("config", metavar="CONFIG.yaml")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Print the traceback of an error.")
def check(config: str, overrides: tuple[str, ...], *, as_json: bool, verbose: bool) -> None:
    """Show how the data of CONFIG.yaml is understood, and try its largest batch. Writes nothing.

    The first sequence, every column's kind and values, how often each label occurs, lengths, what may surprise, the
    scores of naive predictors, the layers, the number of updates, and the time and memory of the largest batch. The
    option --check of lstm-train prints the same.

    \b
    Example:
      lstm check configs/quickstart.yaml
      lstm check configs/quickstart.yaml train.batch_size=64
    """  # noqa: D301
    with reported(int(verbose)):
        from lstm_cli.config import load_config
        from lstm_cli.training.check import check as check_run

        found = check_run(load_config(config, overrides))
        show(json.dumps(found.to_json()) if as_json else str(found))
