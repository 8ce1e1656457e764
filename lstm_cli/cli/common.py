"""Shared by the commands: results, notes, and the conversion of errors to messages and exit codes."""

import json
import os
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from lstm_cli.cli.causes import UNEXPECTED, outside
from lstm_cli.cli.environment import check_start, discard
from lstm_cli.cli.ranks import OneVoice, check_alone
from lstm_cli.cli.version import version_option
from lstm_cli.errors import LstmError, on_lines, on_one_line
from lstm_cli.ranks.joining import joined_before
from lstm_cli.ranks.launcher import rank_and_size

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_NARROWEST = 20  # columns of a terminal for which messages are broken
_ERROR = "Error: "  # which click writes before a message
WIDEST = 80  # columns of a result on a terminal

INTERRUPTED = 130  # the exit code of a second Ctrl-C


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
        joined_before().end(0)
    except KeyboardInterrupt:
        _leave("stopped", INTERRUPTED, verbosity)
    except LstmError as error:
        if joined_before().ends_silently(error):
            joined_before().wait_for_end()
        _leave(str(error), error.exit_code, verbosity)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        _leave(*(outside(error) or (_unexpected(error), UNEXPECTED)), verbosity)


def noting(*, quiet: bool) -> Callable[[str], None]:
    """Return the function that prints notes on standard error, on one rank, or none of them."""
    quiet = quiet or rank_and_size()[0] > 0
    return lambda text: None if quiet else click.echo(fitted(on_lines(text, indented=True)), err=True)


def fitted(text: str) -> str:
    """Return a message, broken at spaces where it is wider than the terminal that shows standard error.

    Elsewhere, as in a log, a message stays on one line.
    """
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError, AttributeError):  # no terminal, or a closed or missing stream
        return text
    if width < _NARROWEST:
        return text
    return "\n".join(part for line in text.split("\n") for part in _broken(line, width))


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    return textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def typed(data: Path | None, *, quiet: bool) -> None:
    """Say that standard input is read, where that waits for somebody to type; only one process may read it."""
    check_alone("standard input", given=str(data) == "-")
    if str(data) == "-" and not quiet and sys.stdin is not None and sys.stdin.isatty():
        click.echo(fitted("reading standard input: Ctrl-D on an empty line ends it"), err=True)


def written(out: Path | None, *, quiet: bool) -> None:
    """Say which file was written, to somebody at a terminal."""
    if out is not None and not quiet and sys.stderr is not None and sys.stderr.isatty():
        click.echo(fitted(f"written: {on_one_line(out)}"), err=True)


class Result(Protocol):
    """What a command found."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, those that are not finite as None."""


Found = TypeVar("Found", bound=Result)


def wants_json(*, as_json: bool) -> bool:
    """Whether results are printed as JSON: where it is asked for, or standard output is no terminal."""
    return as_json or not sys.stdout.isatty()


def show_found(found: Found, text: Callable[[Found, int], str], *, as_json: bool) -> None:
    """Print what was found as JSON, or on a terminal as the text that `text` makes of it for a number of columns."""
    if wants_json(as_json=as_json):
        show(json.dumps(found.to_json(), allow_nan=False))
    else:
        show(text(found, min(WIDEST, shutil.get_terminal_size().columns)))


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


class Command(OneVoice):
    """A command with ``--version``, whose messages about its options show what was typed on one line.

    Several processes that a launcher of MPI started run it together if it is `ranked`.
    """

    def __init__(self, *args: Any, ranked: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ranked = ranked
        self.params.append(version_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options and arguments."""
        with _on_lines():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _on_lines():
            check_alone(ctx.command_path, given=not self._ranked)
            return super().invoke(ctx)


@contextmanager
def _on_lines() -> Iterator[None]:
    """Have an error of the command line show what was typed on one line, or several that fit the terminal."""
    try:
        yield
    except click.UsageError as error:
        shown = fitted(f"{_ERROR}{on_one_line(error.format_message())}").removeprefix(_ERROR)
        raise click.UsageError(shown, error.ctx) from None


def _with_given_names(message: str) -> str:
    """Return a message in which the names that the command line gives are on one line."""
    context = click.get_current_context(silent=True)
    for value in context.params.values() if context else ():
        if isinstance(value, str | Path) and not str(value).isprintable():
            message = message.replace(str(value), on_one_line(value))
    return message


def _leave(message: str, code: int, verbosity: int) -> None:
    world = joined_before()
    message = f"{world.name}: {message}" if world.rank else message
    with suppress(OSError):  # where the terminal is gone, which may be why the command ends
        if verbosity > 0:
            click.echo(on_lines(traceback.format_exc()), err=True)
        click.echo(fitted(on_lines(_with_given_names(message))), err=True)
        sys.stderr.flush()
    world.end(code)
    raise SystemExit(code)
