"""``lstm schema``: the JSON Schema of the config."""

import click

from lstm_cli.cli.common import SETTINGS, Command, reported, show


@click.command("schema", cls=Command, context_settings=SETTINGS, short_help="Print the JSON Schema of the config.")
def schema() -> None:
    """Print the JSON Schema of the config (draft 2020-12), from which editors complete and check a config.

    An editor with the YAML language server finds it by the config's first line, which `lstm init` writes.

    \b
    Example:
      lstm schema > lstm-config.schema.json
    """  # noqa: D301
    with reported(0):
        from lstm_cli.config.json_schema import schema_text

        show(schema_text().rstrip("\n"))
