"""Text that represents a number, a date or a list in a notation that is not read as one: which it is, what to do.

A column of such text is never taken for tokens or labels unless the config says so.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_NUMBER = r"[-+]?(?:\d+(?:[.,]\d+)*|\.\d+)"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?"


@dataclass(frozen=True)
class OtherNotation:
    """A way to write a number, a date or a list.

    Attributes
    ----------
    name
        What a cell is, for messages.
    fix
        What to do about it in a table.
    pattern
        Of the whole cell, in lower case.
    """

    name: str
    fix: str
    pattern: re.Pattern[str]

    @property
    def marks(self) -> dict[str, str]:
        """The keys of `data.table` that have it read, as `fix` says; empty if there are none."""
        return dict(_MARKS.findall(self.fix.partition(" (")[0]))


_MARKS = re.compile(r'data\.table\.(decimal|thousands): "(.)"')


def _notation(name: str, fix: str, pattern: str) -> OtherNotation:
    return OtherNotation(name, fix, re.compile(pattern))


_TAKE_OFF = "take it off in the file, so that numbers are left"
_ORDERS = "data.time: COLUMN orders the steps by it, and data.calendar makes inputs of it"
#: A comma and three digits: a decimal comma, or thousands.
EITHER = _notation(
    "a number with a comma",
    'set data.table.thousands: "," (or data.table.decimal: "," if it is a decimal mark)',
    r"[-+]?[1-9]\d{0,2},\d{3}",
)
#: From the most to the least telling: the first that matches is what a cell is.
NOTATIONS = (
    EITHER,
    _notation("a number with a decimal comma", 'set data.table.decimal: ","', r"[-+]?\d+,\d+(?:e[-+]?\d+)?"),
    _notation(
        "a number with groups of digits",
        'set data.table.thousands: ","',
        r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?",
    ),
    _notation(
        "a number with groups of digits and a decimal comma",
        'set data.table.decimal: "," and data.table.thousands: "."',
        r"[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)|[-+]?\d{1,3}(?:\.\d{3}){2,}",
    ),
    _notation(
        "a number with groups of digits",
        'set data.table.thousands: " "',
        r"[-+]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?",
    ),
    _notation(
        "a number with groups of digits",
        "set data.table.thousands to the character between the groups",
        r"[-+]?\d{1,3}(?:['\u2019\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?",
    ),
    _notation("a number with a percent sign", _TAKE_OFF, rf"{_NUMBER}\s?%"),
    _notation("a number with a currency sign", _TAKE_OFF, rf"[-+]?[$€£¥₹]\s?{_NUMBER}|{_NUMBER}\s?[$€£¥₹]"),
    DATE := _notation(
        "a date or a time",
        _ORDERS,
        rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:[t ]+{_CLOCK}(?:z| ?[-+]\d{{2}}:?\d{{2}})?)?|\d{{4}}-(?:0[1-9]|1[0-2])"
        rf"|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}})(?: +{_CLOCK})?|{_CLOCK}"
        rf"|\d{{1,2}}[- ](?:{_MONTHS})[a-z]*[- ,]+\d{{2,4}}(?: +{_CLOCK})?"
        rf"|(?:{_MONTHS})[a-z]*[- ]\d{{1,2}},? +\d{{4}}(?: +{_CLOCK})?",
    ),
    _notation("a list", "set data.table.row: sequence, where cells hold lists", r"\[.*\]"),
)
#: A number with a fraction that a format with types of its own holds as a string.
QUOTED = _notation("a number in quotes", "write it without quotes", r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[-+]?\d+)?")


def notation_of(cell: str) -> OtherNotation | None:
    """Return the notation of a cell that is not a plain number; None for any other text."""
    cell = cell.strip().lower()
    if not cell or not (cell[0] in "[-+.$€£¥₹" or cell[0].isdecimal() or cell[:3] in _MONTHS.split("|")):
        return None
    return next((notation for notation in NOTATIONS if notation.pattern.fullmatch(cell)), None)


def is_date(cell: str) -> bool:
    """Return whether a cell is a date or a time of day."""
    return notation_of(cell) is DATE


def is_quoted(cell: str) -> bool:
    """Return whether a string is a number with a fraction, as Python writes it."""
    return QUOTED.pattern.fullmatch(cell.strip().lower()) is not None


def most_frequent(found: Iterable[OtherNotation]) -> OtherNotation:
    """Return the notation of a column whose cells have these; what settles an ambiguous comma comes first."""
    counts = Counter(found)
    telling = {notation: count for notation, count in counts.items() if notation is not EITHER}
    return max(telling or counts, key=lambda notation: counts[notation])
