"""Trains an ensemble, or the folds of a cross-validation, into a folder, and reports the scores of its members."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_cli.engine.metrics import scores_of
from lstm_cli.errors import LstmError, counted, listed, on_one_line
from lstm_cli.run.ensemble import FOLDS, write_members
from lstm_cli.run.metrics_log import best_entry, read_entries
from lstm_cli.run.names import METRICS
from lstm_cli.scores.over_runs import over_runs
from lstm_cli.signals import Signals
from lstm_cli.training.members.plan import Plan
from lstm_cli.training.members.processes import MemberEvent
from lstm_cli.training.members.run import Training

if TYPE_CHECKING:
    from lstm_cli.insight.out_of_fold import OutOfFold

Spread = dict[str, dict[str, float]]


class MembersFailed(LstmError):
    """Some of the trainings ended with an error; the exit code is that of the first."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Trained:
    """An ensemble: its folder and its scores.

    Attributes
    ----------
    folder
        The folder of the ensemble.
    members
        The run folder of each.
    scores
        By split: the scores of the best state of each member, by folder.
    spread
        By split: the ``mean`` of each score, and the standard ``deviation`` (n - 1).
    out_of_fold
        Of a cross-validation: the predictions of what each fold held out, and their scores.
    """

    folder: Path
    members: tuple[Path, ...]
    scores: dict[str, dict[str, dict[str, float]]]
    spread: dict[str, Spread]
    out_of_fold: "OutOfFold | None" = None


def train_members(plan: Plan, listener: Callable[[MemberEvent, Training], None]) -> Trained:
    """Train the members of a plan that are not trained yet; `listener` is called with what happens.

    Raises
    ------
    MembersFailed
        Some ended with an error; the others are trained.
    Interrupted
        A signal came; every member has saved its state.
    DiskError
        The folder cannot be written to.
    """
    with Signals() as signals:
        write_members(plan.folder, plan.names, kind=plan.kind)
        training = Training(plan, signals)
        for event in training:
            listener(event, training)
        if signals.received is not None:
            raise signals.interrupted("after every run had saved its state; --resume continues them")
    failed = {name: code for name, code in training.codes.items() if code}
    if failed:
        raise MembersFailed(_failure(plan, failed), next(code if code > 0 else 1 for code in failed.values()))
    trained = _trained(plan)
    if plan.kind is not FOLDS:
        write_members(plan.folder, plan.names, trained.spread)
        return trained
    from lstm_cli.insight.out_of_fold import out_of_fold  # only here: it brings what predicts

    found = out_of_fold(trained.members, plan.folder)
    described = {"file": found.file.name, "sequences": found.sequences, "scores": found.scores}
    write_members(plan.folder, plan.names, trained.spread, plan.kind, out_of_fold=described)
    return replace(trained, out_of_fold=found)


def _failure(plan: Plan, failed: dict[str, int]) -> str:
    names = [f"{name} ({_ending(code)})" for name, code in failed.items()]
    fix = "its message is above" if len(failed) == 1 else "their messages are above"
    return (
        f"{on_one_line(plan.folder)}: {counted(len(failed), 'training')} of {len(plan.members)} failed: "
        f"{listed(names)}: {fix}; the same command with --resume continues"
    )


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"


def _trained(plan: Plan) -> Trained:
    folders = tuple(plan.folder_of(member) for member in plan.members)
    found = {str(folder): _scores(folder, plan.config.train.monitor) for folder in folders}
    splits = [split for split in ("valid", "test") if all(split in scores for scores in found.values())]
    scores = {split: {folder: each[split] for folder, each in found.items()} for split in splits}
    return Trained(plan.folder, folders, scores, {split: over_runs(list(scores[split].values())) for split in splits})


def _scores(folder: Path, monitor: str) -> dict[str, dict[str, float]]:
    """Return the scores of the best state of a run, by split."""
    entries = read_entries(folder / METRICS)
    best: dict[str, Any] = {"valid": best_entry(monitor, [entry for entry in entries if entry["split"] == "valid"])}
    best["test"] = next((entry for entry in reversed(entries) if entry["split"] == "test"), None)
    return {
        split: {name: value for name, value in scores_of(entry).items() if value is not None}
        for split, entry in best.items()
        if entry is not None
    }
