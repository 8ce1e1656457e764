import re
from dataclasses import replace
from pathlib import Path

from lstm_cli.report.report import Report
from lstm_cli.scores.baseline import Baseline
from lstm_cli.training.events import Evaluated, Finished, Part, Started
from tests.support.html import WellFormed, table

START = Started(
    folder=Path("vowels <1>"),
    epochs=2,
    total_steps=20,
    model=(Part("layer 1", "LSTM of 8 units", 384),),
    settings={"model.layers": "[8]"},
    facts={"training sequences": "270"},
    baselines=(Baseline("majority", "the most frequent label", "valid", {"accuracy": 0.125}),),
)


def evaluation(step, loss, accuracy, split="valid"):
    return Evaluated(
        step, step // 10, split, step / 10, loss, {"accuracy": accuracy}, train_loss=loss, learning_rate=0.1
    )


def start_in(tmp_path, **fields):
    """The event that opens a run in a folder with a name that HTML cannot hold as it is."""
    folder = tmp_path / START.folder
    folder.mkdir(parents=True)
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
    assert not WellFormed(text).outside()
    assert not re.search(r"@import|url\(|https?:", text)
    assert "vowels &lt;1&gt;" in text
    assert "Finished: 2 epochs, 20 steps" in text


def test_page_compares_the_best_checkpoint_with_baselines(tmp_path):
    text = page(tmp_path, evaluation(10, 0.4, 0.75), evaluation(20, 0.5, 0.625), evaluation(20, 0.3, 0.5, "test"))
    assert table(text, "Scores") == [
        ["metric", "test", "validation"],
        ["loss ↓", "0.3000", "0.4000"],
        ["accuracy ↑", "0.5000", "0.7500"],
    ]
    assert text.count("best checkpoint: 0.7500 at step 10") == 1
    text = page(tmp_path / "other", evaluation(10, 0.4, 0.75))
    assert table(text, "Scores")[0] == ["metric", "validation", "the most frequent label"]
    assert table(text, "Scores")[2] == ["accuracy ↑", "0.7500", "0.1250"]


def test_page_shows_the_scores_of_every_column(tmp_path):
    found = {"r2": 0.5, "rmse.load": 20.0, "r2.load": 0.75, "rmse.wind.speed": 1.5, "r2.wind.speed": 0.25}
    baseline = replace(START.baselines[0], metrics=dict.fromkeys(found, 0.125))
    report, start = always(), start_in(tmp_path, monitor="valid.rmse.load", baselines=(baseline,))
    worse = found | {"rmse.load": 30.0, "rmse.wind.speed": 0.5}
    for event in (start, *(Evaluated(10 * k, k, "valid", k, 0.1, m) for k, m in ((1, worse), (2, found)))):
        report(event)
    report.close()
    text = (start.folder / "report.html").read_text()
    assert table(text, "Scores by column") == [
        ["column", "RMSE", "R²", "RMSE, the most frequent label"],
        ["load", "20", "0.7500", "0.1250"],
        ["wind.speed", "1.5000", "0.2500", "0.1250"],
    ]
    assert text.count("best checkpoint: 20 at step 20") == 1
    assert all(f"<strong>{title}</strong>" in text for title in ("R²", "RMSE of load", "R² of wind.speed"))


def test_page_of_a_run_without_validation(tmp_path):
    text = page(tmp_path, Evaluated(10, 1, "train", 1.0, 0.7, {}, train_loss=0.7))
    WellFormed(text)
    assert "without validation data nothing tells how good the model is" in text


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
