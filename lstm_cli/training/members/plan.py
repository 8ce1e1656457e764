"""Which trainings make an ensemble or a cross-validation: their folders and commands."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from lstm_cli.config.config import Config
from lstm_cli.errors import ConfigError, on_one_line
from lstm_cli.run.ensemble import ENSEMBLE, FOLDS, Kind, kind_of
from lstm_cli.run.ensemble import members as runs_in
from lstm_cli.run.files import disk_errors
from lstm_cli.run.ownership import is_run, owner

_PROGRAM = "from lstm_cli.cli.start import train; train()"


@dataclass(frozen=True)
class Member:
    """One of the trainings.

    Attributes
    ----------
    name
        Of its run folder.
    keys
        ``KEY=VALUE`` that distinguish it from the others.
    """

    name: str
    keys: tuple[str, ...]


class Members(NamedTuple):
    """The trainings, and what they are together."""

    kind: Kind
    each: tuple[Member, ...]


@dataclass(frozen=True)
class Plan:
    """Several trainings of one config.

    Attributes
    ----------
    folder
        Of all.
    members
        The trainings, each with a folder in it.
    config
        Of all of them.
    given
        The config file as typed; ``-`` is standard input.
    overrides
        ``KEY=VALUE`` of the command line.
    resume, overwrite
        What to do with members that exist.
    kind
        What they are together.
    """

    folder: Path
    members: tuple[Member, ...]
    config: Config
    given: str
    overrides: tuple[str, ...] = ()
    resume: bool = False
    overwrite: bool = False
    kind: Kind = ENSEMBLE

    @classmethod
    def of(
        cls,
        config: Config,
        given: str,
        overrides: Sequence[str],
        members: Members,
        *,
        folder: Path | None = None,
        resume: bool | Literal["auto"] = False,
        overwrite: bool = False,
    ) -> "Plan":
        """Return the plan of trainings, `seeds` or `folds`.

        Raises
        ------
        ConfigError
            The folder holds something else, or nothing to resume, or several runs that are neither to be resumed nor
            overwritten, or another number of folds.
        """
        kind, each = members
        folder = Path("runs") / config.source.name if folder is None else folder
        exists = _check(folder, kind, resume=bool(resume), overwrite=overwrite)
        if resume is True and not exists:
            raise ConfigError(
                f"{on_one_line(folder)}: there is no {kind.noun} to resume: leave out --resume to start one"
            )
        before = runs_in(folder) if resume and exists and kind is FOLDS else each
        if len(before) != len(each):
            what = f"has {len(before)} folds, not {len(each)}: continue it with as many"
            raise ConfigError(f"{on_one_line(folder)}: {what}, or choose another folder with -o")
        return cls(folder, each, config, given, tuple(overrides), bool(resume), overwrite, kind)

    @property
    def names(self) -> list[str]:
        """The names of the folders of the members."""
        return [member.name for member in self.members]

    def folder_of(self, member: Member) -> Path:
        """Return the run folder of a member."""
        return self.folder / member.name

    def command(self, member: Member, events: int, threads: int | None) -> list[str]:
        """Return the command that trains a member.

        Parameters
        ----------
        member
            Which.
        events
            The file descriptor on which it reports progress.
        threads
            How many it computes with where the config says auto; None: as many as it finds.
        """
        keys = [*self.overrides, *member.keys]
        if threads is not None and self.config.threads == "auto":
            keys.append(f"threads={threads}")
        run = self.folder_of(member)
        how = ["--resume"] if self.resume and is_run(run) else ["--overwrite"] if self.overwrite and is_run(run) else []
        return train_command(self.given, keys, run, events, *how)


def train_command(given: str, keys: Sequence[str], run: Path, events: int, *options: str) -> list[str]:
    """Return the command that trains a config into a run folder, and reports progress on a file descriptor."""
    words = ["-o", str(run), "-q", "--events-to", str(events), *options, "--", given, *keys]
    return [sys.executable, "-P", "-c", _PROGRAM, *words]


def seeds(config: Config, count: int) -> Members:
    """Return trainings with the config's seed and those that follow it, with the same data held out."""
    split = config.seed if config.data.split_seed is None else config.data.split_seed
    numbers = range(config.seed, config.seed + count)
    each = (Member(ENSEMBLE.member_name(seed), (f"seed={seed}", f"data.split_seed={split}")) for seed in numbers)
    return Members(ENSEMBLE, tuple(each))


def folds(count: int) -> Members:
    """Return trainings that hold out one part each of the training data."""
    each = (Member(FOLDS.member_name(number), (f"data.fold={number}/{count}",)) for number in range(1, count + 1))
    return Members(FOLDS, tuple(each))


def _check(folder: Path, kind: Kind, *, resume: bool, overwrite: bool) -> bool:
    """Return whether a folder holds such runs; raise the `ConfigError` that says why none can be trained in it."""
    shown, other_folder = on_one_line(folder), "choose another folder with -o"
    if (other := owner(folder)) is not None:
        raise ConfigError(f"{shown}: belongs to the run {on_one_line(other)}: {other_folder}")
    found = kind_of(folder)
    if is_run(folder) or found not in (None, kind):
        raise ConfigError(f"{shown}: holds {'a single run' if found is None else found.name}: {other_folder}")
    if found is not None:
        if not resume and not overwrite:
            raise ConfigError(f"{shown}: holds {kind.name}: continue it with --resume or replace it with --overwrite")
        if resume:
            runs_in(folder)  # raises if its file is damaged
        return True
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(f"{shown}: exists and is no folder: choose another one with -o")
    with disk_errors(folder):
        if folder.is_dir() and any(folder.iterdir()):
            what = f"the folder contains other files and no {kind.noun}"
            raise ConfigError(f"{shown}: {what}: choose another one with -o")
        folder.mkdir(parents=True, exist_ok=True)
    return False
