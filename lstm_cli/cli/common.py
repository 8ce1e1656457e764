"""Shared by the commands: options, and the conversion of errors to messages and exit codes."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from lstm_cli.cli.causes import UNEXPECTED, outside
from lstm_cli.cli.environment import check_start, discard
from lstm_cli.cli.version import version_option
from lstm_cli.errors import LstmError, on_lines, on_one_line

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

INTERRUPTED = 130  # the exit code of a second Ctrl-C


def verbosity_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-q`` and ``-v`` to a command."""
    command = click.option("-v", "--verbose", is_flag=True, help="Print more, and the traceback of an error.")(command)
    return click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors.")(command)


def verbosity_of(*, quiet: bool, verbose: bool) -> int:
    """Return -1 for quiet, 0, or 1 for verbose."""
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other: give one of them.")
    return int(verbose) - int(quiet)


@contextmanager
def reported(verbosity: int) -> Iterator[None]:
    """Turn an error inside into one message on stderr and its exit code.

    A closed pipe is not an error: its reader needs no further output.
    """
    try:
        check_start()
        yield
        with _output():
            sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
    except KeyboardInterrupt:
        _leave("stopped", INTERRUPTED, verbosity)
    except LstmError as error:
        _leave(str(error), error.exit_code, verbosity)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        _leave(*(outside(error) or (_unexpected(error), UNEXPECTED)), verbosity)


def show(text: str) -> None:
    """Print a result on standard output."""
    with _output():
        click.echo(on_lines(text))


@contextmanager
def _output() -> Iterator[None]:
    """Have an error of standard output say so, and discard what it still holds, as Python would try again."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        error.filename = "standard output"
        raise


def _unexpected(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {words[:500]} (-v shows where; please report it)"


class Command(click.Command):
    """A command with ``--version``, whose messages about its options show what was typed on one line."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(version_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options and arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(on_one_line(error.format_message()), error.ctx) from None


def _with_given_names(message: str) -> str:
    """Return a message in which the names that the command line gives are on one line."""
    context = click.get_current_context(silent=True)
    for value in context.params.values() if context else ():
        if isinstance(value, str | Path) and not str(value).isprintable():
            message = message.replace(str(value), on_one_line(value))
    return message


def _leave(message: str, code: int, verbosity: int) -> None:
    with suppress(OSError):  # where the terminal is gone, which may be why the command ends
        if verbosity > 0:
            click.echo(on_lines(traceback.format_exc()), err=True)
        click.echo(on_lines(_with_given_names(message)), err=True)
    raise SystemExit(code)
