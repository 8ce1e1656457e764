import json
import math
import random
import re

import pytest

from lstm_cli.report.charts import Axis, Band, Chart, Line, Mark
from lstm_cli.report.drawing import HEIGHT, WIDTH, drawn
from lstm_cli.report.rendering import picture
from lstm_cli.report.scales import label, linear_ticks
from tests.support.html import WellFormed


def chart(*points, **options):
    return Chart("loss", [Line("valid", list(points))], **options)


def drawing(*points, **options):
    return drawn(chart(*points, **options))


def texts(ticks):
    return [tick.text for tick in ticks]


def test_higher_values_are_higher():
    (path,) = drawing((0, 1.0), (10, 2.0)).paths
    (left, low), (right, high) = path.places
    assert (left, right) == (0, 1)
    assert 0 < low < high < 1
    (_, down), (_, up) = (tuple(map(int, pair.split(","))) for pair in path.coordinates.split())
    assert 0 < up < down < HEIGHT


def test_ticks_are_round():
    found = drawing((0, 0.0), (1000, 1.0))
    assert texts(found.y_ticks) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert texts(found.x_axes[0][1]) == ["0", "200", "400", "600", "800", "1,000"]


def test_ticks_over_decades_are_logarithmic():
    found = drawing((0, 0.001), (10, 10.0))
    assert texts(found.y_ticks) == ["0.001", "0.01", "0.1", "1", "10"]
    assert [tick.at for tick in found.y_ticks] == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_a_scale_that_begins_at_zero_is_linear():
    assert texts(drawing((0, 0.001), (10, 10.0), zero=True).y_ticks) == ["0", "2", "4", "6", "8", "10"]


@pytest.mark.parametrize("low, high", [(-45.0, 56.0), (0.31, 0.94), (-1.5, 1.4), (2.0, 2.9)])
def test_the_axis_of_values_has_some_ticks(low, high):
    assert 3 <= len(drawing((0, low), (10, high)).y_ticks) <= 7


@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-3.0, 5.0), (1e-12, 3e-12), (99999.5, 99999.75), (-1e300, 1e300)])
def test_ticks_lie_within_the_range(low, high):
    ticks = linear_ticks(low, high, 5)
    assert 2 <= len(ticks) <= 11
    slack = 1e-9 * (high - low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "0"),
        (0.25, "0.25"),
        (1500, "1,500"),
        (20000, "20k"),
        (3e6, "3M"),
        (1e-5, "1e-5"),
        (-0.5, "-0.5"),
        (2e12, "2e12"),
    ],
)
def test_labels_are_short(value, text):
    assert label(value) == text


@pytest.mark.parametrize(
    "points",
    [
        [(5, 0.3)],
        [(0, 2.0), (9, 2.0)],
        [(0, 0.0), (9, 0.0)],
        [(0, -3.0), (1, 5.0)],
        [(0, -1e300), (1, 1e300), (2, 1e308)],
        [(0, 5e-324), (1, 1e300)],
        [(0, 1.0), (1, math.nextafter(1.0, 2.0))],
        [(0, math.nan), (1, math.inf), (2, None), (3, 1.0)],
    ],
)
def test_odd_points_have_places(points):
    found = drawing(*points)
    assert all(0 <= place <= 1 for path in found.paths for pair in path.places for place in pair)
    WellFormed(picture(chart(*points)))


def test_without_points_there_is_nothing():
    empty = Chart("loss", [Line("valid", []), Line("train", [(1, math.nan)])], bands=[Band("b", [(1, None, 2.0)])])
    assert drawn(empty) is None
    assert picture(empty) is None


def test_thinning_keeps_the_ends_and_the_extremes():
    draw = random.Random(3)
    points = [(step, draw.gauss(0, 1)) for step in range(20_000)]
    points[777], points[15_001] = (777, 30.0), (15_001, -40.0)
    found = drawing(*points, points=100).values["lines"][0]
    assert len(found["x"]) <= 100
    assert sorted(found["x"]) == list(found["x"])
    assert {0, 777, 15_001, 19_999} <= set(found["x"])


def test_epochs_are_counted_in_steps():
    found = drawing((0, 1.0), (1000, 2.0), axes=(Axis("step"), Axis("epoch", per=250.0)))
    (name, ticks) = found.x_axes[1]
    assert name == "epoch"
    assert [(tick.text, tick.at) for tick in ticks] == [(str(k), k / 4) for k in range(5)]


def test_dates_are_shown_at_the_ends_and_between():
    dates = Axis("", texts=[(k, f"day {k}") for k in range(9)])
    (_, ticks) = drawing(*((k, float(k)) for k in range(9)), axes=(dates,)).x_axes[0]
    assert [(tick.text, tick.kind) for tick in ticks] == [
        ("day 0", "first"),
        ("day 4", "minor text"),
        ("day 8", "last"),
    ]


def test_areas_lie_between_their_values():
    band = Band("80 %", [(0, 1.0, 3.0), (1, 2.0, 4.0), (2, None, None)], colour="s1")
    found = drawn(Chart("load", [Line("forecast", [(0, 2.0), (1, 3.0)])], bands=[band]))
    area, line = found.paths
    assert (area.kind, line.kind) == ("band s1", "line s0")
    (_, low), _, (_, high), _ = area.places
    assert low < line.places[0][1] < found.paths[1].places[1][1] and high > low
    assert found.values["bands"][0]["high"] == [3.0, 4.0]


def test_naive_lines_take_no_colour():
    lines = [Line("a", [(0, 1.0), (1, 2.0)], naive=True), Line("b", [(0, 1.0), (1, 2.0)]), Line("c", [(0, 2.0)])]
    assert [path.kind for path in drawn(Chart("t", lines)).paths] == ["line naive n0", "line s0", "dots s1"]


def test_lines_keep_the_colour_of_their_place():
    lines = [Line("a", []), Line("b", [(0, 1.0), (1, 2.0)])]
    assert [path.kind for path in drawn(Chart("t", lines)).paths] == ["line s1"]


def test_shares_fill_the_square():
    found = drawing((0.5, 0.25), share=True)
    assert found.paths[0].places == ((0.5, 0.25),)
    assert found.square


def test_a_picture_is_an_svg_that_stands_alone():
    marked = chart((0, 1.0), (5, 3.0), mark=Mark(5, 3.0, "best <1>"))
    text = picture(marked)
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "best &lt;1&gt;" in text
    assert not re.search(r"<script|@import|url\(|href", text)
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in text


def test_the_script_gets_the_values():
    values = json.loads(json.dumps(drawing((0, 1.234567), (3, 2.0)).values))
    assert values["lines"] == [{"name": "valid", "kind": "line s0", "x": [0, 3], "y": [1.2346, 2.0]}]


def test_a_long_legend_takes_several_rows():
    lines = [Line(f"the value {k} steps ago", [(0, 1.0), (1, 2.0)], naive=True) for k in range(24, 30)]
    text = picture(Chart("load", lines))
    places = [tuple(map(float, place)) for place in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">the value', text)]
    assert len(places) == 6
    assert {y for _, y in places} == {46, 62}
    assert all(x < 760 - 150 for x, _ in places)
