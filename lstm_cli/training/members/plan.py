"""Which trainings make an ensemble: their seeds, folders and commands."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lstm_cli.config.config import Config
from lstm_cli.errors import ConfigError, on_one_line
from lstm_cli.run.ensemble import is_ensemble, member_name, members
from lstm_cli.run.files import disk_errors
from lstm_cli.run.ownership import is_run, owner

_PROGRAM = "from lstm_cli.cli.start import train; train()"


@dataclass(frozen=True)
class Plan:
    """The trainings of an ensemble.

    Attributes
    ----------
    folder
        Of the ensemble.
    seeds
        Of its members, each of which has the folder ``seed-N``.
    config
        Of all of them.
    given
        The config file as typed; ``-`` is standard input.
    overrides
        ``KEY=VALUE`` of the command line.
    resume, overwrite
        What to do with members that exist.
    """

    folder: Path
    seeds: tuple[int, ...]
    config: Config
    given: str
    overrides: tuple[str, ...] = ()
    resume: bool = False
    overwrite: bool = False

    @classmethod
    def of(
        cls,
        config: Config,
        given: str,
        overrides: Sequence[str],
        *,
        count: int,
        folder: Path | None = None,
        resume: bool | Literal["auto"] = False,
        overwrite: bool = False,
    ) -> "Plan":
        """Return the plan of `count` trainings, with the config's seed and those that follow it.

        Raises
        ------
        ConfigError
            The folder holds something else, or nothing to resume, or an ensemble that is neither to be resumed nor
            overwritten.
        """
        folder = Path("runs") / config.source.name if folder is None else folder
        exists = _check(folder, resume=bool(resume), overwrite=overwrite)
        if resume is True and not exists:
            raise ConfigError(f"{on_one_line(folder)}: there is no ensemble to resume: leave out --resume to start one")
        seeds = tuple(range(config.seed, config.seed + count))
        return cls(folder, seeds, config, given, tuple(overrides), bool(resume), overwrite)

    def folder_of(self, seed: int) -> Path:
        """Return the run folder of a member."""
        return self.folder / member_name(seed)

    def command(self, seed: int, events: int, threads: int | None) -> list[str]:
        """Return the command that trains a member.

        Parameters
        ----------
        seed
            Of the member.
        events
            The file descriptor on which it reports progress.
        threads
            How many it computes with; None: as the config says.
        """
        split = self.config.data.split_seed
        keys = [*self.overrides, f"seed={seed}", f"data.split_seed={self.config.seed if split is None else split}"]
        if threads is not None:
            keys.append(f"threads={threads}")
        run = self.folder_of(seed)
        how = ["--resume"] if self.resume and is_run(run) else ["--overwrite"] if self.overwrite and is_run(run) else []
        options = ["-o", str(run), "-q", "--events-to", str(events), *how]
        return [sys.executable, "-P", "-c", _PROGRAM, *options, "--", self.given, *keys]


def _check(folder: Path, *, resume: bool, overwrite: bool) -> bool:
    """Return whether a folder holds an ensemble; raise the `ConfigError` that says why none can be trained in it."""
    shown = on_one_line(folder)
    if (other := owner(folder)) is not None:
        raise ConfigError(f"{shown}: belongs to the run {on_one_line(other)}: choose another folder with -o")
    if is_run(folder):
        raise ConfigError(f"{shown}: holds a single run: choose another folder with -o")
    if is_ensemble(folder):
        if not resume and not overwrite:
            raise ConfigError(f"{shown}: holds an ensemble: continue it with --resume or replace it with --overwrite")
        if resume:
            members(folder)  # raises if its file is damaged
        return True
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(f"{shown}: exists and is no folder: choose another one with -o")
    with disk_errors(folder):
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(f"{shown}: the folder contains other files and no ensemble: choose another one with -o")
        folder.mkdir(parents=True, exist_ok=True)
    return False
