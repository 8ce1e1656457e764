"""Run folders with forged content and right hashes, and runs that are small but have something of every kind."""

import hashlib
import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.errors import Interrupted
from lstm_cli.run import checkpoint
from lstm_cli.run.names import BEST, LAST, MANIFEST
from tests.support.config import merged
from tests.support.runs import TEXT, Watcher, small_config, train, watched, write_data

#: Takes the place of every value of a file in turn; `DELETED` takes it out.
DELETED = object()
HOSTILE: list[Any] = [
    DELETED, None, True, -1, 0, 1, 1.5, 1e308, float("nan"), float("inf"), 10**30, "", "x", "\ud800", [], {}, [[0]],
    {"a": {"a": []}},
]  # fmt: skip
RICH = {
    "train": "rich.jsonl",
    "time": "time",
    "calendar": ["hour"],
    "target": {"column": "load", "kind": "number", "per": "step", "ahead": 1, "horizon": 2},
    "transform": {"load": ["log", "seasonal_difference(3)"]},
    "missing": {"fill": {"pair": "mean"}, "indicator": True},
    "valid": None,
    "inputs": {
        "load": {},
        "heat": {"known": True},
        "word": "tokens",
        "end": {"of": "word", "last": 1},
        "sets": {},
        "place": {"static": True},
        "pair": {},
    },
}


RICH_CONFIG = {
    "data": RICH,
    "optimizer": "nadam",
    "train": {"epochs": 3, "monitor": "train.loss", "patience": None},
}


def write_rich(folder: Path) -> list[dict[str, Any]]:
    """Write sequences with inputs of every kind to rich.jsonl; return its rows."""
    draw, rows = np.random.default_rng(5), []
    for number in range(6):
        steps = 12 + number
        pair: list[Any] = draw.normal(size=(steps, 2)).round(2).tolist()
        pair[1][1] = None
        rows.append(
            {
                "id": f"s{number}",
                "time": [f"2020-01-01 {hour:02}:00" for hour in range(steps)],
                "load": np.exp(draw.normal(size=steps)).round(3).tolist(),
                "heat": draw.normal(size=steps).round(3).tolist(),
                "word": draw.choice(["On", "off", "out"], steps).tolist(),
                "sets": [["a", "b"][: draw.integers(0, 3)] for _ in range(steps)],
                "place": float(number),
                "pair": pair,
            }
        )
    (folder / "rich.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def rich_run(folder: Path) -> Path:
    """Train a run with inputs of every kind on numbers of two later steps."""
    write_rich(folder)
    train(small_config(folder, **merged(RICH_CONFIG, {"train": {"epochs": 2}})), folder / "rich")
    return folder / "rich"


def text_changes() -> dict[str, Any]:
    """Return the config of a text model that carries states, with a schedule and an optimizer that have state."""
    schedule = {"name": "plateau", "warmup": 0}
    return {"data": TEXT, "optimizer": "adam", "train": {"epochs": 3, "schedule": schedule, "patience": None}}


def text_run(folder: Path) -> Path:
    """Train a text model, stopped in the middle of an epoch."""
    write_data(folder)
    watcher = Watcher(14, lambda: signal.raise_signal(signal.SIGINT))
    with suppress(Interrupted):
        watched(small_config(folder, **text_changes()), folder / "text", watcher)
    return folder / "text"


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside JSON, objects and lists too."""
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return JSON with another value at a path, or without it."""
    forged = deepcopy(content)
    inside = forged
    for key in path[:-1]:
        inside = inside[key]
    if value is DELETED:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return forged


def encoded(content: Any) -> bytes:
    """Return JSON as bytes, as this tool writes it."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")


def forge_file(state: Path, name: str, content: bytes) -> None:
    """Replace a file of a checkpoint, and every hash of it."""
    (state / name).write_bytes(content)
    digest = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    _reseal(state, lambda manifest: manifest["files"].update({name: digest}))


def forge_schema(run: Path, name: str, content: bytes) -> None:
    """Replace a file of a run's schema, and its hashes in both checkpoints."""
    (run / name).write_bytes(content)
    facts = {"digests": hashlib.sha256(content).hexdigest(), "sizes": len(content)}

    def change(manifest: dict[str, Any]) -> None:
        for key, fact in facts.items():
            manifest["identity"].setdefault(key, {})[name] = fact  # earlier versions have no sizes

    for state in (run / BEST, run / LAST):
        if state.is_dir():
            _reseal(state, change)


def _reseal(state: Path, change: Any) -> None:
    manifest = json.loads((state / MANIFEST).read_bytes())
    change(manifest)
    (state / MANIFEST).write_bytes(checkpoint._sealed({**manifest, "sha256": checkpoint.UNHASHED}))
