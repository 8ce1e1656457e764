"""The time of steps: dates, times of day and numbers, as text or as they are.

Dates are years first (``2020-01-31``, ``2020-01``, ``20200131``), or days or months first (``31.1.2020``,
``1/31/2020``), with a time of day behind them or without. Which of day and month comes first is inferred from all
rows. Times with a zone are converted to UTC.

Legend: T steps.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.raw import RawSequence, ValueProblem

#: Times (T,): datetime64[ns], or float64 where they are plain numbers.
Times = NDArray[Any]
#: How times are written: plain numbers, dates by the order of year, month and day, or times of day alone.
TimeForm = Literal["number", "ymd", "compact", "dmy", "mdy", "clock"]

_DAY = np.int64(86_400_000_000_000)
_MISSING_FIX = "give every step its time"
_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)? ?(?P<p>[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(?: ?(?P<z>Z|UTC|[+-]\d{2}(?::?\d{2})?))?"
_TIME = rf"(?:(?:[T,]? +|T){_CLOCK}{_ZONE})?$"
_PATTERNS = {
    "ymd": rf"^(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})(?:[-/.](?P<d>\d{{1,2}}))?{_TIME}",
    "compact": rf"^(?P<y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}}){_TIME}",
    "dmy": rf"^(?P<d>\d{{1,2}})[-/.](?P<m>\d{{1,2}})[-/.](?P<y>\d{{4}}){_TIME}",
    "mdy": rf"^(?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})[-/.](?P<y>\d{{4}}){_TIME}",
    "clock": rf"^{_CLOCK}$",
}
_YEARS = "of the years 1678 to 2261"
_EXAMPLES = {
    "number": "a number",
    "ymd": "a date such as 2020-01-31 or 2020-01-31 23:59:59",
    "compact": "a date such as 20200131",
    "dmy": "a date such as 31.01.2020 or 31.01.2020 23:59:59",
    "mdy": "a date such as 01/31/2020 or 01/31/2020 23:59:59",
    "clock": "a time such as 23:59:59",
}


def infer_form(columns: Iterable[Any]) -> TimeForm:
    """Return how the times of all sequences are written: the form that most of them have.

    Parameters
    ----------
    columns
        The values of the time column, per sequence.

    Raises
    ------
    ValueProblem
        No form is known that they have, or the first two numbers of dates can be day and month either way.
    """
    values = [value for value in columns if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)]
    if any(isinstance(value, np.ndarray) and value.dtype.kind == "M" for value in values):
        return "ymd"
    numbers = [_numbers(value) for value in values]
    if values and all(found is not None for found in numbers):
        joined = np.concatenate([found for found in numbers if found is not None])
        return "compact" if _are_compact(joined) else "number"
    import pyarrow as pa

    texts = pa.chunked_array([_texts(value) for value in values], pa.string()).combine_chunks()
    counts: dict[TimeForm, int] = {}
    forms: tuple[TimeForm, ...] = ("ymd", "compact", "clock", "dmy", "mdy")
    for form in forms:
        counts[form] = _count(form, texts)
        if form != "dmy" and counts[form] == len(texts):  # what is a date day first may be one month first too
            break
    form = max(counts, key=lambda name: counts[name])
    if not counts[form]:
        shown = texts[0].as_py() if len(texts) else "nothing"
        fix = "write 2020-01-31 23:59:59, or numbers"
        raise ValueProblem(f"expected dates {_YEARS}, times or numbers, got {shown!r:.40}", fix)
    if form == "dmy" and counts["dmy"] == counts["mdy"] and not _begin_with_dots(texts):
        shown = texts[int(np.flatnonzero(~np.isnat(_parsed("dmy", texts)))[0])].as_py()
        what = f"{shown!r} and all others can be read with the day first and with the month first"
        raise ValueProblem(what, "write the year first, as in 2020-01-31")
    return form


def parse_times(value: Any, form: TimeForm) -> Times:
    """Return the times (T,) of a column's values that are written in a form, or raise for the first that is not."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "M":
        times, problem = _nanoseconds(value)
    elif not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
        raise ValueProblem(f"expected one time per step, got {value!r:.40}", "write a list with a time for each step")
    elif form == "number":
        times, problem = _plain(value)
    else:
        times = _parsed(form, _texts(value))
        problem = np.isnat(times)
    if problem.any():
        bad = np.flatnonzero(problem)
        step = int(bad[0])
        cell = str(value[step]).strip()
        if cell in ("", "None", "NaT", "nan"):
            raise ValueProblem("the time is missing", _MISSING_FIX, step=step, steps=bad)
        what = f"expected {_EXAMPLES[form]}" + (f", {_YEARS}" if form not in ("number", "clock") else "")
        raise ValueProblem(f"{what}, got {cell!r:.40}", "correct it", step=step, steps=bad)
    return times


def ordered(sequence: RawSequence, times: Times) -> tuple[RawSequence, Times, int]:
    """Return a sequence with its steps in the order of their times, the times, and how many steps were out of order.

    Raises
    ------
    ValueProblem
        Two steps have the same time.
    """
    order = np.argsort(times, kind="stable")
    again = np.flatnonzero(times[order[1:]] == times[order[:-1]])
    if len(again):
        first, second = (int(order[again[0] + offset]) for offset in (0, 1))
        what = f"{written(times[second : second + 1])[0]} again, as {_place(sequence, first)}"
        fix = "if several series are in the file, name their column in data.id; otherwise remove one of the two"
        raise ValueProblem(what, fix, step=second)
    moved = int((times[1:] < times[:-1]).sum())
    if moved:
        sequence, times = sequence.take(order, len(times)), times[order]
    return sequence, times, moved


def written(times: Times) -> list[Any]:
    """Return times as text, to the precision that all of them need; numbers as they are."""
    if times.dtype.kind != "M":
        return [int(time) if float(time).is_integer() else float(time) for time in times]
    units: tuple[Literal["D", "m", "s", "ms", "us"], ...] = ("D", "m", "s", "ms", "us")
    exact = (unit for unit in units if (times == times.astype(f"datetime64[{unit}]")).all())
    texts = np.datetime_as_string(times, unit=next(exact, "ns"))
    return [str(text).replace("T", " ") for text in texts]


def _place(sequence: RawSequence, step: int) -> str:
    return f"step {step + 1}" if sequence.steps_at is None else f"in {sequence.steps_at[step]}"


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """Return values as numbers (T,) if all are, NaN where missing."""
    if isinstance(value, Cells):
        return value.numbers()
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return value.astype(np.float64).reshape(len(value), -1)[:, 0]
    try:
        return np.array([float(cell) if not isinstance(cell, bool) else np.nan for cell in value])
    except (TypeError, ValueError):
        return None


def _nanoseconds(value: NDArray[np.datetime64]) -> tuple[Times, NDArray[np.bool_]]:
    """Return dates (T,) in nanoseconds, and which of them are missing or out of range, where they would wrap."""
    times = np.full(len(value), np.datetime64("NaT", "ns"))
    inside = ~np.isnat(value)
    if np.datetime_data(value.dtype)[0] not in ("ns", "ps", "fs", "as", "generic"):
        low, high = (np.datetime64(year, "Y").astype(value.dtype) for year in ("1678", "2262"))
        inside = (value >= low) & (value < high)
    times[inside] = value[inside].astype("datetime64[ns]")
    return times, ~inside


def _plain(value: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers (T,), and which values are none."""
    numbers = _numbers(value)
    if numbers is None:
        numbers = np.full(len(value), np.nan)
        for step, cell in enumerate(value):
            found = _numbers([cell])
            numbers[step] = np.nan if found is None else found[0]
    return numbers, ~np.isfinite(numbers)


def _are_compact(numbers: NDArray[np.float64]) -> bool:
    """Return whether all numbers are dates such as 20200131."""
    if not len(numbers) or not ((numbers >= 1800_01_01) & (numbers <= 2200_12_31)).all() or (numbers % 1).any():
        return False
    return not np.isnat(_parsed("compact", _texts(numbers))).any()


def _texts(value: Any) -> Any:
    """Return values as an Arrow array of text without blanks around it; whole numbers without a fraction."""
    import pyarrow as pa

    if isinstance(value, Cells):
        return value.arrow().combine_chunks()
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = [f"{number:.0f}" if number % 1 == 0 else str(number) for number in value]
    return pa.array(["" if cell is None else str(cell).strip() for cell in value], pa.string())


def _begin_with_dots(texts: Any) -> bool:
    """Return whether a text has a dot behind its first number, as dates do that begin with the day."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring(pc.utf8_slice_codeunits(texts, 0, 5), ".")).as_py())


def _count(form: TimeForm, texts: Any) -> int:
    return int((~np.isnat(_parsed(form, texts))).sum())


def _parsed(form: TimeForm, array: Any) -> NDArray[np.datetime64]:
    """Return the times (T,) of an Arrow array of texts in a form, NaT for those that are not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if form == "ymd" and _in_range(array):  # out of it, some versions of Arrow wrap
        try:  # most of the time: ten times as fast
            return np.asarray(pc.cast(array, pa.timestamp("ns")).to_numpy(zero_copy_only=False), "datetime64[ns]")
        except pa.ArrowInvalid:
            pass
    parts = pc.extract_regex(array, _PATTERNS[form])
    names = {field.name for field in parts.type}

    def part(name: str, default: int) -> NDArray[np.int64]:
        if name not in names:
            return np.full(len(array), default)
        text = pc.struct_field(parts, name)
        digits = pc.if_else(pc.equal(text, ""), str(default), text)
        return np.asarray(pc.cast(digits, pa.int64()).fill_null(default).to_numpy(zero_copy_only=False))

    bad = np.asarray(parts.is_null().to_numpy(zero_copy_only=False))
    days, wrong = _days(part("y", 1970), part("m", 1), part("d", 1))
    hours, minutes, seconds = part("H", 0), part("M", 0), part("S", 0)
    marks = pc.utf8_lower(pc.struct_field(parts, "p")).fill_null("").to_numpy(zero_copy_only=False)
    half = np.array([mark[:1] for mark in marks.tolist()])
    wrong |= (hours > np.where(half == "", 23, 12)) | (minutes > 59) | (seconds > 59)
    hours = np.where(half == "", hours, hours % 12 + 12 * (half == "p"))
    fractions = pc.utf8_rpad(pc.struct_field(parts, "f").fill_null(""), 9, "0")
    nanoseconds = np.asarray(pc.cast(fractions, pa.int64()).to_numpy(zero_copy_only=False))
    zones = pc.struct_field(parts, "z").fill_null("").to_pylist() if "z" in names else []
    offsets = _offsets(zones) if any(zones) else 0
    if any(zones):
        wrong |= np.array([not zone for zone in zones])
    total = days * _DAY + ((hours * 60 + minutes - offsets) * 60 + seconds) * 1_000_000_000 + nanoseconds
    times: NDArray[np.datetime64] = total.astype("datetime64[ns]")
    times[bad | wrong] = np.datetime64("NaT", "ns")
    return times


def _in_range(texts: Any) -> bool:
    """Return whether all texts begin with a year that datetime64[ns] covers."""
    import pyarrow.compute as pc

    years = pc.min_max(pc.utf8_slice_codeunits(texts, 0, 4)).as_py()
    return years["min"] is not None and years["min"] >= "1678" and years["max"] <= "2261"


def _days(
    years: NDArray[np.int64], months: NDArray[np.int64], days: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return days since 1970 (T,), and which dates do not exist; datetime64[ns] covers the years 1678 to 2261."""
    wrong = (months < 1) | (months > 12) | (years < 1678) | (years > 2261)
    first = ((years - 1970) * 12 + np.where(wrong, 1, months) - 1).astype("datetime64[M]")
    start = first.astype("datetime64[D]").astype(np.int64)
    length = (first + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64) - start
    return start + days - 1, wrong | (days < 1) | (days > length)


def _offsets(zones: list[str]) -> NDArray[np.int64]:
    """Return the minutes by which the clocks of zones are ahead of UTC (T,)."""
    known = {zone: _offset(zone) for zone in set(zones)}
    return np.array([known[zone] for zone in zones], np.int64)


def _offset(zone: str) -> int:
    if zone in ("", "Z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if zone[0] == "-" else minutes
