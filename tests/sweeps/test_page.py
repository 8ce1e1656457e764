"""The page of a sweep."""

import re

import pytest

from lstm_cli.report.sweep import Searched, SweepContents, SweepTrial, importance, page, parallel, rank
from tests.support.browser import BROKEN, PROGRAM, TOO_WIDE, Browser

KEYS = (
    Searched("model.layers", ("[4]", "[4, 8]")),
    Searched("optimizer.learning_rate", (), 1e-4, 1e-2, log=True),
    Searched("model.dropout", (), 0.0, 0.5),
)


def trial(number, value, state="trained", **more):
    values = {"model.layers": "[4]" if number % 2 else "[4, 8]", "optimizer.learning_rate": "0.001",
              "model.dropout": f"{0.25 - number / 1000}"}  # fmt: skip
    scores = () if value is None else tuple((float(epoch), value + 1 / epoch) for epoch in range(1, 6))
    return SweepTrial(f"trial-{number:04d}", state, values, value, "epoch 5", scores, **more)


def contents(*trials, monitor="valid.loss", **more):
    return SweepContents("search", monitor, "epoch", False, KEYS, trials, **more)


def test_trials_are_ranked_by_the_direction_of_the_score():
    trials = [trial(0, 0.3), trial(1, 0.1, "pruned"), trial(2, 0.2), trial(3, None, "failed")]
    assert [each.name[-1] for each in rank(contents(*trials))] == ["2", "0", "1"]
    assert [each.name[-1] for each in rank(contents(*trials, monitor="valid.accuracy"))] == ["0", "2", "1"]


def test_a_line_goes_through_its_values():
    found = contents(trial(0, 1.0), trial(1, 3.0))
    drawing = parallel(found, rank(found), "loss")
    assert [axis.name for axis in drawing.axes] == ["layers", "learning_rate", "dropout", "loss"]
    second, first = drawing.paths  # the best one is drawn last, over the others
    assert [round(height, 3) for _, height in first.places][:3] == [0.75, 0.5, 0.5]
    assert [round(height, 3) for _, height in second.places][:3] == [0.25, 0.5, 0.498]
    assert first.places[3][1] < second.places[3][1]
    assert [tick.text for tick in drawing.axes[0].ticks] == ["[4]", "[4, 8]"]
    assert parallel(contents(trial(0, 1.0)), rank(contents(trial(0, 1.0))), "loss") is None


def test_the_page_links_its_runs_and_escapes_what_users_name():
    found = page(
        contents(
            *(trial(number, 0.1 + number / 9) for number in range(9)),
            trial(9, None, "failed", note="<script>alert(1)</script>"),
            trial(10, 0.5, here=False, note="node2:/runs"),
            importance={"model.dropout": 0.75, "model.layers": 0.25},
        )
    )
    assert "Best validation loss: 0.1000, trial-0000 (10 trained, 1 failed)." in re.sub("<[^>]*>", "", found)
    assert found.count('/report.html">') == 9
    assert "<script>alert(1)" not in found
    assert importance(contents(importance={"a": 0.5})).rows == [["a", "0.50"]]
    assert "http" not in re.sub(r"http://www.w3.org/\S*", "", found)


def test_a_page_without_trials():
    assert "No trial yet." in page(contents())


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium: install the package chromium")
def test_it_fits_a_phone_and_a_screen_in_light_and_dark(tmp_path):
    trials = [trial(number, 0.1 + number / 9) for number in range(30)]
    (tmp_path / "report.html").write_text(page(contents(*trials, importance={"model.dropout": 1.0})))
    with Browser() as browser:
        for width in (390, 1280):
            for dark in (False, True):
                browser.show(tmp_path / "report.html", width=width, dark=dark)
                assert browser.evaluate("document.documentElement.scrollWidth") == width
                assert browser.evaluate(TOO_WIDE) == browser.evaluate(BROKEN) == []
        assert browser.evaluate("document.querySelectorAll('.upright polyline').length") == 30
        assert browser.evaluate("document.querySelectorAll('#curves polyline').length") == 30
        assert browser.problems == []
