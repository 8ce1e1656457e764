"""What a report says of a run that is about to train: from the event that opens it, and the files in its folder."""

from pathlib import Path
from typing import Any

from lstm_cli.errors import CheckpointError
from lstm_cli.plain_files import read_own
from lstm_cli.report.contents import Contents, Layer, NaiveScore, from_json
from lstm_cli.run.environment import Surroundings, read_environment
from lstm_cli.run.names import REPORT_DATA
from lstm_cli.training.events import Started
from lstm_cli.typed_json import WrongValue

MOST = 1 << 26  # bytes of report.json, far more than it has


def described(start: Started) -> Contents:
    """Return the contents of the report of a run that trains."""
    return Contents(
        run=start.run,
        folder=str(start.folder),
        state="training",
        status="training",
        monitor=start.monitor,
        epochs=start.epochs,
        total_steps=start.total_steps,
        config_set=start.config_set,
        settings=start.settings,
        model=tuple(Layer(part.name, part.description, part.parameters) for part in start.model),
        facts=start.facts,
        baselines=tuple(
            NaiveScore(baseline.name, baseline.title, baseline.split, dict(baseline.metrics))
            for baseline in start.baselines
        ),
        **surroundings(start.folder),
    )


def surroundings(run: Path) -> dict[str, Any]:
    """Return date, command, versions and machine of a run, of those that ``environment.json`` holds in its version."""
    try:
        found = Surroundings.of(read_environment(run))
    except CheckpointError:
        found = Surroundings()
    return {name: getattr(found, name) for name in ("started", "command", "versions", "machine")}


def earlier_notes(start: Started) -> tuple[str, ...]:
    """Return the notes of a run's earlier sessions, those that its report shows."""
    if not start.first_step:
        return ()
    try:
        return from_json(read_own(start.folder / REPORT_DATA, most=MOST)).notes
    except (OSError, WrongValue):
        return ()
