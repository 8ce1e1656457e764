"""What a run has seen in training of a file that is scored: how much of it, and how the rest is scored."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lstm_cli.config.config import Config
from lstm_cli.config.data import HeldOutSpec
from lstm_cli.data.sources import files_of
from lstm_cli.data.splits import HELD_OUT, size_of, spec_of
from lstm_cli.errors import CheckpointError, DataError, listed, on_one_line
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.run.names import BEST
from lstm_cli.run.origin import config_of

Extent = Literal["all", "parts"]


@dataclass(frozen=True)
class Seen:
    """What a run has seen of the file that it was trained on.

    Attributes
    ----------
    specs
        How much of the file was held out for validation and test; files of their own are left out.
    chosen
        Whole series were held out, by the config's seed or by a column, or a column says what belongs where: the file
        does not tell which.
    split
        The column that says what belongs where; None: there is none.
    """

    specs: Mapping[str, HeldOutSpec]
    chosen: bool = False
    split: str | None = None

    @property
    def extent(self) -> Extent:
        """Whether the run was trained on all of the file."""
        return "parts" if self.specs or self.split is not None else "all"

    @property
    def share(self) -> float | None:
        """About which share of the file the run was trained on; None where that is not known without reading it."""
        shares = [spec.share for spec in self.specs.values()]
        return None if self.split is not None or any(isinstance(share, int) for share in shares) else 1 - sum(shares)

    @property
    def words(self) -> str:
        """Of what the run was trained, in words."""
        if self.extent == "all":
            return "this data"
        if self.split is not None:
            return f"the part of this data that data.split: {on_one_line(self.split)} says"
        if self.share is None:
            held = listed([f"data.{key}: {spec.share:g}" for key, spec in self.specs.items()])
            return f"all of this data except what was held out ({held})"
        return f"about {100 * self.share:.0f} % of this data"

    def ends(self, steps: int, *, alone: bool, least: int) -> tuple[int, int]:
        """Return how many of the steps of a series the run was trained on, and how many until the test begins.

        Parameters
        ----------
        steps
            T.
        alone
            Whether the file has no other series.
        least
            With fewer steps before what is held out, all of a series is trained on.
        """
        in_time = {key: spec for key, spec in self.specs.items() if spec.by == "time" or alone}
        valid, test = (size_of(in_time[key].share, steps) if key in in_time else 0 for key in HELD_OUT)
        return (steps, steps) if steps - valid - test < least else (steps - valid - test, steps - test)


def seen_of(folder: Path, data: Path) -> Seen | None:
    """Return what a run has seen of a file; None if it was not trained on it, or does not record its data."""
    try:
        config = config_of(folder)
        files = files_of(config, "data.train", config.data.train)
    except (CheckpointError, DataError):
        return None
    if not any(_same(path, data) for path in files):
        return None
    specs: dict[str, HeldOutSpec] = {key: spec for key in HELD_OUT if (spec := spec_of(config, key)) is not None}
    in_time = ("time", "sequence") if len(files) == 1 else ("time",)
    chosen = config.data.split is not None or any(spec.by not in in_time for spec in specs.values())
    return Seen(specs, chosen, config.data.split)


def trained_on(folder: Path, digest: str) -> bool:
    """Return whether sequences with this digest are all those that a run was trained on, in whatever file they are."""
    digests = (identity_of(folder / BEST) or {}).get("data", {})
    return bool(digests.get("train") == digest)


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def note_on_seen(folder: Path, config: Config, name: str, seen: Seen) -> str:
    """Return a note for the user on scores of a file that a run was trained on.

    Parameters
    ----------
    folder, config
        The run, and its config.
    name
        The file's name.
    seen
        What the run has seen of it.
    """
    how = "" if seen.extent == "all" else "mostly " if seen.share is not None and seen.share > 0.5 else "partly "
    what = f"{name}: the model was trained on {seen.words}: the scores are {how}of what it has seen"
    trust = "" if config.rollout is None or config.rollout.dynamics is None else " --trust"
    command = f"lstm evaluate {on_one_line(shlex.quote(str(folder)))}{trust}"
    split: Literal["test", "valid"] = "valid" if config.data.test is None else "test"
    if seen.split is not None or split in seen.specs:
        return f"{what}; {command}, without DATA, scores the part that was held out"
    if getattr(config.data, split) is not None:
        return f"{what}; {command}, without DATA, scores the run's {'validation' if split == 'valid' else split} data"
    return f"{what}; those of other data say how good it is"
