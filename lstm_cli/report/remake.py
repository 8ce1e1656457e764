"""``lstm report``: makes the report of a run again, from its files."""

import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lstm_cli.errors import CheckpointError
from lstm_cli.insight.explanation import Explanation
from lstm_cli.plain_files import read_own
from lstm_cli.report.contents import Contents, from_json
from lstm_cli.report.description import MOST, described
from lstm_cli.report.report import NOTES, at_end, stopped, write
from lstm_cli.run.lock import is_held
from lstm_cli.run.metrics_log import read_entries
from lstm_cli.run.names import METRICS, REPORT, REPORT_DATA, RESOLVED
from lstm_cli.run.origin import no_run
from lstm_cli.training.ending import UNEXPLAINED
from lstm_cli.typed_json import WrongValue

Note = Callable[[str], None]


def make_report(run: str | Path, *, trust: bool = False, note: Note = lambda text: None) -> Path:
    """Make the report of a run again: ``report.html``, from ``report.json`` and ``metrics.jsonl``.

    What the report of a finished run lacks, because an earlier version trained it or it was stopped, is made of the
    run's data where that can be opened. Of a run that is being trained at the moment only the page is made.

    Parameters
    ----------
    run : str or Path
        The run folder.
    trust : bool
        Allow running the code in the folder, of a system that the model drives.
    note : callable
        Called with what the report lacks, and why.

    Returns
    -------
    page : Path

    Raises
    ------
    CheckpointError
        The folder contains no run, or one of its files is damaged.
    DiskError
        It cannot be written to.

    Examples
    --------
    >>> lstm_cli.make_report("runs/quickstart")
    PosixPath('runs/quickstart/report.html')
    """
    folder = Path(run)
    if not os.path.lexists(folder / RESOLVED):
        raise no_run(folder)
    held = is_held(folder)  # asked first: a run that ends in between is not taken for one that stopped
    kept = _kept(folder)
    training = held or (held is None and kept is not None and kept.state == "training")
    contents = _from_files(folder, trust, note) if kept is None else _moved(kept, folder)
    if not training and contents.state == "training":
        from lstm_cli.training.reopened import WITHOUT_END

        contents = stopped(contents, WITHOUT_END)
    if not training and kept is not None and contents.explanation is None:
        from lstm_cli.training.reopened import explained

        contents = _explained(contents, explained(folder, trust=trust, note=note))
    write(contents, read_entries(folder / METRICS), page_only=training)
    return folder / REPORT


def _explained(contents: Contents, explanation: Explanation | None) -> Contents:
    """Return the contents with an explanation, and without the note that it is missing."""
    if explanation is None:
        return contents
    notes = tuple(note for note in contents.notes if UNEXPLAINED not in note)
    return replace(contents, explanation=explanation, notes=notes)


def _kept(folder: Path) -> Contents | None:
    """Return what ``report.json`` holds; None where an earlier version, or none yet, wrote one."""
    path = folder / REPORT_DATA
    try:
        return from_json(read_own(path, most=MOST))
    except FileNotFoundError:
        return None
    except (OSError, WrongValue) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"{path}: damaged: {what}: remove it, and it is made again") from None


def _moved(contents: Contents, folder: Path) -> Contents:
    """Return the contents for the folder where the run is now; commands name that too."""
    if contents.folder == str(folder):
        return contents
    before, now = (shlex.quote(name) for name in (contents.folder, str(folder)))
    commands = tuple(replace(each, command=f"{each.command} ".replace(f" {before} ", f" {now} ").rstrip())
                     for each in contents.next)  # fmt: skip
    return replace(contents, run=folder.name, folder=str(folder), next=commands)


def _from_files(folder: Path, trust: bool, note: Note) -> Contents:
    """Return the contents of the report of a run without ``report.json``."""
    from lstm_cli.training.reopened import reopened

    found = reopened(folder, trust=trust, note=note)
    contents = replace(described(found.start), explanation=found.explanation, notes=found.notes[:NOTES])
    return contents if found.end is None else at_end(contents, found.end, found.start.next_commands)
