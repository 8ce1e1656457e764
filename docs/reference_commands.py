"""The reference of the commands, from click's own description of them."""

import inspect
import re

import click

from lstm_cli.cli.group import main

HEAD = """\
<!-- Written by docs/generate.py from lstm_cli/cli. -->

# Commands

`lstm train` and `lstm-train` are the same command, and so are `lstm predict` and `lstm-predict`. `-h` prints the
help of a command, and `lstm --version` the version. The [exit codes](../guide/commands.md#exit-codes) are the same for
all.
"""

#: The commands that are programs of their own too.
PROGRAMS = {"train": "lstm-train", "predict": "lstm-predict"}


def commands_page() -> str:
    """Return the page, in Markdown."""
    names = [*PROGRAMS, *sorted(main.commands.keys() - PROGRAMS)]
    sections = [_section(main.commands[name], PROGRAMS.get(name, f"lstm {name}")) for name in names]
    return "\n".join([HEAD, *sections])


def _section(command: click.Command, program: str) -> str:
    """Return one command: usage, what it does, its options, examples."""
    text, _, examples = inspect.cleandoc(command.help or "").partition("\b\nExample:\n")
    context = click.Context(command, info_name=program, **command.context_settings)
    usage = " ".join([program, *command.collect_usage_pieces(context)])
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    parts = [
        f"## {program}",
        f"```text\n{usage}\n```",
        text.strip(),
        *(["\n".join(["| option | what it does |", "|---|---|", *map(_row, options)])] if options else []),
        f"```shell\n{inspect.cleandoc(examples)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {option.metavar or 'VALUE'}"
    shown = option.show_default and isinstance(option.default, int | float | str)
    default = f" Default: {option.default}." if shown else ""
    help_text = re.sub(r"\s*\[default: (.*?)\]", r" Default: \1.", option.help or "")
    return f"| {names}{value} | {help_text}{default} |"
