"""Predictions of a cross-validation: of every training sequence that of the fold which did not see it."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from heapq import merge
from pathlib import Path

from lstm_cli.data import Encoded, encode, read_sequences
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema.following import Base
from lstm_cli.data.sources import files_of, named_by_file, names_of
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError, DataError, counted, on_one_line
from lstm_cli.insight.labelled import check_digests
from lstm_cli.predict.labelled import scored_batches
from lstm_cli.predict.run import Run
from lstm_cli.predict.table import Table, check_labels
from lstm_cli.predict.wording import Row
from lstm_cli.predict.writers import write_rows
from lstm_cli.run.origin import config_of
from lstm_cli.scores.collect import scored_targets
from lstm_cli.scores.pooled import pooled_metrics

#: The name of the file of predictions, without its suffix.
NAME = "out_of_fold"

_Place = tuple[int, int]  # the number of the file, and of the sequence in it


@dataclass(frozen=True)
class OutOfFold:
    """What was predicted.

    Attributes
    ----------
    file
        The predictions, in the order of the training data.
    sequences
        How many they are of.
    scores
        The metrics over all of them.
    """

    file: Path
    sequences: int
    scores: dict[str, float]


def out_of_fold(runs: Sequence[Path], folder: Path) -> OutOfFold:
    """Predict what each fold held out, and write all predictions into a file in a folder, as ``lstm-predict`` would.

    They are written as csv, or as jsonl where csv cannot hold the labels of all folds.

    Parameters
    ----------
    runs
        The run folder of each fold.
    folder
        Where the file is written.

    Raises
    ------
    DataError
        The training data is no longer what it was.
    DiskError
        The file cannot be written.
    """
    folds = [_Fold(run) for run in runs]
    table = _table(folds)
    file, other = (folder / f"{NAME}{suffix}" for suffix in ((".csv", ".jsonl") if table else (".jsonl", ".csv")))
    placed = merge(*(fold.rows(numbered=table is not None) for fold in folds), key=lambda found: found[0])
    write_rows((row for _, row in placed), file, table or folds[0].table)
    other.unlink(missing_ok=True)
    scores = pooled_metrics([fold.positions for fold in folds])
    return OutOfFold(file, sum(len(fold.held_out) for fold in folds), scores)


def _table(folds: Sequence["_Fold"]) -> Table | None:
    """Return how rows become lines of csv; None if they cannot, or differ by fold."""
    table = folds[0].table
    try:
        for fold in folds:
            check_labels(fold.run.schema)
    except ConfigError:
        return None
    return table if all(fold.table == table for fold in folds) else None


class _Fold:
    """A fold, and what it held out."""

    def __init__(self, folder: Path) -> None:
        self.run = Run(folder, trust=True)  # its code is the user's own, and ran in training
        self._config = config_of(folder)
        base = Base.of_itself(folder, self._config)
        data = open_checked_data(self._config, base=base)
        if data.valid is None:
            raise ValueError("a fold holds out validation data")
        check_digests(folder, {"train": data.train.digest(), "valid": data.valid.digest()})
        self.held_out = set(data.valid.where)
        self.positions, _ = scored_targets(self.run.evaluator, scored_batches(self.run.config, data.valid))

    @property
    def table(self) -> Table:
        """How its rows become lines of csv."""
        per_step = self.run.drives or self.run.schema.target.per == "step"
        return Table.of(self.run.schema, per_step=per_step, later=False, safe=False)

    def rows(self, *, numbered: bool) -> Iterator[tuple[_Place, Row]]:
        """Yield the prediction of each sequence that was held out, with its place in the training data, in order."""
        places: deque[_Place] = deque()
        encoded = self._encoded(places)
        run = self.run
        for row in run.trajectories(encoded) if run.drives else run.predictions(encoded, numbered=numbered):
            yield places.popleft(), row

    def _encoded(self, places: deque[_Place]) -> Iterator[Encoded]:
        """Yield the sequences that were held out as ``lstm-predict`` encodes them; `places` receives their places."""
        paths = files_of(self._config, "data.train", self._config.data.train)
        left = len(self.held_out)
        for number, (path, name) in enumerate(zip(paths, names_of(paths), strict=True)):
            policy, at = self.run.policy(path), dict[str, int]()
            read = read_sequences(path, self.run.schema, form=self.run.format, policy=policy)
            named = named_by_file(read, name, self.run.schema.layout.id) if len(paths) > 1 else read
            for encoded in policy.converted(partial(encode, self.run.schema), self._only(named, at)):
                left -= 1
                places.append((number, at[encoded.where]))
                yield encoded
        if left:
            what = f"{counted(left, 'sequence')} that it held out cannot be read again: the data has changed"
            raise DataError(f"{on_one_line(self.run.folder)}: {what}: restore it, and repeat with --resume")

    def _only(
        self, sequences: Generator[RawSequence | DataError, None, None], at: dict[str, int]
    ) -> Generator[RawSequence, None, None]:
        """Yield the sequences that were held out; `at` receives the number of each by where it is."""
        with closing(sequences):
            for number, sequence in enumerate(sequences):
                if isinstance(sequence, RawSequence) and sequence.where in self.held_out:
                    at[sequence.where] = number
                    yield sequence
