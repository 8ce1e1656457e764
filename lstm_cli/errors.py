"""The errors a user can meet, each with its exit code; what the system's errors mean; phrases that messages share."""

import errno
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path


class LstmError(Exception):
    """Something a user can act on: one message, no traceback."""

    exit_code: int = 1


class ConfigError(LstmError):
    """The config or the command line is wrong. Holds every problem found, one per line."""

    exit_code = 2


class DataError(LstmError):
    """A data file is missing or unreadable, or holds a sequence that cannot be used."""

    exit_code = 65


class CheckpointError(LstmError):
    """A checkpoint is missing, damaged or belongs to another model."""

    exit_code = 65


class Diverged(LstmError):
    """Training reached a loss, gradient or weight that is not finite."""

    exit_code = 70


class DiskError(LstmError):
    """The disk is full, or a path is not writable."""

    exit_code = 74


class RunBusy(LstmError):
    """Another process is using the run folder."""

    exit_code = 75


class Interrupted(LstmError):
    """A signal stopped the run after a checkpoint was written."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number  # 130 for SIGINT, 143 for SIGTERM


class CacheWarning(UserWarning):
    """Compiled code cannot be kept for the next process: this one works as well, and the next compiles it anew."""


class CheckpointWarning(UserWarning):
    """A checkpoint is used, although something about it cannot be verified."""


#: The system's errors where a disk, a quota or a limit takes no more, and what to do.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAKE_ROOM = "free some space, or raise the quota or the limit on file sizes (ulimit -f)"

#: What is said where memory ends, in lower case, by the loader of shared libraries and by others without a type for it.
_NO_MEMORY = ("failed to map segment", "cannot allocate memory", "unable to allocate", "out of memory",
              "cannot create executable memory", "std::bad_alloc", "cannot enable executable stack")  # fmt: skip


def lacks_memory(error: BaseException) -> bool:
    """Return whether an error is one of too little memory."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return any(reason in str(error).lower() for reason in _NO_MEMORY)


def nearest(word: object, choices: Iterable[str]) -> str | None:
    """Return the choice that is closest to a misspelled word; None if none is close."""
    known = {choice.lower(): choice for choice in choices}
    found = get_close_matches(str(word)[:60].lower(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else None


#: Entries of a folder among which the one that was meant is looked for.
_ENTRIES = 10_000


def nearest_beside(path: Path, fits: Callable[[Path], bool]) -> Path | None:
    """Return what is in the folder of a missing path, fits, and has the closest name; None if none is close."""
    try:
        names = [entry.name for entry in islice(path.parent.iterdir(), _ENTRIES) if fits(entry)]
    except OSError:
        return None
    found = nearest(path.name, names)
    return None if found is None else path.with_name(found)


def did_you_mean(meant: object | None) -> str:
    """Return the end of a message that suggests what was meant, as `nearest` finds it; empty for None."""
    return "" if meant is None else f" (did you mean {brief(meant)}?)"


def on_one_line(name: object) -> str:
    """Return a name of a user's for messages, with escapes for line ends and all else that terminals do not print."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))


def shown_path(path: Path) -> str:
    """Return a path for messages: relative if it is below the current folder, and on one line."""
    try:
        text = str(path.relative_to(Path.cwd())) if path.is_absolute() else str(path)
    except ValueError:
        text = str(path)
    return on_one_line(text)


def on_lines(text: object, *, indented: bool = False) -> str:
    """Return a message of several lines with escapes for all but the line ends that terminals do not print.

    In a note only lines that are `indented` belong to it; another line end is one of a name.
    """
    end = "\n  " if indented else "\n"
    return end.join(map(on_one_line, str(text).split(end)))


#: Characters of a name that a message shows: files may have names of megabytes.
_LONG = 200


def brief(name: object) -> str:
    """Return the beginning of a name on one line, which is all of it unless it is very long."""
    text = str(name)
    return on_one_line(text if len(text) <= _LONG else f"{text[:_LONG]}…")


def listed(names: Sequence[object], most: int = 10) -> str:
    """Return the first names of a list on one line, and how many more there are."""
    return ", ".join(map(brief, names[:most])) + and_more(len(names) - most)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the singular for 1."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def are(count: int) -> str:
    """Return the verb after a count: is for 1, else are."""
    return "is" if count == 1 else "are"


def duration(seconds: float) -> str:
    """Return a time in its two largest units: 9 s, 4 min 05 s, 2 h 10 min."""
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60:02d} s"
    return f"{total // 3600} h {total % 3600 // 60:02d} min"


def and_more(count: int, before: str = " ") -> str:
    """Return the end of a list that leaves out `count` entries; `before` separates it from them."""
    return f"{before}and {count} more" if count > 0 else ""
