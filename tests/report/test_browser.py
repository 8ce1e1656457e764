"""Pages in headless Chromium: at widths of a phone, a tablet and a screen, in light and dark, and on paper."""

import json

import pytest

from lstm_cli.report.page import render
from lstm_cli.report.wording import cut
from tests.support.browser import BROKEN, PROGRAM, TOO_WIDE, Browser
from tests.support.report_contents import SCRIPT, all_tasks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium: install the package chromium"),
]
WIDTHS = (390, 768, 1280)

SMALLEST = (
    "Math.min(...[...document.querySelectorAll('.plot span')].map((one) => parseFloat(getComputedStyle(one).fontSize)))"
)
OVERLAPS = """
[...document.querySelectorAll(".xs")].flatMap((axis) => {
  const boxes = [...axis.querySelectorAll("span")].map((one) => one.getBoundingClientRect()).filter((box) => box.width);
  return boxes.flatMap((box, k) => k && box.left < boxes[k - 1].right ? [axis.innerText] : []);
})
"""
# The least contrast between a text and what it stands on, over all visible texts.
CONTRAST = """
(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (one) => {
    if (!one) return [255, 255, 255];
    const [r, g, b, a = 1] = channels(getComputedStyle(one).backgroundColor);
    if (a === 1) return [r, g, b];
    return behind(one.parentElement).map((c, k) => a * [r, g, b][k] + (1 - a) * c);
  };
  let least = [99, ""];
  for (const one of document.querySelectorAll("body *:not(script)")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const colour = channels(getComputedStyle(one).color);
    if (!own || colour[3] === 0 || !one.getClientRects().length) continue;
    const [a, b] = [light(colour), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least[0]) least = [ratio, one.outerHTML.slice(0, 80)];
  }
  return least;
})()
"""
POINT = """
(() => {
  const plot = document.querySelector("#curves .plot"), box = plot.querySelector(".canvas").getBoundingClientRect();
  const at = {clientX: box.left + box.width * 0.79, clientY: box.top + 20, bubbles: true};
  plot.querySelector(".canvas").dispatchEvent(new PointerEvent("pointermove", at));
  return plot.querySelector(".tip").innerText;
})()
"""
KEY = """
(() => {
  const plot = document.querySelector("#curves .plot");
  plot.focus();
  plot.dispatchEvent(new KeyboardEvent("keydown", {key: "%s", bubbles: true}));
  return plot.querySelector(".tip")?.innerText ?? "";
})()
"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files of every task's page, by name."""
    folder = tmp_path_factory.mktemp("pages")
    for name, made in all_tasks().items():
        (folder / f"{name}.html").write_text(render(*made))
    return {name: folder / f"{name}.html" for name in all_tasks()}


@pytest.mark.parametrize("name", all_tasks())
def test_pages_fit_every_width_in_light_and_dark(browser, pages, name):
    for width in WIDTHS:
        for dark in (False, True):
            browser.show(pages[name], width=width, dark=dark)
            browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            where = f"{name} at {width} px, {'dark' if dark else 'light'}"
            assert browser.evaluate("document.documentElement.scrollWidth") == width, where
            assert browser.evaluate(TOO_WIDE) == [], where
            assert browser.evaluate(BROKEN) == [], where
            assert browser.evaluate(OVERLAPS) == [], where
            assert browser.evaluate(SMALLEST) >= 11, where
            ratio, element = browser.evaluate(CONTRAST)
            assert ratio >= 4.5, (where, element)
    assert browser.problems == []
    assert [address for address in browser.requests if not address.startswith(("file:", "data:"))] == []


def test_markup_in_a_label_stays_text(browser, pages):
    browser.show(pages["hostile"])
    assert browser.problems == []
    assert browser.evaluate("document.querySelector('#errors .confusion tbody th').textContent") == cut(SCRIPT, 18)
    assert browser.evaluate("document.querySelector('#errors .confusion tbody th').title") == SCRIPT
    assert browser.evaluate("document.querySelectorAll('script:not([type])').length") == 1


def test_values_are_shown_under_the_pointer_and_with_the_keyboard(browser, pages):
    browser.show(pages["classification"])
    lines = browser.evaluate(POINT).split("\n")
    assert lines[0].startswith("step 340 · epoch 34")  # 0.79 of the way from step 10 to 430
    assert lines[1:] == ["validation", "0.1254", "training", "0.012436"]
    assert browser.evaluate(KEY % "End").startswith("step 430 · epoch 43")
    assert browser.evaluate(KEY % "ArrowLeft").startswith("step 420 · epoch 42")
    assert browser.evaluate(KEY % "Home").startswith("step 10 · epoch 1")
    assert browser.evaluate(KEY % "Escape") == ""


def test_forecasts_show_their_times_and_intervals(browser, pages):
    browser.show(pages["forecast"])
    browser.evaluate("document.querySelector('#curves').id = ''; document.querySelector('#forecasts').id = 'curves'")
    text = browser.evaluate(KEY % "End")
    assert text.startswith("2012-01-06 04:00\n80 % interval")
    assert "observed" in text and "forecast" in text


def test_paper_is_white_and_holds_all_of_the_page(browser, pages, tmp_path):
    browser.show(pages["classification"], dark=True, media="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.show(pages["classification"], dark=True)
    browser.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert browser.problems == []


def test_the_data_of_charts_is_json(browser, pages):
    browser.show(pages["hostile"])
    texts = browser.evaluate("[...document.querySelectorAll('.plot script')].map((one) => one.textContent)")
    assert len(texts) >= 8
    assert all(json.loads(text)["lines"] for text in texts)
