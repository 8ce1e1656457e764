"""What each sequence has in a column on disk, looked up on access; like a list of it.

Legend: n sequences, S steps of all of them.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import Lazy
from lstm_cli.data.schema.preprocessing import Scaling


class Ragged(Lazy):
    """The pieces of flat values (S, …), of which `bounds` (n + 1,) says where each begins."""

    def __init__(self, values: NDArray[Any], bounds: NDArray[np.int64]) -> None:
        self._values, self._bounds = values, bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, index: Any) -> Any:
        place = range(len(self))[index]
        return self._values[self._bounds[place] : self._bounds[place + 1]]


class Texts(Lazy):
    """Texts of an Arrow column, each decoded on access; ids are JSON."""

    def __init__(self, column: Any, *, ids: bool = False) -> None:
        self._column, self._ids = column, ids

    def __len__(self) -> int:
        return len(self._column)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        text = self._column[range(len(self))[index]].as_py()
        if not self._ids:
            return text
        found = json.loads(text)
        return tuple(found) if isinstance(found, list) else found


class Scalings(Lazy):
    """The own scaling of each sequence, of arrays (n, D)."""

    def __init__(self, centers: NDArray[np.float64], spreads: NDArray[np.float64]) -> None:
        self._centers, self._spreads = centers, spreads

    def __len__(self) -> int:
        return len(self._centers)

    def __getitem__(self, index: Any) -> Any:
        return Scaling(self._centers[index], self._spreads[index])


class Nothing(Lazy):
    """None for each sequence."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        range(self._count)[index]
        return None


class Some(Lazy):
    """What some sequences have; None for those where the column is null."""

    def __init__(self, values: Sequence[Any], column: Any) -> None:
        self._values, self._column = values, column

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index] if self._column.is_valid()[range(len(self))[index]].as_py() else None
