"""The page of ``lstm compare`` in headless Chromium."""

import pytest

from lstm_cli.insight.compared import Compared, Comparison
from lstm_cli.report.compare import page
from tests.support.browser import BROKEN, PROGRAM, TOO_WIDE, Browser

NAME = "runs/<script>alert(1)<b>, " + "a-name-without-a-space" * 5


def compared(number):
    entries = tuple(
        {"step": step, "epoch": step, "split": "valid", "loss": 1 / (step + number), "accuracy": 0.5, "train_loss": 0.3}
        for step in range(1, 30)
    )
    return Compared(
        run=f"{NAME}{number}",
        state="finished",
        monitor="valid.loss",
        scores={"valid": {"loss": 0.03, "accuracy": 0.5}, "test": {"loss": 0.04, "accuracy": 0.4}},
        config={f"model.layers.{key}.size": key for key in range(12)},
        parameters=1_000_000,
        best_epoch=3,
        epochs=29,
        seconds=9000.0,
        entries=entries,
    )


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium: install the package chromium")
def test_it_fits_a_phone_and_a_screen_in_light_and_dark(tmp_path):
    made = Comparison(tuple(map(compared, range(9))), "valid.loss", (f"{NAME}: no such folder",))
    (tmp_path / "compare.html").write_text(page(made))
    with Browser() as browser:
        for width in (390, 1280):
            for dark in (False, True):
                browser.show(tmp_path / "compare.html", width=width, dark=dark)
                assert browser.evaluate("document.documentElement.scrollWidth") == width
                assert browser.evaluate(TOO_WIDE) == browser.evaluate(BROKEN) == []
        assert browser.evaluate("document.querySelectorAll('figure').length") == 3
        assert browser.evaluate("document.querySelectorAll('#curves polyline').length") == 18  # of the best six
        assert "<script>alert(1)<b>" in browser.evaluate("document.querySelector('#notes li').textContent")
        assert browser.problems == []
        assert [address for address in browser.requests if not address.startswith(("file:", "data:"))] == []
