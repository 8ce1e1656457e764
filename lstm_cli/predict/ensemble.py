"""Loading a run, or several as an ensemble that predicts their mean."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lstm_cli.data.schema.heads import Head
from lstm_cli.data.schema.target import Target
from lstm_cli.errors import ConfigError, listed, on_one_line
from lstm_cli.graph.ensemble import Combined
from lstm_cli.graph.ensemble import Ensemble as Members
from lstm_cli.predict.outputs import Network
from lstm_cli.predict.run import Run
from lstm_cli.ranks import World
from lstm_cli.run.ensemble import is_ensemble, runs_of
from lstm_cli.run.ownership import is_run


def load(folder: str | Path | Sequence[str | Path], *, trust: bool = False) -> Run:
    """Return the best state of a run, ready to predict, or several runs as one that predicts their mean.

    Parameters
    ----------
    folder : str or Path, or a sequence of them
        The run folder, or that of an ensemble; several: an ensemble of them.
    trust : bool
        Allow running the code in the folder: a run that drives a system contains that system's code.

    Raises
    ------
    CheckpointError
        The folder contains no run, or its checkpoint is damaged.
    ConfigError
        The run contains code, and `trust` is false; or several runs cannot predict together.
    """
    folders = [Path(folder)] if isinstance(folder, str | Path) else [Path(each) for each in folder]
    runs = [Run(path, trust=trust) for path in runs_of(folders)]
    return runs[0] if len(runs) == 1 else Ensemble(runs)


def load_on(world: World, folder: str | Path | Sequence[str | Path], *, trust: bool = False) -> Run:
    """Return the run, or runs, of `load`, on each of the ranks that share its work."""
    run = load(folder, trust=trust)
    run.network = replace(run.network, world=world)
    return run


def is_model(folder: Path) -> bool:
    """Return whether `load` takes a folder: that of a run, or of an ensemble."""
    return is_run(folder) or is_ensemble(folder)


class Ensemble(Run):
    """Several trained models of the same data, whose predictions are the mean of theirs.

    Probabilities of labels are averaged, and numbers before differences and logarithms are undone. Forecasts feed the
    mean back to all of them.

    Parameters
    ----------
    members : sequence of Run
        At least two.

    Raises
    ------
    ConfigError
        They encode data differently, predict something else, or run a closed loop.
    """

    def __init__(self, members: Sequence[Run]) -> None:
        for member in members:
            _check_member(members[0], member)
        first = members[0]
        self.members = tuple(members)
        self.folder, self.schema, self.code, self.files = first.folder, first.schema, None, first.files
        model = Members([member.network.model for member in members], _parts(first.schema.target))
        self.network = Network(model, first.schema)
        self.config = first.config.model_copy(update={"model": model.spec})

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder of each model."""
        return tuple(member.folder for member in self.members)

    @property
    def name(self) -> str:
        """What to call it: the name of the folder of all, or those of each."""
        (parent, *others) = {folder.parent for folder in self.folders}
        if not others and is_ensemble(parent):
            return on_one_line(parent.name)
        return ", ".join(member.name for member in self.members)


def _parts(target: Target) -> list[tuple[slice, Combined]]:
    """Return the outputs of each target column with its kind."""
    places = list(target.parts_of_outputs.values()) if target.targets else [slice(0, target.outputs)]
    return [(place, _kind(one)) for place, one in zip(places, target.targets or (target,), strict=True)]


def _kind(target: Target) -> Combined:
    if target.kind == "several":
        raise ValueError("the target of one column, not of several")
    return "gaussian" if target.head.gaussian else target.kind


def _heads(run: Run) -> list[Head]:
    """Return the head of each target column."""
    return [own.target.head for own in run.schema.columns.values()]


def _check_member(first: Run, run: Run) -> None:
    """Raise a `ConfigError` if a run cannot predict together with the first one."""
    names = f"{on_one_line(first.folder)} and {on_one_line(run.folder)}"
    if run.config.rollout is not None:
        raise ConfigError(f"{on_one_line(run.folder)}: a closed loop predicts alone: give one run")
    if run.files != first.files:
        what = "were fitted to different data, or predict something else"
        differing = listed(sorted(name for name in first.files if run.files.get(name) != first.files[name]))
        fix = "train both on the same data, held out alike (data.split_seed), or predict with each"
        raise ConfigError(f"{names}: {what}, as {differing} differ: {fix}")
    if run.config.model.crf != first.config.model.crf:
        raise ConfigError(f"{names}: only one has a conditional random field (model.crf): train both alike")
    if _heads(run) != _heads(first):
        raise ConfigError(f"{names}: differ in loss.quantiles or loss.distribution: train both with the same")
