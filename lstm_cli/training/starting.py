"""A run that starts from another one: from its model, schema and weights (`train.init_from`, ``--from``)."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_cli.config.config import Config
from lstm_cli.config.inherited import inheriting
from lstm_cli.config.load import read_resolved, resolved_config, with_section
from lstm_cli.data.schema.following import Base
from lstm_cli.errors import ConfigError, brief, listed, on_one_line, shown_path
from lstm_cli.run.files import retired
from lstm_cli.run.names import CHECKPOINTS, RESOLVED, SCHEMA
from lstm_cli.run.origin import no_run, saved_config

if TYPE_CHECKING:
    from lstm_cli.engine.saved import SavedRun
    from lstm_cli.training.job import Job

KEY = "train.init_from"


@dataclass(frozen=True, eq=False)
class Start:
    """What a run starts from.

    Attributes
    ----------
    base
        The schema that its own continues; None: nothing.
    saved
        The run whose weights it takes; None: none, or it continues from its own checkpoint.
    notes
        For the user.
    continues
        Whether the run has a checkpoint of its own.
    """

    base: Base | None = None
    saved: "SavedRun | None" = None
    notes: list[str] = field(default_factory=list)
    continues: bool = False


def started_from(config: Config, own: Path | None = None) -> tuple[Config, Start]:
    """Return the config with what it takes over from the run that it names, and what the run starts from.

    Parameters
    ----------
    config
        As loaded.
    own
        The folder of the run, if it may have been started before: then nothing but the weights of a run without a
        checkpoint is taken from the other one, which need not exist any more otherwise.

    Raises
    ------
    ConfigError
        The folder that is named contains no run, or is the run's own; the model does not fit together.
    CheckpointError
        The run is damaged.
    """
    if own is not None and os.path.lexists(own / RESOLVED):
        return _continued(config, own)
    if config.train.init_from is None:
        return _sized(config), Start()
    folder = source_folder(config)
    before = saved_config(folder)
    config, inherited = inheriting(config, _model(before))
    saved, config = _read(config), _sized(config)
    notes = [f"{listed([f'model.{key}' for key in inherited])}: as in {shown_path(folder)}"] if inherited else []
    return config, Start(Base(saved.schema, before.data.scale, shown_path(folder)), saved, notes)


def _continued(config: Config, own: Path) -> tuple[Config, Start]:
    """Return what `started_from` does of a run that was started before."""
    before = resolved_config(read_resolved(own / RESOLVED), own / RESOLVED)
    continues = any((own / name).is_dir() or retired(own / name) for name in CHECKPOINTS)
    if before.model.pretrained and before.model.pretrained == config.model.pretrained:
        config, _ = inheriting(config, {"embedding": _model(before)["embedding"]})
    if before.train.init_from is None:
        return config, Start(continues=continues)
    if config.train.init_from is None:
        config = with_section(config, "train", {"init_from": before.train.init_from})
    config, _ = inheriting(config, _model(before))
    if not all((own / name).is_file() for name in SCHEMA):
        saved = _read(config)
        return config, Start(Base(saved.schema, saved.config.data.scale), saved)
    return config, Start(Base.of_itself(own, config), None if continues else _read(config), continues=continues)


def _sized(config: Config) -> Config:
    """Return the config with the size of embeddings that files of vectors give."""
    if not config.model.pretrained:
        return config
    from lstm_cli.engine.pretrained import with_widths  # imports PyTensor

    width = with_widths(config)
    return config if width is None else with_section(config, "model", {"embedding": width})


def _model(config: Config) -> dict[str, object]:
    model: dict[str, object] = config.model_dump(mode="json")["model"]
    return model


def source_folder(config: Config) -> Path:
    """Return the folder of the run that a config names, or raise the `ConfigError` that it contains none."""
    folder = config.source.resolve(config.train.init_from or "")
    if not os.path.lexists(folder / RESOLVED):
        raise config.error(KEY, str(no_run(folder)))
    return folder


def _read(config: Config) -> "SavedRun":
    from lstm_cli.engine.saved import read_run  # imports PyTensor

    return read_run(source_folder(config))


def take_weights(job: "Job", saved: "SavedRun") -> None:
    """Replace the initial weights of a job by those of a run where they fit, with notes on what does and what not.

    Raises
    ------
    ConfigError
        Nothing fits.
    """
    from lstm_cli.engine.transfer import described, transferred

    config, name = job.config, shown_path(saved.folder)
    found = transferred(job.trainer.model, config, job.data.schema, saved)
    notes = described(found, name)
    if not found.taken:
        reasons = "\n".join(f"  {on_one_line(note)}" for note in notes[1:])
        problem = str(config.error(KEY, f"no layer of {brief(name)} fits this model: leave it out, or change model:"))
        raise ConfigError(f"{problem}\n{reasons}")
    job.trainer.model.parameters.set_values(found.weights)
    job.notes += notes
