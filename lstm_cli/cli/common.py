"""Shared by the commands: options, and the conversion of errors to messages and exit codes."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from lstm_cli.errors import DiskError, LstmError

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

# Exit codes other than those of the package's own errors.
UNEXPECTED, INTERRUPTED = 1, 130

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS}


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
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        _leave("stopped", INTERRUPTED, verbosity)
    except LstmError as error:
        _leave(str(error), error.exit_code, verbosity)
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            _leave(_unexpected(error), UNEXPECTED, verbosity)
        place = f"{error.filename}: " if error.filename else ""
        _leave(
            f"{place}cannot write ({error.strerror}): make room, or write elsewhere with -o",
            DiskError.exit_code,
            verbosity,
        )
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        _leave(_unexpected(error), UNEXPECTED, verbosity)


def _unexpected(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {words[:500]} (-v shows where; please report it)"


def _leave(message: str, code: int, verbosity: int) -> None:
    with suppress(OSError):  # where the terminal is gone, which may be why the command ends
        if verbosity > 0:
            traceback.print_exc()
        click.echo(message, err=True)
    raise SystemExit(code)
