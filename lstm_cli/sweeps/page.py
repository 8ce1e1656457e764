"""The page of a sweep, of what its study holds; ``lstm report`` makes it again of ``report.json``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from lstm_cli.config.config import Config
from lstm_cli.config.space import Parameter
from lstm_cli.errors import CheckpointError, on_one_line
from lstm_cli.plain_files import read_own
from lstm_cli.report.sweep import Searched, SweepContents, SweepTrial, page
from lstm_cli.run.files import replace_file
from lstm_cli.run.names import REPORT_DATA
from lstm_cli.run.sweep import PAGE, trial_name
from lstm_cli.run.sweep import is_sweep as is_sweep
from lstm_cli.sweeps.trials import Found
from lstm_cli.typed_json import WrongValue, built, plain

_OPTIONAL = frozenset(each.name for kind in (SweepContents, SweepTrial, Searched) for each in fields(kind))


def write_page(
    folder: Path,
    config: Config,
    space: Sequence[Parameter],
    trials: Sequence[Found],
    importance: Mapping[str, float],
    *,
    training: bool,
) -> None:
    """Write the page of a sweep into its folder, and what it says as JSON."""
    keys = tuple(Searched(each.key, each.choices, each.low, each.high, each.log) for each in space)
    unit = "epoch" if config.train.evaluate_every.unit == "epoch" else "step"
    found = tuple(_trial(trial, unit) for trial in trials)
    contents = SweepContents(folder.name, config.train.monitor, unit, training, keys, found, dict(importance))
    replace_file(folder / REPORT_DATA, (json.dumps(plain(contents)) + "\n").encode())
    _write(folder, contents)


def remake(folder: Path) -> Path:
    """Make the page of a sweep again; return its path.

    Raises
    ------
    CheckpointError
        What it is made of is missing or damaged.
    """
    path = folder / REPORT_DATA
    try:
        contents = built(SweepContents, json.loads(read_own(path)), _OPTIONAL)
    except (OSError, ValueError, WrongValue) as error:
        fix = "repeat the lstm sweep command, which makes it again"
        raise CheckpointError(f"{on_one_line(path)}: missing or damaged ({error}): {fix}") from None
    _write(folder, contents)
    return folder / PAGE


def _write(folder: Path, contents: SweepContents) -> None:
    replace_file(folder / PAGE, page(contents).encode(errors="backslashreplace"))


def _trial(trial: Found, unit: str) -> SweepTrial:
    return SweepTrial(
        name=trial_name(trial.number),
        state=trial.state,
        values=dict(trial.values),
        value=trial.value,
        at=f"{unit} {trial.at[unit]:,}" if trial.at else "",
        scores=tuple((float(at), value) for at, value in trial.scores.items()),
        note=trial.reason or trial.place,
        here=not trial.place,
    )
