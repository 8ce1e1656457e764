"""How data is held while it is loaded: in memory, or on disk where it is larger."""

from collections.abc import Callable, Generator, Iterable, Iterator, MutableSequence, Sequence
from pathlib import Path
from shutil import rmtree
from typing import TypeVar, cast

from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.cache.spool import Spool
from lstm_cli.data.cache.tables import open_table, write_table
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats.raw import RawSequence, Split
from lstm_cli.data.schema.again import Again
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema

Item = TypeVar("Item")
#: Reads the sequences of files; those that cannot be read are up to the policy.
Reading = Callable[[BadRowPolicy], Generator[RawSequence, None, None]]
#: Makes encoded sequences of records.
Encoding = Callable[[Iterable[Record]], Iterator[Encoded]]


class InMemory:
    """Everything is held in lists."""

    bunches = True

    def read(self, reading: Reading, policy: BadRowPolicy) -> Sequence[RawSequence]:
        """Return the sequences of files, to be gone through several times."""
        return list(reading(policy))

    def last(self, sequences: Sequence[RawSequence]) -> Generator[RawSequence, None, None]:
        """Yield the sequences, of which nothing is held any longer."""
        return _consumed(cast(MutableSequence[RawSequence], sequences))

    def collect(self, items: Iterable[Record] = ()) -> MutableSequence[Record]:
        """Return records as a list."""
        return list(items)

    def encoded(self, records: MutableSequence[Record], make: Encoding) -> Sequence[Encoded]:
        """Return what is made of records, which are dropped one by one."""
        return list(make(_consumed(records)))

    def dataset(self, sequences: Sequence[Encoded], schema: Schema, split: Split) -> Dataset:
        """Return sequences as the dataset of a split."""
        return Dataset(sequences, schema)


class OnDisk:
    """Files are read as often as it takes, typed records and datasets are written to a folder."""

    bunches = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spools: list[Spool] = []

    def close(self) -> None:
        """Remove what is not kept."""
        for spool in self._spools:
            spool.clear()

    def read(self, reading: Reading, policy: BadRowPolicy) -> Sequence[RawSequence]:
        """Return the sequences of files, which are read anew each time; the first time is the policy's."""
        return Again(lambda: reading(policy.like()), count=sum(1 for _ in reading(policy)))

    def last(self, sequences: Sequence[RawSequence]) -> Generator[RawSequence, None, None]:
        """Yield the sequences once more."""
        yield from sequences

    def collect(self, items: Iterable[Record] = ()) -> MutableSequence[Record]:
        """Return records as a list on disk."""
        self._spools.append(Spool(self._folder / f"{len(self._spools)}.records"))
        self._spools[-1].extend(items)
        return self._spools[-1]

    def encoded(self, records: MutableSequence[Record], make: Encoding) -> Sequence[Encoded]:
        """Return what is made of records, each time anew."""
        return Again(lambda: make(records))

    def dataset(self, sequences: Sequence[Encoded], schema: Schema, split: Split) -> Dataset:
        """Write sequences as the dataset of a split, and return it memory-mapped."""
        path, scratch = self._folder / f"{split}.arrow", self._folder / f"{split}.columns"
        scratch.mkdir()
        write_table(path, scratch, sequences, schema)
        rmtree(scratch)
        return open_table(path, schema)


def _consumed(sequences: MutableSequence[Item]) -> Generator[Item, None, None]:
    """Yield the items of a list and drop them, so that they and what is made of all are never held together."""
    sequences.reverse()
    while sequences:
        yield sequences.pop()
