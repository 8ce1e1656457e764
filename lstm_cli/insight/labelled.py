"""What is evaluated: a file with targets, or the held-out data of the run itself."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lstm_cli.config import Config
from lstm_cli.data import Batches, Split, UnknownCounts
from lstm_cli.data.schema.following import Base
from lstm_cli.data.schema.record import Record
from lstm_cli.data.sources import files_of
from lstm_cli.data.written import Written
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError, DataError, on_one_line, shown_path
from lstm_cli.insight.columns import Columns
from lstm_cli.predict.labelled import labelled_batches, scored_batches
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.predict.run import Run
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.run.names import BEST
from lstm_cli.run.origin import check_files, config_of
from lstm_cli.scores.titles import SPLITS, data_of_run


@dataclass(frozen=True)
class Labelled:
    """Data with targets.

    Attributes
    ----------
    name
        What it is, for the user.
    split
        Which data of the run; None: a file that was given.
    batches
        In which it is scored.
    columns
        Further columns of its files.
    notes
        What the user should know about it.
    """

    name: str
    split: Split | None
    batches: Batches
    columns: Columns
    notes: Sequence[str] = ()


def file_of(run: Run, data: Path, columns: Columns, *, form: str | None = None, split: Split | None = None) -> Labelled:
    """Return a file, read as ``lstm-predict --evaluate`` reads it; `split` says which data of the run it is."""
    policy, counts = run.policy(data), UnknownCounts()
    batches = labelled_batches(
        run.config,
        run.schema,
        data,
        form=form or run.format,
        policy=policy,
        unknown_counts=counts,
        keep=columns.names,
        listener=columns.take,
    )
    name = "standard input" if str(data) == "-" else shown_path(data)
    return Labelled(name, split, batches, columns, [*policy.notes(), *counts.notes(name)])


def held_out(run: Run, columns: Columns, out: Path | None = None) -> Labelled:
    """Return the test data of a run, or if it has none its validation data.

    Raises
    ------
    CheckpointError
        An earlier version trained the run, and did not record where its data is.
    ConfigError
        The run has neither, or `out`, which is to be written, is a file of its data.
    DataError
        The data is no longer there, or has changed.
    """
    config = config_of(run.folder)
    _check_out(config, out)
    split: Split = "test" if config.data.test is not None else "valid"
    given, by_column = getattr(config.data, split), config.data.split is not None
    if given is None and not by_column:
        raise ConfigError(f"{on_one_line(run.folder)}: has neither test nor validation data: give DATA")
    if isinstance(given, str | list):
        check_files(run.folder, config, [split])
        paths = files_of(config, f"data.{split}", given)
        if len(paths) == 1:
            return file_of(run, Path(os.path.normpath(paths[0])), columns, split=split)
    check_files(run.folder, config)

    def look(held: Split, records: Sequence[Record]) -> None:
        if by_column or held == split:  # where a column names the splits, that is scored which comes last
            columns.take_all(records)

    base = Base.of_itself(run.folder, config)
    data = open_checked_data(config, written=Written(columns.names, look), base=base)
    if by_column:
        split = "test" if data.test is not None else "valid"  # which parts the column names is in the data
    dataset = data.test if split == "test" else data.valid
    if dataset is None:
        raise ConfigError(f"{on_one_line(run.folder)}: has neither test nor validation data: give DATA")
    digests = {"train": data.train.digest()} | ({"valid": data.valid.digest()} if data.valid is not None else {})
    check_digests(run.folder, digests)
    return Labelled(data_of_run(split), split, scored_batches(run.config, dataset), columns)


def _check_out(config: Config, out: Path | None) -> None:
    """Refuse to write onto a file of the data."""
    for split in SPLITS:
        given, files = getattr(config.data, split), list[Path]()
        if isinstance(given, str | list):
            with suppress(DataError):  # what is missing, and needed, is reported later
                files = files_of(config, f"data.{split}", given)
        for file in files:
            check_outputs({"-o": out}, {f"data.{split}": file})


def check_digests(folder: Path, digests: dict[str, str]) -> None:
    """Refuse data that is not what the run was trained on: what is held out could be among that."""
    saved = (identity_of(folder / BEST) or {}).get("data", {})
    for split, digest in digests.items():
        if saved.get(split, digest) != digest:
            what = f"the sequences of data.{split} have changed since the run was trained"
            raise DataError(f"{on_one_line(folder)}: {what}: restore them, or give DATA")
