"""Where the outputs of `lstm-predict` may be written: not onto what is read, a run's own files, a folder or each other.

Checked before any work, and before anything is opened for writing.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.run.ownership import owner, same

#: Descriptors of the standard streams.
_STDIN, _STDOUT = 0, 1


def check_outputs(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path | None]) -> None:
    """Raise the `ConfigError` that names an output, by its option, that would be written onto something else.

    Parameters
    ----------
    outputs, inputs
        The paths by their options; None for those not given. An input ``-`` is standard input, and without ``-o``
        predictions go to standard output.
    """
    read, written = (
        {option: Path(path) for option, path in paths.items() if path is not None} for paths in (inputs, outputs)
    )
    if "-o" not in written:
        _check_stdout(read)
    for option, path in written.items():
        name = f"{option} {shown_path(path)}"
        if path.is_dir():
            raise ConfigError(f"{name}: is a folder: give the name of a file in it")
        for other, source in read.items():
            if _is_read(path, source):
                raise ConfigError(f"{name}: is the file that is read as {_role(other, source)}: give another name")
        if (run := owner(path)) is not None:
            raise ConfigError(f"{name}: belongs to the run {shown_path(run)}: give another name, or another folder")
    _check_apart(written)


def _check_apart(outputs: Mapping[str, Path]) -> None:
    """Refuse two outputs in one file, also if it does not exist yet."""
    options = list(outputs)
    for place, option in enumerate(options):
        for other in options[:place]:
            one, two = outputs[option], outputs[other]
            both = one.name.casefold() == two.name.casefold() and same(one.parent, two.parent)
            if not _is_stream(one) and (both or same(one, two)):
                raise ConfigError(f"{option} {shown_path(one)}: is the file that {other} writes: give another name")


def _check_stdout(inputs: Mapping[str, Path]) -> None:
    """Refuse a standard output that was appended to a file that is read, which would then never end."""
    written = _status(_STDOUT)
    for option, source in inputs.items():
        if written is not None and stat.S_ISREG(written.st_mode) and _same_status(written, source):
            what = f"standard output: is the file that is read as {_role(option, source)}"
            raise ConfigError(f"{what}: write to another file with -o")


def _is_read(path: Path, source: Path) -> bool:
    """Return whether an output is a file that is read; devices and pipes may be both."""
    written = _status(path)
    return written is not None and stat.S_ISREG(written.st_mode) and _same_status(written, source)


def _same_status(written: os.stat_result, source: Path) -> bool:
    read = _status(_STDIN if str(source) == "-" else source)
    return read is not None and os.path.samestat(written, read)


def _status(path: Path | int) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None


def _is_stream(path: Path) -> bool:
    """Return whether a path is a pipe or a device, such as ``/dev/null``, to which several may write."""
    status = _status(path)
    return status is not None and not stat.S_ISREG(status.st_mode)


def _role(option: str, source: Path) -> str:
    return "standard input" if str(source) == "-" else option
