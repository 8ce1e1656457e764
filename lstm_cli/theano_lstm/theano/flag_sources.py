"""Theano's flags from outside: the variable ``THEANO_FLAGS`` and the files of ``THEANORC``, or ``~/.theanorc``.

The variable goes before the files, of which the last goes first. PyTensor's own variable ``PYTENSOR_FLAGS`` goes before
all of them.
"""

import logging
import os
import shlex
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error, InterpolationError
from pathlib import Path

from lstm_cli.theano_lstm.theano.configuration import config, full_name
from lstm_cli.theano_lstm.theano.known_flags import REMEMBERED

_log = logging.getLogger("lstm_cli.theano")

Flags = dict[str, tuple[str, str]]  # by name the value, and where it comes from


def set_flags_from_outside() -> None:
    """Set the flags that the environment and the files give.

    Raises
    ------
    ValueError
        A file, the variable or the value of a flag cannot be understood; the message says where.
    """
    flags: Flags = {}
    for path in _files(os.environ):
        flags |= _flags_of_file(path)
    flags |= _flags_of_variable("THEANO_FLAGS", os.environ)
    for name in _flags_of_variable("PYTENSOR_FLAGS", os.environ).keys() - {*REMEMBERED}:
        flags.pop(name, None)
    for name, (value, origin) in flags.items():
        try:
            setattr(config, name, value)
        except ValueError as error:
            raise ValueError(f"{origin}: {error}") from None


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    for path in environment.get("THEANORC", "~/.theanorc").split(os.pathsep):
        try:
            yield Path(path).expanduser()
        except RuntimeError:  # there is no home
            continue


def _flags_of_file(path: Path) -> Flags:
    """Return the flags of a file with sections, of which ``[global]`` has the flags without a dot; none if missing.

    As Python 2 read it for Theano, what follows a semicolon after a space is a comment.
    """
    parser = ConfigParser(_variables(), inline_comment_prefixes=(";",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read(str(path), encoding="utf-8-sig")  # Notepad begins a file with a mark
    except (Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected sections [global], … with lines name = value: {reason}") from None
    flags: Flags = {}
    for section in parser.sections():
        for option in parser._sections[section]:  # type: ignore[attr-defined]
            name = full_name(option if section == "global" else f"{section}.{option}")
            flags[name] = _filled(parser, section, option), f"{path}, section [{section}]"
    return flags


def _filled(parser: ConfigParser, section: str, option: str) -> str:
    try:
        return parser.get(section, option)
    except InterpolationError:  # a per cent sign of its own
        return parser.get(section, option, raw=True)


def _variables() -> dict[str, str]:
    """Return what files may refer to, as in ``%(TMPDIR)s``."""
    names = ("LSCRATCH", "TMPDIR", "TEMP", "TMP")
    user = os.environ.get("USER", Path("~").name)
    return {"USER": user, "PID": str(os.getpid()), **{name: os.environ.get(name, "") for name in names}}


def _flags_of_variable(variable: str, environment: Mapping[str, str]) -> Flags:
    """Return the flags ``name=value``, separated by commas and quoted as by a shell."""
    words = shlex.shlex(environment.get(variable, ""), posix=True)
    words.whitespace, words.whitespace_split = ",", True
    flags: Flags = {}
    try:
        for word in filter(None, map(str.strip, words)):
            name, equals, value = word.partition("=")
            if not equals:  # as in Theano no error
                _log.warning("%s: expected name=value, got %r: it is ignored", variable, word)
                continue
            flags[name.strip().replace("__", ".")] = value.strip(), variable
    except ValueError as error:
        raise ValueError(f"{variable}: {error}: separate flags by commas, floatX=float32,mode=FAST_RUN") from None
    return flags
