"""Notes on the times of series: rows that were out of order, gaps, and series without a regular step."""

from collections.abc import Sequence

from lstm_cli.data.schema.grid import Grid, grid_of
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.times import Times, written
from lstm_cli.errors import counted, listed

_SHOWN = 3


def time_notes(split: str, records: Sequence[Record]) -> list[str]:
    """Return notes on the times of a split's series; none for series without times."""
    moved = [f"{record.id!r} ({record.moved})" for record in records if record.moved]
    notes = [f"{split}: rows out of order in time, now sorted, of {listed(moved, _SHOWN)}"] if moved else []
    gaps, irregular = [], []
    for record in records:
        grid = None if record.times is None else grid_of(record.times)
        if record.times is None or grid is None:
            continue
        if not grid.regular:
            irregular.append(_steps(record, grid))
        elif len(grid.gaps):
            gaps.append(_gaps(record, record.times, grid))
    if irregular:
        what = f"{split}: irregular times: {listed(irregular, _SHOWN)}"
        notes.append(f"{what}: the network sees steps, not how long they take; give the time between them as an input")
    return notes + ([f"{split}: gaps in time: {'; '.join(gaps[:_SHOWN])}{_more(len(gaps))}"] if gaps else [])


def _gaps(record: Record, times: Times, grid: Grid) -> str:
    first = int(grid.gaps[0])
    start, end = written(times[first : first + 2])
    count = counted(len(grid.gaps), "gap")
    where = f"the first between {start} and {end}" if len(grid.gaps) > 1 else f"between {start} and {end}"
    return f"{record.id!r}: {count}, {where}, where the usual step is {grid.text}"


def _steps(record: Record, grid: Grid) -> str:
    least, most = (grid.span(float(step)) for step in (grid.steps.min(), grid.steps.max()))
    return f"{record.id!r} (steps of {least} to {most})"


def _more(count: int) -> str:
    return f"; and {count - _SHOWN} more series" if count > _SHOWN else ""
