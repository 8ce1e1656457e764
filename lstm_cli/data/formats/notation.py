"""How the numbers of a table are written: the decimal mark, what groups digits, what counts as missing.

Legend: C cells of a chunk.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import Options, TableOptions

_BLANKS = " \u00a0\u202f"  # all of them group digits where one does
_SAMPLE = 1000

_COMMA = r"^[-+]?\d*,\d+([eE][-+]?\d+)?$"
_GROUPED = r"^[-+]?[1-9]\d{0,2},\d{3}$"  # as likely 1234 as 1.234
_POINT = r"^[-+]?\d*\.\d+([eE][-+]?\d+)?$"
_WHOLE = r"^[-+]?\d+$"


@dataclass(frozen=True)
class Notation:
    """How the numbers of a table are written.

    Attributes
    ----------
    decimal
        The decimal mark.
    thousands
        What groups digits; None: nothing.
    missing
        Which cells have no value.
    """

    decimal: str = "."
    thousands: str | None = None
    missing: MissingValues = field(default_factory=MissingValues)

    def plain(self, chunk: Any) -> Any:
        """Return cells (C) with numbers as Python writes them; what is no number in this notation is null."""
        import pyarrow.compute as pc

        if self.thousands is not None:
            one = _BLANKS if self.thousands in _BLANKS else re.escape(self.thousands)
            mark, grouped = f"[{one}]", rf"^[-+]?\d{{1,3}}([{one}]\d{{3}})+([^\d{one}][^{one}]*)?$"
            suspect = pc.and_(
                pc.match_substring_regex(chunk, mark), pc.invert(pc.match_substring_regex(chunk, grouped))
            )
            chunk = pc.replace_substring_regex(pc.if_else(suspect, None, chunk), mark, "")
        if self.decimal != ".":
            chunk = pc.if_else(pc.match_substring(chunk, "."), None, chunk)
            chunk = pc.replace_substring(chunk, self.decimal, ".")
        return chunk


def resolved(options: Options, columns: Sequence[Any]) -> tuple[TableOptions, Notation]:
    """Return the options of a table and its notation, with the decimal mark that its cells show.

    Parameters
    ----------
    options
        As given.
    columns
        The cells of the needed columns, as chunked Arrow arrays.
    """
    table = options.table
    if table.decimal == "auto":
        table = replace(table, decimal=_decimal(table, columns, options))
    mark = "." if table.decimal == "auto" else table.decimal
    return table, Notation(mark, table.thousands, MissingValues(options.missing))


def _decimal(table: TableOptions, columns: Sequence[Any], options: Options) -> str:
    """Return the decimal mark; still ``auto`` if the cells show none, or both."""
    import pyarrow.compute as pc

    if table.thousands is not None:
        return "," if table.thousands == "." else "."
    commas = [cells for cells in columns if pc.any(pc.match_substring(cells, ",")).as_py()]
    if any(_has_commas(cells, options) for cells in commas):
        return "auto" if any(_count(cells, _POINT) for cells in columns) else ","
    return "." if any(_count(cells[:_SAMPLE], _POINT) for cells in columns) else "auto"


def _has_commas(cells: Any, options: Options) -> bool:
    """Return whether most cells that have a value are numbers if a comma is the decimal mark, and some only then."""
    commas, grouped = _count(cells, _COMMA), _count(cells, _GROUPED)
    given = len(cells) - _missing(cells, options)
    return commas > grouped and 2 * (commas + _count(cells, _WHOLE)) > given


def _missing(cells: Any, options: Options) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(sorted(MissingValues(options.missing).texts), pa.string())
    return int(pc.sum(pc.is_in(cells, value_set=texts)).as_py() or 0)


def _count(cells: Any, pattern: str) -> int:
    """Return how many cells match a pattern."""
    import pyarrow.compute as pc

    return int(pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0)
