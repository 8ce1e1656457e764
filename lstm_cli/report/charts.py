"""What a chart of lines and intervals shows; `report.drawing` says where it lies, and `report.rendering` draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_POINTS = 400  # of a line, by default; a screen cannot show many more

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Line:
    """A named line of points (x, y), by x; y may be None or not finite where there is no value.

    `naive` lines are drawn thin and grey, `dots` as points that are not connected. One without a name is in no legend.
    """

    name: str
    points: Sequence[Point]
    naive: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Band:
    """A named area between two values, as points (x, low, high), by x, in the colour of a line (``s1``: the second)."""

    name: str
    points: Sequence[tuple[float, float | None, float | None]]
    colour: str = "s0"


@dataclass(frozen=True)
class Axis:
    """A way to count along x: its name, and how many x make one of it (steps of an epoch, say).

    With `texts`, pairs (x, text), these are shown instead of numbers: dates, for example.
    """

    name: str
    per: float = 1.0
    texts: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Mark:
    """A point to mark with a ring, or with `y` None a vertical line there, and its description."""

    x: float
    y: float | None
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart: lines and areas over one or several axes of x.

    Attributes
    ----------
    title
        What it shows, also for screen readers.
    lines, bands
        Those without points are left out, but a line keeps the colour of its place among all of them.
    axes
        Ways to count along x, the first one in the unit of the points.
    mark
        A point to mark.
    zero
        Whether y begins at zero.
    share
        Whether x and y are shares: both from 0 to 1.
    points
        The most points of a line; more are thinned out, keeping the extremes.
    """

    title: str
    lines: Sequence[Line]
    bands: Sequence[Band] = ()
    axes: Sequence[Axis] = (Axis("step"),)
    mark: Mark | None = None
    zero: bool = False
    share: bool = False
    points: int = MAX_POINTS
