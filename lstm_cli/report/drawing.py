"""Where the parts of a chart lie.

Positions have no size: they run from 0 to 1. The templates ``chart.html`` and ``chart.svg`` draw them: the one with
text of the page's own size over lines that fill any width, the other as a file of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal

from lstm_cli.report.charts import Axis, Band, Chart, Line, Point
from lstm_cli.report.scales import LARGEST, Scale, label, linear_ticks, scale_of
from lstm_cli.training.sinks.wording import number

WIDTH, HEIGHT = 2000, 1000  # of the coordinates of lines
FEW_TICKS = 5  # fit on a phone
EDGE = 0.02  # a label as near to the left end would reach into the name of its axis
COLOURS, DASHES = 6, 4  # of the style sheets, of lines and of naive ones


@dataclass(frozen=True)
class Tick:
    """A labelled place of an axis, at a position from 0 to 1; `kind` says how its text is placed: ``first``, ``last``.

    Where there is little room, ``minor`` ones are left out.
    """

    at: float
    text: str
    kind: str = ""

    @property
    def down(self) -> int:
        """The coordinate of a tick of y."""
        return round((1 - self.at) * HEIGHT)

    @property
    def across(self) -> int:
        """The coordinate of a tick of x."""
        return round(self.at * WIDTH)


@dataclass(frozen=True)
class Path:
    """A line, an area or dots: its places from 0 to 1, y upward; `kind` are the names that choose its looks."""

    name: str
    shape: Literal["line", "dots", "band"]
    kind: str
    places: tuple[tuple[float, float], ...]

    @property
    def coordinates(self) -> str:
        """The places as coordinates in `WIDTH` by `HEIGHT`, y downward."""
        return " ".join(f"{round(a * WIDTH)},{round((1 - b) * HEIGHT)}" for a, b in self.places)


@dataclass(frozen=True)
class Marked:
    """The place of a mark, from 0 to 1; `up` is None for a vertical line."""

    at: float
    up: float | None
    text: str

    @property
    def across(self) -> int:
        """The coordinate of x."""
        return round(self.at * WIDTH)

    @property
    def down(self) -> int:
        """The coordinate of y."""
        return round((1 - (self.up or 0.0)) * HEIGHT)


@dataclass(frozen=True)
class Drawing:
    """A chart with positions; `values` are the points of the lines and how to show them, for the page's script."""

    title: str
    description: str
    paths: tuple[Path, ...]
    y_ticks: tuple[Tick, ...]
    x_axes: tuple[tuple[str, tuple[Tick, ...]], ...]
    mark: Marked | None
    square: bool
    values: dict[str, Any]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def gutter(self) -> int:
        """Characters of the widest label left of the chart."""
        names = [name for name, _ in self.x_axes] if len(self.x_axes) > 1 else []
        return max(map(len, [*(tick.text for tick in self.y_ticks), *names]), default=1)

    @property
    def legend(self) -> tuple[Path, ...]:
        """The lines and areas to name: not a single one, and none without a name."""
        return tuple(path for path in self.paths if path.name) if len(self.paths) > 1 else ()


def drawn(chart: Chart) -> Drawing | None:
    """Return the positions of a chart's parts, or None if there is no point to draw."""
    looks = _looks(chart.lines)
    lines = [_Points(*each, _thinned(_finite(each[0].points), chart.points)) for each in looks]
    lines = [line for line in lines if line.points]
    bands = [_Area(band, [p for p in map(_between, band.points) if p is not None]) for band in chart.bands]
    bands = [band for band in bands if band.points]
    if not lines and not bands:
        return None
    places: list[tuple[float, ...]] = [point for line in lines for point in line.points]
    places += [point for band in bands for point in band.points]
    xs, ys = [place[0] for place in places], [value for place in places for value in place[1:]]
    x = Scale(0.0, 1.0) if chart.share else Scale(min(xs), max(xs))
    y = Scale(0.0, 1.0) if chart.share else scale_of(min(ys), max(ys), zero=chart.zero)
    mark = chart.mark
    areas, paths = _areas(bands, x, y), _paths(lines, x, y)
    return Drawing(
        title=chart.title,
        description=f"{chart.title}. {_description(lines, chart.axes[0].name)}",
        paths=(*areas, *paths),
        y_ticks=tuple(Tick(y(tick), label(tick)) for tick in y.ticks(6)),
        x_axes=tuple((axis.name, _x_ticks(axis, x)) for axis in chart.axes),
        mark=None if mark is None else Marked(x(mark.x), None if mark.y is None else y(mark.y), mark.text),
        square=chart.share,
        values={
            "x": [x.low, x.high],
            "y": [y.low, y.high],
            "log": y.logarithmic,
            "axes": [{"name": axis.name, "per": axis.per, "texts": dict(axis.texts)} for axis in chart.axes],
            "bands": [band.values(path.kind) for band, path in zip(bands, areas, strict=True)],
            "lines": [line.values(path.kind) for line, path in zip(lines, paths, strict=True) if path.name],
        },
    )


@dataclass(frozen=True)
class _Points:
    """A line with its looks and the points that are drawn."""

    line: Line
    colour: str
    points: Sequence[tuple[float, float]]

    def values(self, kind: str) -> dict[str, Any]:
        """Return the points for the page's script."""
        xs, ys = zip(*self.points, strict=True)
        return {"name": self.line.name, "kind": kind, "x": xs, "y": list(map(_short, ys))}


@dataclass(frozen=True)
class _Area:
    """A band with the points that are drawn."""

    band: Band
    points: Sequence[tuple[float, float, float]]

    def values(self, kind: str) -> dict[str, Any]:
        """Return the points for the page's script."""
        xs, low, high = zip(*self.points, strict=True)
        return {
            "name": self.band.name,
            "kind": kind,
            "x": xs,
            "low": list(map(_short, low)),
            "high": list(map(_short, high)),
        }


def _finite(points: Iterable[Point]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if y is not None and -LARGEST <= y <= LARGEST]


def _between(point: tuple[float, float | None, float | None]) -> tuple[float, float, float] | None:
    """Return a point of a band if both of its values are there."""
    x, low, high = point
    if low is None or high is None or not -LARGEST <= low <= high <= LARGEST:
        return None
    return x, low, high


def _thinned(points: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Return at most about `most` points: the first, the last, and the lowest and highest of equal pieces between."""
    if len(points) <= most:
        return points
    pieces = max(most // 2 - 1, 1)
    inner = points[1:-1]
    kept = [points[0]]
    for piece in range(pieces):
        part = inner[piece * len(inner) // pieces : (piece + 1) * len(inner) // pieces]
        ends = {min(part, key=_height), max(part, key=_height)} if part else set()
        kept += sorted(ends)
    return [*kept, points[-1]]


def _height(point: tuple[float, float]) -> float:
    return point[1]


def _description(lines: Iterable[_Points], axis: str) -> str:
    """Say in words where each line begins and ends."""
    return "; ".join(
        f"{line.line.name}: from {number(line.points[0][1])} at {axis} {label(line.points[0][0])} "
        f"to {number(line.points[-1][1])} at {axis} {label(line.points[-1][0])}"
        for line in lines
        if line.line.name
    )


def _looks(lines: Sequence[Line]) -> list[tuple[Line, str]]:
    """Return each line with its colour, by its place among the lines of a chart, those without points included."""
    ours, naive = count(), count()
    return [(line, f"naive n{next(naive) % DASHES}" if line.naive else f"s{next(ours) % COLOURS}") for line in lines]


def _paths(lines: Iterable[_Points], x: Scale, y: Scale) -> list[Path]:
    paths: list[Path] = []
    for part in lines:
        shape: Literal["line", "dots"] = "dots" if part.line.dots or len(part.points) == 1 else "line"
        kind = f"{shape} {part.colour}"
        paths.append(Path(part.line.name, shape, kind, tuple((x(a), y(b)) for a, b in part.points)))
    return paths


def _areas(bands: Iterable[_Area], x: Scale, y: Scale) -> list[Path]:
    areas: list[Path] = []
    for part in bands:
        low = [(x(a), y(value)) for a, value, _ in part.points]
        high = [(x(a), y(value)) for a, _, value in reversed(part.points)]
        areas.append(Path(part.band.name, "band", f"band {part.band.colour}", (*low, *high)))
    return areas


def _x_ticks(axis: Axis, x: Scale) -> tuple[Tick, ...]:
    if axis.texts:
        last = len(axis.texts) - 1
        kinds = {last // 2: "minor text", 0: "first", last: "last"}
        return tuple(Tick(x(axis.texts[k][0]), axis.texts[k][1], kinds[k]) for k in sorted(kinds))
    ticks = linear_ticks(x.low / axis.per, x.high / axis.per, 5)
    if axis.per != 1:
        ticks = [tick for tick in ticks if tick == round(tick)]
    crowded = len(ticks) > FEW_TICKS
    found = [Tick(x(tick * axis.per), label(tick), "minor" * (crowded and k % 2)) for k, tick in enumerate(ticks)]
    if found and found[0].at < EDGE:
        found[0] = replace(found[0], kind="first")
    return tuple(found)


def _short(value: float) -> float:
    """Return a number with five significant digits."""
    return float(f"{value:.5g}")
