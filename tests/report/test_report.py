import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lstm_cli.report.lines import MAX_POINTS, Series, line_chart
from lstm_cli.report.report import Report
from lstm_cli.scores.baselines import Baseline
from lstm_cli.training.events import Evaluated, Finished, Part, Started

START = Started(
    folder=Path("vowels <1>"),
    epochs=2,
    total_steps=20,
    model=(Part("layer 1", "LSTM of 8 units", 384),),
    settings={"model.layers": "[8]"},
    facts={"training sequences": "270"},
    baselines=(Baseline("majority", "the most frequent label", "valid", {"accuracy": 0.125}),),
)
VOID = {"meta", "line", "circle", "polyline"}


class WellFormed(HTMLParser):
    """Fails on a tag that is not closed in its order, and collects addresses."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def evaluation(step, loss, accuracy, split="valid"):
    return Evaluated(
        step, step // 10, split, step / 10, loss, {"accuracy": accuracy}, train_loss=loss, learning_rate=0.1
    )


def start_in(tmp_path, **fields):
    """The event that opens a run in a folder with a name that HTML cannot hold as it is."""
    folder = tmp_path / START.folder
    folder.mkdir()
    return replace(START, folder=folder, **fields)


def always(**options):
    """A report that is written after every evaluation."""
    return Report(**{"interval": 0.0, "clock": lambda: 0.0, **options})


def page(tmp_path, *events, earlier=(), **options):
    """The page of a run with these events after its start."""
    report, start = always(**options), start_in(tmp_path, earlier=earlier)
    for event in (start, *events):
        report(event)
    report.close()
    return (start.folder / "report.html").read_text()


def test_page_stands_alone_and_is_well_formed(tmp_path):
    text = page(tmp_path, evaluation(10, 1.0, 0.4), evaluation(20, 0.5, 0.875), Finished(20, 2))
    assert not WellFormed(text).addresses
    assert not re.search(r"<script|@import|url\(|https?:", text)
    assert "vowels &lt;1&gt;" in text
    assert "finished: 2 epochs, 20 steps" in text


def test_page_compares_the_best_checkpoint_with_baselines(tmp_path):
    text = page(tmp_path, evaluation(10, 0.4, 0.75), evaluation(20, 0.5, 0.625), evaluation(20, 0.3, 0.5, "test"))
    scores = re.search(r"<h2>Scores</h2>(.*?)</section>", text, re.S)[1]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", scores)
    assert cells == [
        *("this model, best checkpoint", "validation", "0.4000", "0.7500"),
        *("this model, best checkpoint", "test", "0.3000", "0.5000"),
        *("baseline: the most frequent label", "validation", "", "0.1250"),
    ]
    assert text.count("best checkpoint: 0.7500 at step 10") == 1


def test_page_shows_the_scores_of_every_column(tmp_path):
    found = {"r2": 0.5, "rmse.load": 20.0, "r2.load": 0.75, "rmse.wind.speed": 1.5, "r2.wind.speed": 0.25}
    baseline = Baseline("mean", "the mean", "valid", dict.fromkeys(found, 0.125))
    report, start = always(), start_in(tmp_path, monitor="valid.rmse.load", baselines=(baseline,))
    worse = found | {"rmse.load": 30.0, "rmse.wind.speed": 0.5}
    for event in (start, *(Evaluated(10 * k, k, "valid", k, 0.1, m) for k, m in ((1, worse), (2, found)))):
        report(event)
    report.close()
    text = (start.folder / "report.html").read_text()
    scores = re.search(r"<h2>Scores</h2>(.*?)</section>", text, re.S)[1]
    titles = ["loss", "R²", "RMSE of load", "R² of load", "RMSE of wind.speed", "R² of wind.speed"]
    assert re.findall(r"<th[^>]*>(.*?)</th>", scores)[2:] == titles
    assert re.findall(r"<td[^>]*>(.*?)</td>", scores)[2:8] == ["0.1000", "0.5000", "20", "0.7500", "1.5000", "0.2500"]
    assert text.count("best checkpoint: 20 at step 20") == 1
    assert all(f"<strong>{title}</strong>" in text for title in titles[1:])


def test_page_of_a_run_without_validation(tmp_path):
    text = page(tmp_path, Evaluated(10, 1, "train", 1.0, 0.7, {}, train_loss=0.7))
    WellFormed(text)
    assert "<p>training</p>" in text


def test_resumed_run_shows_its_past(tmp_path):
    past = {"step": 5, "epoch": 0, "split": "valid", "seconds": 1.0, "loss": 2.0, "accuracy": 0.2, "train_loss": None}
    assert "from 2.0000 at step 5 to 1.0000 at step 10" in page(tmp_path, evaluation(10, 1.0, 0.4), earlier=[past])


def test_page_is_written_once_per_interval(tmp_path):
    now = [0.0]
    report, start = Report(interval=10.0, clock=lambda: now[0]), start_in(tmp_path)
    file, sizes = start.folder / "report.html", []
    for seconds, event in ((0, start), (9, evaluation(10, 1.0, 0.4)), (11, evaluation(20, 0.9, 0.5))):
        now[0] = seconds
        report(event)
        sizes.append(file.stat().st_size)
    assert sizes[0] == sizes[1] < sizes[2]
    report(evaluation(30, 0.8, 0.6))
    assert file.stat().st_size == sizes[2]
    report(Finished(30, 3))
    assert file.stat().st_size > sizes[2]


def test_a_page_that_takes_long_is_written_less_often(tmp_path, monkeypatch):
    """At most every hundredth second goes into it."""
    now, written = [0.0], []

    def slow(path, data):
        now[0] += 0.5  # each of the two files
        written.append(path.name)

    monkeypatch.setattr("lstm_cli.report.report.replace_file", slow)
    report = Report(interval=10.0, clock=lambda: now[0])
    report(start_in(tmp_path))
    for seconds, count in ((100.0, 2), (101.5, 4), (201.0, 4), (203.0, 6)):
        now[0] = seconds
        report(evaluation(int(seconds), 1.0, 0.4))
        assert len(written) == count
    assert set(written) == {"report.json", "report.html"}


def test_long_history_is_shortened(tmp_path):
    events = [evaluation(step, 1.0, 0.5) for step in range(1, 1000)]
    text = page(tmp_path, *events, Finished(999, 99), interval=1e9)
    assert "The last 300 of 999 evaluations" in text


def shown(svg):
    """The pairs of coordinates of the first line."""
    return [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]*)"', svg)[1].split()]


def labels(svg, anchor):
    return re.findall(rf'text-anchor="{anchor}">([^<]*)<', svg)


def test_chart_maps_higher_values_higher():
    (_, first), (_, second) = shown(line_chart("loss", [Series("valid", [(0, 1.0), (10, 2.0)])]))
    assert second < first


def test_chart_has_round_ticks():
    svg = line_chart("loss", [Series("valid", [(0, 0.0), (1000, 1.0)])])
    assert labels(svg, "end") == ["0", "0.5", "1"] or labels(svg, "end") == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert labels(svg, "middle")[:-1] == ["0", "200", "400", "600", "800", "1,000"]


def test_chart_over_decades_is_logarithmic():
    svg = line_chart("loss", [Series("valid", [(0, 0.001), (10, 10.0)])])
    assert labels(svg, "end") == ["0.001", "0.01", "0.1", "1", "10"]


@pytest.mark.parametrize("points", [[(5, 0.3)], [(0, 2.0), (9, 2.0)], [(0, 0.0), (9, 0.0)], [(0, -3.0), (1, 5.0)]])
def test_chart_of_odd_points(points):
    WellFormed(line_chart("loss", [Series("valid", points)]))


def test_chart_without_points_is_nothing():
    assert line_chart("loss", [Series("valid", []), Series("train", [(1, float("nan"))])]) == ""


def test_chart_thins_out_but_keeps_the_last_point():
    many = shown(line_chart("loss", [Series("valid", [(step, 1 + step) for step in range(10_001)])]))
    assert len(many) <= MAX_POINTS
    assert many[-1][0] == max(x for x, _ in many)
