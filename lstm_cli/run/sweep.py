"""The folder of a sweep: a file that says what it is, ordinary run folders beside it, and a link to the best one.

sweep.json          {"id", "study", "storage", "monitor"}
trial-0000/ …       run folders
best                a link to the run with the best monitored score
journal.log         the study, where it is not in a database
report.html         all trials side by side
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from lstm_cli.errors import CheckpointError, on_one_line
from lstm_cli.plain_files import read_own

SWEEP: Final = "sweep.json"
JOURNAL: Final = "journal.log"
LINK: Final = "best"
PAGE: Final = "report.html"
_TRIAL = re.compile(r"trial-(\d{4,})")


def is_sweep(folder: Path) -> bool:
    """Return whether a folder holds a sweep."""
    return (folder / SWEEP).is_file()


def read_sweep(folder: Path) -> dict[str, Any]:
    """Return what ``sweep.json`` says.

    Raises
    ------
    CheckpointError
        The file is damaged.
    """
    path = folder / SWEEP
    try:
        found: dict[str, Any] = json.loads(read_own(path))
        if not all(isinstance(found[key], str) for key in ("id", "study", "monitor")):
            raise ValueError(path)
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"{on_one_line(path)}: damaged: restore the file that lstm sweep wrote") from None
    return found


def trial_name(number: int) -> str:
    """Return the name of the run folder of a trial."""
    return f"trial-{number:04d}"


def trial_number(name: str) -> int:
    """Return the number of the trial that has a run folder of this name."""
    found = _TRIAL.fullmatch(name)
    if found is None:
        raise ValueError(name)
    return int(found[1])
