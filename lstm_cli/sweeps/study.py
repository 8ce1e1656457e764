"""A study: which values the next trial has, which trials are lost and repeated, and which are stopped early.

It is Optuna's: its sampler (TPE) proposes, its pruner (median) stops, its storage keeps. A trial belongs to a worker,
which Optuna does not know; that is an attribute of the trial.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.space import Parameter
from lstm_cli.errors import ConfigError, listed
from lstm_cli.run.config_changes import compare_configs
from lstm_cli.run.metrics_log import smaller_is_better
from lstm_cli.sweeps.folder import Owner, SweepFolder
from lstm_cli.sweeps.patience import Patience
from lstm_cli.sweeps.storage import BEAT, GRACE, away, database, finished, importance_of, journal, quietly
from lstm_cli.sweeps.trials import (
    AGAIN,
    BEST,
    OWNER,
    REASON,
    UNCOUNTED,
    Found,
    Trial,
    age,
    counted,
    described,
    suggested,
    texts,
)

_SWEEP = "sweep"  # the attribute of a study that says what is searched
FEW = 8  # trials from which on it can be told which key matters
_UNOWNED = 600  # seconds after which a trial without an owner was made by a worker that was killed at once


class Study:
    """The study of a sweep, as the worker in a folder sees it.

    Parameters
    ----------
    config
        The config, with its section `sweep`.
    space
        What it searches.
    folder
        Where this worker's runs lie.
    note, stop
        As in `Patience`.

    Raises
    ------
    ConfigError
        The stored study searches another space, or trains another config.
    """

    def __init__(
        self,
        config: Config,
        space: Sequence[Parameter],
        folder: SweepFolder,
        note: Callable[[str], None] = lambda text: None,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        import optuna

        if config.sweep is None:
            raise ValueError("a config without a sweep")
        self._config, self._spec, self._space, self._folder = config, config.sweep, space, folder
        self._patience = Patience(away, note, stop)
        if self._spec.storage is None:
            self._storage = journal(folder.path)
        else:
            self._storage = database(self._spec.storage, self._patience)
        self._shared = self._spec.storage is not None
        pruner = optuna.pruners.MedianPruner(n_min_trials=3) if self._spec.prune else optuna.pruners.NopPruner()
        direction = "minimize" if smaller_is_better(config.train.monitor) else "maximize"
        with quietly():
            self._study = optuna.create_study(
                storage=self._storage, study_name=study_name(config), direction=direction, pruner=pruner,
                load_if_exists=True,
            )  # fmt: skip
        self._id = self._storage.get_study_id_from_name(self._study.study_name)
        self._own: dict[int, Any] = {}
        self._beaten_at = 0.0
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections to a database."""
        if self._shared:
            self._storage.scoped_session.remove()
            self._storage.engine.dispose()

    def _check(self) -> None:
        """Store what is searched; refuse a study that searches something else."""
        searched = {parameter.key: parameter.to_json() for parameter in self._space}
        now: dict[str, Any] = {
            "space": searched,
            "monitor": self._config.train.monitor,
            "config": self._config.model_dump(mode="json"),
        }
        before = self._study.user_attrs.get(_SWEEP)
        if before is None:
            self._study.set_user_attr(_SWEEP, now)
            return
        found = [key for key in {**before["space"], **searched} if before["space"].get(key) != searched.get(key)]
        found += ["train.monitor"] if before["monitor"] != now["monitor"] else []
        if not found:
            found = [change for change in compare_configs(before["config"], now["config"]).refused
                     if change.partition(":")[0] not in searched]  # fmt: skip
        if found:
            what = f"the study {self._study.study_name!r} was started with another sweep: {listed(found)}"
            raise ConfigError(f"{what}: choose another folder with -o, or in a database another name with sweep.study")

    def next(self) -> Trial | None:
        """Return the next trial to train: one that a worker in this folder left, or a new one; None: there is none."""
        with self._folder.claiming():
            return self._left() or self._new()

    def _left(self) -> Trial | None:
        """Return a trial of this folder whose worker stopped or was killed; give up those of other folders."""
        import optuna

        self._give_up_stale()
        for trial in self._running():
            owner = Owner.of(trial.user_attrs.get(OWNER))
            if owner is None:
                if age(trial) > _UNOWNED:
                    self._give_up(trial)
            elif owner.folder == self._folder.identity and not self._folder.lives(owner):
                number = trial.number
                with quietly():
                    self._own[number] = optuna.Trial(self._study, self._trial_id(number))
                if self._claim(number):
                    return Trial(number, texts(self._space, trial.params), again=True)
            elif not owner.stopped and self._folder.lives(owner) is False:
                self._give_up(trial)
        return None

    def _new(self) -> Trial | None:
        """Return a trial with values that the sampler proposes, or those of a trial that was lost."""
        import optuna
        from optuna.trial import TrialState

        trials = self._study.get_trials(deepcopy=False)
        waiting = any(trial.state == TrialState.WAITING for trial in trials)
        if not waiting and len(list(counted(trials))) >= self._spec.trials:
            return None
        with quietly():
            trial = self._study.ask()
            seed = (1_000_003 * self._config.seed + trial.number) % 2**32  # the same whichever worker asks
            self._study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
            params = {parameter.key: suggested(trial, parameter) for parameter in self._space}
        self._own[trial.number] = trial
        self._claim(trial.number)
        before = [other for other in counted(self._study.get_trials(deepcopy=False)) if other.number < trial.number]
        if not waiting and len(before) >= self._spec.trials:  # other machines were faster
            self.fail(trial.number, "one more than there were to be", counted=False)
            return None
        return Trial(trial.number, texts(self._space, params))

    def reported(self, number: int, at: int, value: float) -> bool:
        """Report the monitored score of a trial; return whether it is to be stopped."""
        trial = self._own.get(number)
        if trial is None:
            return False
        try:
            if at not in self._storage.get_trial(trial._trial_id).intermediate_values:
                trial.report(value, at)
            return bool(trial.should_prune())
        except finished():
            return self._lost(number)

    def finish(self, number: int, value: float, best: Mapping[str, int], *, pruned: bool) -> None:
        """Record what a trial reached."""
        from optuna.trial import TrialState

        self._set(number, BEST, {**best, "value": value})
        self._end(number, TrialState.PRUNED if pruned else TrialState.COMPLETE, None if pruned else value)

    def fail(self, number: int, reason: str, *, counted: bool = True) -> None:
        """Record that a trial failed; one that is not `counted` is replaced."""
        from optuna.trial import TrialState

        self._set(number, REASON, reason)
        if not counted:
            self._set(number, UNCOUNTED, True)
        self._end(number, TrialState.FAIL)

    def leave(self, number: int) -> None:
        """Record that a trial was stopped, to be continued in its folder."""
        self._set(number, OWNER, asdict(replace(self._folder.owner, stopped=True)))
        self._own.pop(number, None)

    def beat(self) -> None:
        """Have a database know, now and then, that the trials of this worker are trained."""
        if not self._shared or time.monotonic() - self._beaten_at < BEAT:
            return
        self._beaten_at = time.monotonic()
        for trial in self._own.values():
            self._storage.record_heartbeat(trial._trial_id)

    def found(self) -> list[Found]:
        """Return all trials that count, by number."""
        return [
            described(trial, self._space, self._folder) for trial in counted(self._study.get_trials(deepcopy=False))
        ]

    def best(self, *, own: bool = False) -> Found | None:
        """Return the best trial that was trained to its end, with `own` of this folder's; None: there is none."""
        sign = 1 if smaller_is_better(self._config.train.monitor) else -1
        done = [trial for trial in self.found() if trial.state == "trained" and not (own and trial.place)]
        return min(done, key=lambda trial: sign * (trial.value or 0.0), default=None)

    def importance(self) -> dict[str, float]:
        """Return how much of the differences each key explains, the largest first; empty where that is not known.

        It takes seconds where scikit-learn is installed, which Optuna then imports.
        """
        if len(self._space) < 2 or sum(trial.state == "trained" for trial in self.found()) < FEW:
            return {}
        return importance_of(self._study)

    def _running(self) -> list[Any]:
        from optuna.trial import TrialState

        return [trial for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
                if trial.number not in self._own]  # fmt: skip

    def _give_up_stale(self) -> None:
        """Replace trials of machines that gave no sign of life, unless the database was away a moment ago."""
        import optuna

        if not self._shared or self._patience.was_away_within(GRACE):
            return
        self._storage.heartbeat_stale_trial_callback = lambda study, trial: self._repeat(trial)
        with quietly():
            optuna.storages.fail_stale_trials(self._study)

    def _give_up(self, trial: Any) -> None:
        """Replace a trial whose worker was killed."""
        from optuna.trial import TrialState

        try:
            if self._storage.set_trial_state_values(self._trial_id(trial.number), TrialState.FAIL):
                self._repeat(trial)
        except finished():
            pass  # another worker was faster

    def _repeat(self, trial: Any) -> None:
        if len(trial.params) == len(self._space):
            self._study.enqueue_trial(trial.params, user_attrs={AGAIN: trial.number})

    def _claim(self, number: int) -> bool:
        """Make a trial this worker's."""
        done = self._set(number, OWNER, asdict(self._folder.owner))
        if done and self._shared:
            self._storage.record_heartbeat(self._trial_id(number))
        return done

    def _set(self, number: int, key: str, value: Any) -> bool:
        """Set an attribute of a trial of this worker; return whether it still is."""
        trial = self._own.get(number)
        if trial is None:
            return False
        try:
            trial.set_user_attr(key, value)
        except finished():
            return self._lost(number)
        return True

    def _end(self, number: int, state: Any, value: float | None = None) -> None:
        if self._own.pop(number, None) is not None:
            with quietly():
                self._study.tell(number, value, state=state, skip_if_finished=True)

    def _lost(self, number: int) -> bool:
        """Forget a trial that another machine has replaced."""
        self._own.pop(number, None)
        return False

    def _trial_id(self, number: int) -> int:
        return int(self._storage.get_trial_id_from_study_id_trial_number(self._id, number))


def study_name(config: Config) -> str:
    """Return the name of the study of a config."""
    given = config.sweep.study if config.sweep is not None else None
    return given or config.source.name
