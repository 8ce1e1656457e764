"""From data files to a config that trains as it is: looks, chooses, writes, and opens the data as training does."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_cli.config import config_of_text
from lstm_cli.data import Data, open_data
from lstm_cli.engine.agreement import check_agreement
from lstm_cli.errors import ConfigError, counted, did_you_mean, listed, nearest
from lstm_cli.insight.draft.data_section import data_entries
from lstm_cli.insight.draft.files import Files, files_for
from lstm_cli.insight.draft.inputs import inputs_for
from lstm_cli.insight.draft.look import Look, look
from lstm_cli.insight.draft.network import network_entries
from lstm_cli.insight.draft.settings import settings_for
from lstm_cli.insight.draft.splits import HeldOut, held_out, without_valid
from lstm_cli.insight.draft.targets import TASKS, Ambiguous, Candidate, Task, chosen
from lstm_cli.insight.draft.text import Entry, config_text

#: Chooses among targets that fit.
Choose = Callable[[Sequence[Candidate]], Candidate | None]
_PLACE = re.compile(r"^.*?:\d+:\d+: ")
_PREDICTS: dict[Task, str] = {
    "classify": "a label for each sequence",
    "tag": "a label for each step",
    "regress": "a number",
    "forecast": "later values",
    "language-model": "the next step",
}


@dataclass(frozen=True)
class Draft:
    """A config for data files.

    Attributes
    ----------
    text
        The YAML file.
    task
        What it trains: one of `TASKS`.
    target
        The column that is predicted; None: the next step of the inputs.
    seen
        What the data holds, in a line.
    """

    text: str
    task: Task
    target: str | None
    seen: str


def draft_config(
    data: str | Path | Sequence[str | Path],
    *,
    path: str | Path = "config.yaml",
    target: str | None = None,
    task: str | None = None,
    choose: Choose | None = None,
) -> Draft:
    """Return a commented config for data files, which trains as it is.

    Parameters
    ----------
    data
        A file, a pattern, a folder, or a list of them, relative to the current folder. Files beside a training file
        that are named like it, but for the split, are used as validation and test data.
    path
        Where the config will be: relative paths in it are relative to this file's folder. Nothing is written.
    target
        The column to predict, or ``next``; None: the one that fits.
    task
        ``classify``, ``tag``, ``regress``, ``forecast`` or ``language-model``; None: the one that fits.
    choose
        Chooses where several targets fit; None: that is an error, which names them.

    Raises
    ------
    ConfigError
        Several targets fit, or none does.
    DataError
        The data cannot be read.
    """
    if task is not None and task not in TASKS:
        hint = did_you_mean(nearest(task, TASKS))
        raise ConfigError(f"--task: got {task}, expected one of {', '.join(TASKS)}{hint}")
    wanted: Task | None = next((known for known in TASKS if known == task), None)
    names = [str(data)] if isinstance(data, str | Path) else [str(one) for one in data]
    files = files_for(names, Path(path).parent)
    seen = look(files.training)
    try:
        candidate = chosen(seen, files.shown, target, wanted, asked=choose is not None)
    except Ambiguous as several:
        if choose is None:
            raise
        answer = choose(several.candidates)
        if answer is None:
            raise
        candidate = answer
    return _draft(files, seen, candidate, Path(path))


def _draft(files: Files, seen: Look, candidate: Candidate, path: Path) -> Draft:
    """Return the config for a target."""
    inputs = inputs_for(seen, candidate)
    settings = settings_for(seen, candidate, inputs)
    shown = _seen(files, seen)
    head = _head(candidate, shown, path)
    seed = Entry("seed", 1, "the same seed gives the same model")

    def read(held: Sequence[HeldOut]) -> tuple[list[Entry], Data]:
        section = data_entries(files, seen, candidate, inputs, held, settings)
        entries = [seed, Entry("data", section, "")]
        return entries, _opened(config_text(head, entries), path, files.shown)

    entries, data = read(held := held_out(seen, candidate, files.others))
    if (rest := without_valid(held, data)) is not None:
        entries, data = read(rest)
    text = config_text(head, [*entries, *network_entries(data)])
    check_agreement(config_of_text(text, path), data.schema)
    return Draft(text, candidate.task, candidate.column, shown)


def _opened(text: str, path: Path, shown: str) -> Data:
    """Return the data that a config reads; an error does not name a file that was not written."""
    try:
        return open_data(config_of_text(text, path))
    except ConfigError as error:
        problem = _PLACE.sub("", str(error).partition("\n")[0])
        fix = "choose another --target or --task, or write a config by hand"
        raise ConfigError(f"{shown}: no config was written, as it would not train: {problem}: {fix}") from None


def _seen(files: Files, seen: Look) -> str:
    low, high = min(seen.lengths), max(seen.lengths)
    extent = counted(high, "step") if low == high else f"{low:,} to {high:,} steps"
    by = f" by {listed(seen.arrangement.ids)}" if seen.arrangement.ids else ""
    of = f" of {extent}" if high > 1 else ""  # texts are cut into steps only later
    return f"{files.shown}: {seen.form}, {counted(len(seen.lengths), 'sequence')}{by}{of}"


def _head(candidate: Candidate, seen: str, path: Path) -> list[str]:
    of = f" ({candidate.column})" if candidate.column else ""
    return [
        f"Predicts {_PREDICTS[candidate.task]}{of}. {seen}.",
        "Written by lstm init from what the data shows; every key may be changed. Next:",
        "",
        f"    lstm check {path}",
        f"    lstm-train {path}",
    ]
