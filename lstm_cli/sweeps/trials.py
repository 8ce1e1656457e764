"""Trials as a study stores them, and what this package makes of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lstm_cli.config.space import Parameter
from lstm_cli.sweeps.folder import Owner, SweepFolder

#: Attributes of a trial: whose it is, which trial it repeats, whether it counts, why it failed, what its best score is.
OWNER, AGAIN, UNCOUNTED, REASON, BEST = "owner", "again", "uncounted", "reason", "best"

State = Literal["running", "stopped", "trained", "pruned", "failed"]


@dataclass(frozen=True)
class Trial:
    """A trial to train.

    Attributes
    ----------
    number
        From 0 on, over all machines.
    values
        By key, as JSON.
    again
        Whether its run is to be continued.
    """

    number: int
    values: Mapping[str, str]
    again: bool = False


@dataclass(frozen=True)
class Found:
    """A trial of the study, for reports.

    Attributes
    ----------
    number, values
        As in `Trial`.
    state
        What became of it.
    value
        Its best monitored score; None where there is none.
    scores
        The monitored score by epoch, or by update where evaluations are counted in updates.
    reason
        Why it failed; empty otherwise.
    place
        The machine and the folder of its run, where that is not this one; empty otherwise.
    at
        Epoch and update of the best score.
    """

    number: int
    values: Mapping[str, str]
    state: State
    value: float | None
    scores: Mapping[int, float]
    reason: str = ""
    place: str = ""
    at: Mapping[str, int] | None = None


def described(trial: Any, space: Sequence[Parameter], folder: SweepFolder) -> Found:
    """Return what there is to say of a stored trial in the folder of a worker."""
    best = trial.user_attrs.get(BEST) or {}
    owner = Owner.of(trial.user_attrs.get(OWNER))
    stopped = owner is not None and (owner.stopped or folder.lives(owner) is False)
    states: dict[str, State] = {"COMPLETE": "trained", "PRUNED": "pruned", "FAIL": "failed"}
    state = states.get(trial.state.name, "stopped" if stopped else "running")
    own = owner is None or owner.folder == folder.identity
    return Found(
        number=trial.number,
        values=texts(space, trial.params),
        state=state,
        value=best.get("value", trial.value if state == "trained" else None),
        scores=dict(sorted(trial.intermediate_values.items())),
        reason=trial.user_attrs.get(REASON, ""),
        place="" if own or owner is None else f"{owner.host}:{owner.path}",
        at={key: best[key] for key in ("epoch", "step")} if best else None,
    )


def counted(trials: Sequence[Any]) -> Iterator[Any]:
    """Yield the trials without those that were replaced, or failed before anything was trained."""
    replaced = {trial.user_attrs.get(AGAIN) for trial in trials}
    for trial in trials:
        if trial.number not in replaced and not trial.user_attrs.get(UNCOUNTED):
            yield trial


def suggested(trial: Any, parameter: Parameter) -> Any:
    """Return the value that the study's sampler proposes for a key."""
    if parameter.choices:
        return trial.suggest_categorical(parameter.key, parameter.choices)
    if parameter.whole:
        return trial.suggest_int(parameter.key, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.key, parameter.low, parameter.high, log=parameter.log)


def texts(space: Sequence[Parameter], params: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a trial as JSON; choices are JSON already."""
    return {
        parameter.key: params[parameter.key] if parameter.choices else json.dumps(params[parameter.key])
        for parameter in space
        if parameter.key in params
    }


def age(trial: Any) -> float:
    """Return the seconds since a trial was started, by the clock of the machine that started it."""
    return (datetime.now() - trial.datetime_start).total_seconds() if trial.datetime_start else 0.0
