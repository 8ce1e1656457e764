"""The page and the picture of a backtest: charts of all forecasters, and names of users as text."""

from xml.etree import ElementTree

import numpy as np
import pytest

from lstm_cli.data.schema.record import Record
from lstm_cli.insight.backtest_plan import Plan
from lstm_cli.insight.backtested import Backtest
from lstm_cli.insight.observed import Observed
from lstm_cli.report.backtest import errors_ahead, page, picture, scores
from lstm_cli.scores.horizons import Forecasts
from lstm_cli.scores.prediction_intervals import Intervals

NASTY = "</script><script>alert(1)</script>"
COUNT, STEPS = 12, 5


def found(columns, data="load.csv"):
    """Forecasts that are off by some noise, from a series of a few hundred steps."""
    draw, size = np.random.default_rng(2), len(columns)
    values = draw.normal(size=(200, size))
    origins = np.arange(COUNT) * 10 + 50
    truth = values[origins[:, None] + np.arange(STEPS)]
    model, naive = (Forecasts(truth, truth + draw.normal(size=truth.shape) * by, columns) for by in (0.1, 1))
    plan = Plan(1, STEPS, (24,), [origins.tolist()], [[]])
    titles = {"model": "the model", "last": "the last value", "seasonal_24": "the value 24 steps ago"}
    forecasters = dict(zip(titles, (model, naive, naive), strict=True))
    series = [Observed(Record(1, "load.csv", 200, {}), values)]
    return Backtest(data, series, np.zeros(COUNT, np.int64), origins, plan, titles, forecasters, Intervals.fit(model))


@pytest.mark.parametrize("columns", [("load",), ("load", "wind")])
def test_charts_have_a_line_for_each_forecaster(columns):
    backtest = found(columns)
    charts = list(errors_ahead(backtest))
    assert len(charts) == 2 * len(columns)
    assert charts[0].title == ("MAE by steps ahead" if len(columns) == 1 else "MAE of load by steps ahead")
    assert [line.name for line in charts[0].lines] == ["this model", "the last value", "the value 24 steps ago"]
    assert [line.naive for line in charts[0].lines] == [False, True, True]
    errors = np.abs(backtest.forecasters["model"].predicted - backtest.forecasters["model"].truth).mean(axis=0)
    steps, shown = zip(*charts[0].lines[0].points, strict=True)
    assert steps == tuple(range(1, STEPS + 1))
    assert shown == pytest.approx(errors[:, 0])
    assert len(scores(backtest).rows) == 3 * len(columns)


def test_the_page_shows_names_as_text():
    backtest = found((NASTY,), data=NASTY)
    text = page(backtest)
    assert NASTY not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert text.count("<figure>") == 2 + 3
    assert f"{100 * backtest.interval['coverage']:.0f}&nbsp;%" in text


def test_the_picture_is_well_formed():
    root = ElementTree.fromstring(picture(found((NASTY,))))
    charts = root.findall("{http://www.w3.org/2000/svg}g")
    assert len(charts) == 1 + 3
    assert not any("script" in element.tag for element in root.iter())
