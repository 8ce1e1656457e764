"""Runs side by side: the keys of their configs that differ, and their scores.

>>> print(lstm_cli.compare(["runs/a", "runs/b"]).runs[0].scores["valid"])
{'loss': 0.21, 'accuracy': 0.95}
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from lstm_cli.engine.metrics import direction
from lstm_cli.errors import CheckpointError, ConfigError, LstmError, listed, on_one_line, shown_path
from lstm_cli.insight.compared import Compared, Comparison, Settings
from lstm_cli.insight.run_record import RunRecord, run_record, scores_in
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.run.config_changes import flattened
from lstm_cli.run.files import replace_file
from lstm_cli.run.names import BEST, LAST, RESOLVED
from lstm_cli.run.ownership import is_run
from lstm_cli.scores.skill import skills


def compare(runs: str | Path | Iterable[str | Path]) -> Comparison:
    """Compare runs: the keys of their configs that differ, their scores, size and speed.

    Parameters
    ----------
    runs : path or iterable of paths
        Run folders, or folders of run folders.

    Returns
    -------
    comparison : Comparison
        What cannot be read is left out, with a note.

    Raises
    ------
    CheckpointError
        No run could be read.
    """
    given = [runs] if isinstance(runs, str | Path) else list(runs)
    records, notes = _records([Path(path) for path in given])
    if not records:
        if not notes:
            raise ConfigError("expected run folders, or a folder of them")
        raise CheckpointError("\n".join(notes))
    configs = [settings(record) for record in records]
    differing = [key for key in _keys(configs) if len({repr(config.get(key, _UNSET)) for config in configs}) > 1]
    made = [
        _compared(record, {key: config[key] for key in differing if key in config})
        for record, config in zip(records, configs, strict=True)
    ]
    monitor, _ = Counter(run.monitor for run in made).most_common(1)[0]
    notes += [*_differences(records, monitor)]
    return Comparison(tuple(sorted(made, key=lambda run: _rank(run, monitor))), monitor, tuple(notes))


def compare_file(runs: Iterable[str | Path], *, out: Path | None, page: Callable[[Comparison], str]) -> Comparison:
    """Compare runs, and with `out` write the `page` of the comparison there, completely or not at all."""
    if out is not None:
        if out.suffix.lower() != ".html":
            raise ConfigError(f"-o {shown_path(out)}: expected a name that ends with .html")
        check_outputs({"-o": out}, {})
    found = compare(runs)
    if out is not None:
        replace_file(out, page(found).encode(errors="backslashreplace"))
    return found


_UNSET = object()


def settings(record: RunRecord) -> Settings:
    """Return a run's config by dotted key; what a layer has from the model is not repeated."""
    values = record.config.model_dump(mode="json")
    model = values["model"]
    layers = [
        {key: value for key, value in layer.items() if key == "size" or value != model.get(key)}
        for layer in model["layers"]
    ]
    return dict(flattened({**values, "model": {**model, "layers": layers}}))


def _keys(configs: Sequence[Settings]) -> list[str]:
    return list(dict.fromkeys(key for config in configs for key in config))


def _records(paths: Iterable[Path]) -> tuple[list[RunRecord], list[str]]:
    """Return the runs that can be read, each once, and a note for each folder that cannot."""
    records, notes, seen = [], [], set[Path]()
    for path in paths:
        folders, note = _runs_in(path)
        notes += [note] * bool(note)
        for folder in folders:
            if folder.resolve() in seen:
                continue
            seen.add(folder.resolve())
            try:
                records.append(run_record(folder))
                notes += records[-1].problems
            except LstmError as error:
                notes.append(str(error).partition("\n")[0])
    return records, notes


def _runs_in(path: Path) -> tuple[list[Path], str]:
    """Return the run folders that a path stands for, itself or those in it, or a note why there are none."""
    shown = on_one_line(path)
    if not path.is_dir():
        what = "a file, expected the folder of a run" if path.exists() else "no such folder"
        return [], f"{shown}: {what}"
    if path.name in (BEST, LAST) and is_run(path.parent):
        return [], f"{shown}: a checkpoint: give the folder of its run, {on_one_line(path.parent)}"
    if os.path.lexists(path / RESOLVED) or is_run(path):
        return [path], ""
    inside = sorted(entry for entry in path.iterdir() if entry.is_dir() and is_run(entry))
    return inside, "" if inside else f"{shown}: contains no run"


def _compared(record: RunRecord, config: Settings) -> Compared:
    best, test, last = record.best, record.test, record.entries[-1] if record.entries else None
    rates = [rate for entry in record.entries if (rate := entry.get("steps_per_second")) is not None]
    saved = record.saved.get(BEST) or record.saved.get(LAST)
    scores = {entry["split"]: scores_in(entry) for entry in (best, test) if entry is not None}
    if best is not None and best.get("train_loss") is not None:
        scores.setdefault("train", {"loss": best["train_loss"]})
    baselines = _baselines(record.report, scores)
    return Compared(
        run=str(record.folder),
        state=record.state,
        monitor=record.monitor,
        scores=scores,
        config=config,
        baselines=baselines,
        skill=_skill(scores, baselines),
        best_step=None if best is None else best["step"],
        best_epoch=None if best is None else best["epoch"],
        steps=None if last is None else max(entry["step"] for entry in record.entries),
        epochs=None if last is None else max(entry["epoch"] for entry in record.entries),
        seconds=None if last is None else last.get("seconds"),
        steps_per_second=median(rates) if rates else None,
        parameters=None if saved is None else saved.parameters,
        started=record.environment.started or None,
        entries=record.entries,
    )


def _baselines(report: Mapping[str, Any], scored: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return the scores of naive predictors in a report by split and name, of those that have the form of ours."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    listed = report.get("baselines")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("metrics"), dict) and str(one.get("split")) in scored:
            metrics = {str(key): value for key, value in one["metrics"].items() if type(value) in (int, float)}
            found.setdefault(one["split"], {})[str(one.get("name"))] = dict(metrics)
    return found


def _skill(
    scores: Mapping[str, Mapping[str, float | None]],
    baselines: Mapping[str, Mapping[str, Mapping[str, float | None]]],
) -> dict[str, dict[str, dict[str, float]]]:
    return {
        split: {name: skills(_known(scores[split]), _known(naive)) for name, naive in own.items()}
        for split, own in baselines.items()
    }


def _known(scores: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if value is not None}


def _rank(run: Compared, monitor: str) -> tuple[bool, float]:
    """Return the key that sorts runs, the best first."""
    value = run.monitored(monitor)
    if value is None:
        return True, 0.0
    return False, value if direction(monitor.partition(".")[2]) == "min" else -value


def _differences(records: Sequence[RunRecord], monitor: str) -> Iterable[str]:
    """Yield what keeps scores from being compared."""
    names = _names(records)
    others = [f"{name} {record.monitor}" for name, record in zip(names, records, strict=True)
              if record.monitor != monitor]  # fmt: skip
    if others:
        shown = listed(others)
        yield f"sorted by {monitor}, but other scores chose the best states of: {shown}"
    digests = [_digests(record) for record in records]
    for split, what in (("valid", "are scored on different validation data"), ("train", "learned from different data")):
        groups: dict[str, list[str]] = {}
        for name, own in zip(names, digests, strict=True):
            if isinstance(own.get(split), str):
                groups.setdefault(own[split], []).append(name)
        if len(groups) > 1:
            shown = " | ".join(listed(group, 4) for group in groups.values())
            yield f"runs {what}{', so that their scores do not compare' * (split == 'valid')}: {shown}"
    targets = {repr(record.config.data.target) for record in records}
    if len(targets) > 1:
        yield "runs predict different targets: their scores do not compare"


def _names(records: Sequence[RunRecord]) -> list[str]:
    """Return the names of runs; of those that share one their folders."""
    counts = Counter(record.name for record in records)
    return [record.name if counts[record.name] == 1 else str(record.folder) for record in records]


def _digests(record: RunRecord) -> Mapping[str, Any]:
    saved = record.saved.get(BEST) or record.saved.get(LAST)
    found = saved.identity.get("data") if saved is not None else None
    return found if isinstance(found, Mapping) else {}
