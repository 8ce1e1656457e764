"""What a shell completes beside files and options: the keys of the config in ``KEY=VALUE``."""

import click
from click.shell_completion import CompletionItem


def keys(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the keys that begin so, each with what it means."""
    from lstm_cli.config.grammar import settable_keys

    return [CompletionItem(f"{key}=", help=text) for key, text in settable_keys().items() if key.startswith(incomplete)]
