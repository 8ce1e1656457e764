"""Line charts as inline SVG: no script, no outside resource, colours from the page's style sheet."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from lstm_cli.training.sinks.wording import number

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 38
MAX_POINTS = 600  # of a line; a screen cannot show more
LOGARITHMIC_RANGE = 50.0  # ratio of largest to smallest value above which the scale is logarithmic

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A named line of points (step, value)."""

    name: str
    points: Sequence[Point]


def line_chart(title: str, series: Sequence[Series], *, marked: tuple[Point, str] | None = None) -> str:
    """Draw lines over the training steps.

    Parameters
    ----------
    title
        What the chart shows, also for screen readers.
    series
        The lines; empty ones and points that are not finite are left out.
    marked
        A point to mark, and its description.

    Returns
    -------
    svg
        An ``<svg>`` element; empty if there is no point.
    """
    drawn = [Series(line.name, _drawable(line.points)) for line in series]
    drawn = [line for line in drawn if line.points]
    if not drawn:
        return ""
    plot = _Plot([point for line in drawn for point in line.points])
    description = "; ".join(f"{line.name}: {_summary(line.points)}" for line in drawn)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{title}. {description}")}">',
        *plot.axes(),
        *(plot.line(line, place) for place, line in enumerate(drawn)),
        plot.mark(*marked) if marked else "",
        "</svg>",
    ]
    return "\n".join(parts)


def _drawable(points: Sequence[Point]) -> list[Point]:
    """Leave out points that are not finite, and thin out more than a screen can show; the last point stays."""
    finite = [(x, y) for x, y in points if y is not None and math.isfinite(y)]
    stride = math.ceil(len(finite) / MAX_POINTS) or 1
    return finite[::-stride][::-1]


def _summary(points: Sequence[Point]) -> str:
    return f"from {number(points[0][1])} at step {points[0][0]:,} to {number(points[-1][1])} at step {points[-1][0]:,}"


class _Plot:
    """Maps points to positions in the drawing, and draws the axes and lines."""

    def __init__(self, points: Sequence[Point]) -> None:
        xs, ys = zip(*points, strict=True)
        self.logarithmic = min(ys) > 0 and max(ys) / min(ys) > LOGARITHMIC_RANGE
        self.x_ticks = _linear_ticks(min(xs), max(xs), 6)
        low, high = _padded(min(ys), max(ys))
        self.y_ticks = _decades(min(ys), max(ys)) if self.logarithmic else _linear_ticks(low, high, 5)
        self.x = _scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
        if self.logarithmic:
            scale = _scale(math.log(min(ys)), math.log(max(ys)), HEIGHT - BOTTOM, TOP)
            self.y: Callable[[float], float] = lambda value: scale(math.log(value))
        else:
            self.y = _scale(low, high, HEIGHT - BOTTOM, TOP)

    def axes(self) -> list[str]:
        """Draw grid lines with their values."""
        parts = []
        for tick in self.y_ticks:
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_label(tick)}</text>')
        bottom = HEIGHT - BOTTOM
        for tick in self.x_ticks:
            x = self.x(tick)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>')
            parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_label(tick)}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text class="axis" x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">step</text>')
        return parts

    def line(self, line: Series, place: int) -> str:
        """Draw one series; a single point becomes a dot."""
        places = [(self.x(x), self.y(y)) for x, y in line.points]
        name = f"<title>{escape(line.name)}</title>"
        if len(places) == 1:
            return f'<circle class="dot s{place}" cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="4">{name}</circle>'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        return f'<polyline class="line s{place}" points="{path}">{name}</polyline>'

    def mark(self, point: Point, text: str) -> str:
        """Draw a ring around a point, with a tooltip."""
        x, y = self.x(point[0]), self.y(point[1])
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{escape(text)}</title></circle>'


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _padded(low: float, high: float) -> tuple[float, float]:
    """Leave some room above and below, but not below zero if no value is negative."""
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return (max(low - room, 0.0) if low >= 0 else low - room), high + room


def _linear_ticks(low: float, high: float, count: int) -> list[float]:
    """Return round values within the range, about `count` of them."""
    if low == high:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 of every decade within the range; only the ones if those are too many."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 8:
            return ticks
    return ticks[:: math.ceil(len(ticks) / 8)]


def _label(value: float) -> str:
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return f"{value:,.6g}".rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"
