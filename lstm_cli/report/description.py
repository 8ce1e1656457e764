"""What a report says of a run that is about to train: from the event that opens it, and the files in its folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_cli.plain_files import read_own
from lstm_cli.report.contents import Contents, Layer, NaiveScore, from_json
from lstm_cli.run.names import ENVIRONMENT, REPORT_DATA
from lstm_cli.training.events import Started
from lstm_cli.typed_json import WrongValue

MOST = 1 << 26  # bytes of report.json and environment.json, far more than they have


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
        found = json.loads(read_own(run / ENVIRONMENT, most=MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    known = found if isinstance(found, dict) else {}
    command, started = known.get("command"), known.get("started")
    return {
        "started": started if isinstance(started, str) else "",
        "command": tuple(map(str, command)) if isinstance(command, list) else (),
        "versions": _texts(known.get("versions")),
        "machine": _texts(known.get("machine")),
    }


def _texts(values: Any) -> Mapping[str, str]:
    return {name: str(value) for name, value in values.items()} if isinstance(values, dict) else {}


def earlier_notes(start: Started) -> tuple[str, ...]:
    """Return the notes of a run's earlier sessions, those that its report shows."""
    if not start.first_step:
        return ()
    try:
        return from_json(read_own(start.folder / REPORT_DATA, most=MOST)).notes
    except (OSError, WrongValue):
        return ()
