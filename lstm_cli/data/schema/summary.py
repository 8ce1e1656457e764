"""Statistics of a column's values over all sequences, from which its kind is inferred."""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import Bunch
from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.chunks import KINDS
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.schema.blocks import blocks
from lstm_cli.data.schema.values import plain_digits

#: The types of cells by those of arrays; of others, such as times, as of texts.
_ARRAY_TYPES = {"b": "bool", "i": "int", "u": "int", "f": "float", "U": "str"}


@dataclass
class Summary:
    """Counts over the values of one column.

    Attributes
    ----------
    missing
        Tells which cells have no value: they count as ``null``.
    count
        Values seen.
    depths
        How deep values are nested: 0 single values, 1 lists, 2 lists of lists.
    cells
        Types of the innermost values: ``str``, ``int``, ``float``, ``bool``, ``null``. In textual formats, text that
        represents a number counts as that number.
    lengths, widths
        Lengths of lists, and of the lists inside them; width -1 means that they differ within a value.
    aligned
        Values that are lists with as many elements as the sequence has steps.
    """

    missing: MissingValues = field(default_factory=MissingValues)
    count: int = 0
    depths: Counter[int] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    widths: Counter[int] = field(default_factory=Counter)
    aligned: int = 0
    _cells: Counter[str] = field(default_factory=Counter)
    _kinds: list[NDArray[np.uint8]] = field(default_factory=list)  # of cells that are not counted yet

    @property
    def cells(self) -> Counter[str]:
        """Types of the innermost values; see above."""
        for block in blocks(self._kinds):
            for kind, count in zip(KINDS, np.bincount(block, minlength=len(KINDS)).tolist(), strict=True):
                self._cells[kind] += count
        self._kinds.clear()
        return self._cells

    @property
    def depth(self) -> int | None:
        """The depth of most values; None if all are empty or there are none."""
        return self.depths.most_common(1)[0][0] if self.depths else None

    @property
    def numeric(self) -> bool:
        """Whether most cells are numbers."""
        return sum(self.cells[name] for name in ("int", "float", "bool")) > self.cells["str"]

    @property
    def width(self) -> int:
        """The number of values that most steps have."""
        widths = [(count, width) for width, count in self.widths.items() if width > 0]
        return max(widths)[1] if widths else 1

    @property
    def vectors(self) -> bool:
        """Whether lists inside lists are vectors of a fixed dimension, not sets."""
        return self.numeric and (self.cells["float"] > 0 or (len(self.widths) == 1 and -1 not in self.widths))

    def add(self, value: Any, steps: int, *, textual: bool) -> None:
        """Count one value of a sequence; `steps` is the sequence's number of steps."""
        self.count += 1
        if isinstance(value, np.ndarray):
            self._add_array(value)
        elif isinstance(value, Cells):
            self.depths[1] += 1
            self._kinds.append(value.kind_codes())
        elif isinstance(value, list):
            self._add_list(value, textual)
        else:
            self.depths[0] += 1
            self._add_cells([value], textual)
            return
        self.lengths[len(value)] += 1
        self.aligned += len(value) == steps

    def add_bunch(self, value: Any, bunch: Bunch, *, whole: bool, steps: bool, textual: bool) -> None:
        """Count the values of a bunch: one for each sequence, or lists; `steps` tells whether they have all steps."""
        self.count += len(bunch)
        if value is None:
            value, whole = [None] * len(bunch), True
        depth = 0 if whole else getattr(value, "ndim", 1)
        self.depths[depth] += len(bunch)
        if isinstance(value, Cells):
            self._kinds.append(value.kind_codes())
        elif isinstance(value, np.ndarray):
            self._cells[_ARRAY_TYPES.get(value.dtype.kind, "str")] += value.size
            if depth == 2:
                self.widths[value.shape[1]] += len(bunch)
        else:
            self._add_cells(value, textual)
        if not whole:
            self.lengths.update(bunch.lengths.tolist())
            self.aligned += len(bunch) * steps

    def _add_array(self, array: np.ndarray) -> None:
        self.depths[array.ndim] += 1
        self._cells[_ARRAY_TYPES.get(array.dtype.kind, "str")] += array.size
        if array.ndim == 2:
            self.widths[array.shape[1]] += 1

    def _add_list(self, values: list[Any], textual: bool) -> None:
        if not values:
            return
        if not any(isinstance(value, list) for value in values):
            self.depths[1] += 1
            self._add_cells(values, textual)
            return
        inner = [value if isinstance(value, list) else [value] for value in values]
        self.depths[3 if any(isinstance(cell, list) for cells in inner for cell in cells) else 2] += 1
        widths = {len(cells) for cells in inner}
        self.widths[widths.pop() if len(widths) == 1 else -1] += 1
        self._add_cells([cell for cells in inner for cell in cells if not isinstance(cell, list)], textual)

    def _add_cells(self, cells: list[Any], textual: bool) -> None:
        if textual and all(type(cell) is str for cell in cells):
            if _are_numbers(cells):
                self._cells["int" if _FRACTION.isdisjoint("".join(cells)) else "float"] += len(cells)
            else:
                for cell, count in Counter(cells).items():
                    self._cells["null" if self.missing.is_missing(cell) else text_type(cell)] += count
            return
        types = set(map(type, cells))
        if str in types and len(types) > 1:
            cells = [None if type(cell) is str and self.missing.is_missing(cell) else cell for cell in cells]
        for kind, count in Counter(type(cell).__name__ for cell in cells).items():
            self._cells[_TYPES.get(kind, "str")] += count


_FRACTION = frozenset(".eEnN")
_TYPES = {"NoneType": "null", "int": "int", "float": "float", "bool": "bool"}


def _are_numbers(cells: list[str]) -> bool:
    """Return whether every cell of text is a number."""
    if not plain_digits(cells):
        return False
    try:
        np.array(cells, np.float64)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1 << 16)
def text_type(cell: str) -> str:
    """Return the type that a cell of text represents: ``int``, ``float``, ``str``, or ``null`` of an empty one."""
    cell = cell.strip()
    if not cell:
        return "null"
    if not plain_digits(cell):
        return "str"
    try:
        int(cell)
    except ValueError:
        pass
    else:
        return "int"
    try:
        float(cell)
    except ValueError:
        return "str"
    return "float"
