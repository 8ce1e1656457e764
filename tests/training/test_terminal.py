"""A run on a terminal: what it shows, line by line, and that no line is wider than it may be."""

import json
import math
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_cli.scores.baseline import Baseline
from lstm_cli.training.events import Compiling, Evaluated, Finished, Note, Part, Scoring, Started, StepDone, Stopped
from lstm_cli.training.sinks import bar, table
from lstm_cli.training.sinks.clock import Clock
from lstm_cli.training.sinks.screen import columns, cut, wrapped
from lstm_cli.training.sinks.terminal import Terminal
from tests.support.runs import small, write_data
from tests.support.terminal import FakeTerminal, Shown, command, on_terminal

START = Started(
    folder=Path("runs/gestures"), epochs=40, total_steps=400, monitor="valid.loss", network="LSTM 32",
    model=(Part("layers.0", "LSTM of 32 units", 4_837),), sizes={"train": 320, "valid": 80},
    baselines=(Baseline("majority", 'always "tap"', "test", {"accuracy": 0.22}),),
    next_commands=(("lstm-predict runs/gestures new.jsonl -o predictions.csv", "predict new sequences"),),
)  # fmt: skip


def step(count, loss=1.0):
    return StepDone(step=count, epoch=(count - 1) // 10, loss=loss, learning_rate=0.01, gradient_norm=2.0)


def scored(epoch, loss=0.5, split="valid", *, improved=False, **more):
    metrics = more.pop("metrics", {"accuracy": 0.75, "macro_f1": 0.7})
    return Evaluated(10 * epoch, epoch, split, 1.25, loss, metrics, improved=improved, train_loss=0.6, **more)


def shown(*events, width=80, verbose=False, closed=True):
    """What a terminal of some columns shows at the end of some events."""
    stream = FakeTerminal(width)
    terminal = Terminal(stream, verbose=verbose)
    for event in events:
        terminal(event)
    if closed:
        terminal.close()
    return Shown(stream.getvalue())


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    standing = type("Clock", (), {"monotonic": staticmethod(lambda: 0.0)})  # however slow the machine is
    monkeypatch.setattr("lstm_cli.training.sinks.clock.time", standing)


def whole():
    """The events of a short run."""
    events = [START, step(1), scored(1, 0.9, improved=True), step(11), scored(2, 0.4, improved=True), scored(3)]
    return [*events, replace(scored(2, 0.45, "test"), train_loss=None), Finished(30, 3)]


def test_a_whole_run():
    assert shown(*whole()).lines == [
        "gestures   LSTM 32, 4,837 weights · 320 train / 80 valid",
        "  40 epochs, 400 updates",
        "epoch  step    train    valid  accuracy  macro F1",
        "    1    10   0.6000   0.9000    0.7500    0.7000  *",
        "    2    20   0.6000   0.4000    0.7500    0.7000  *",
        "    3    30   0.6000   0.5000    0.7500    0.7000",
        " test                  0.4500    0.7500    0.7000",
        "finished: 3 epochs, 30 steps",
        'best:   epoch 2, valid accuracy 0.7500; test 0.7500 (always "tap" 0.2200)',
        "report: runs/gestures/report.html",
        "next:   lstm-predict runs/gestures new.jsonl -o predictions.csv",
        "",
    ]


@pytest.mark.parametrize("width", [20, 30, 50, 79, 80, 200])
def test_no_line_is_wider_than_the_terminal_or_80(width):
    named = replace(
        START,
        folder=Path(f"runs/{'a long name ' * 20}"),
        network="LSTM " + ", ".join(["1024"] * 30),
        sizes={"train": 10**9, "valid": 10**8, "test": 10**8},
        epochs=10**6,
        total_steps=10**9,
        monitor="valid.rmse.a column with a long name",
        next_commands=(),
    )
    metrics = {"rmse.a column with a long name": -1.5e-30, "perplexity": 1e30, **{f"m{k}": math.nan for k in range(9)}}
    events = [named, step(1), Scoring(1), scored(1, math.inf, improved=True, metrics=metrics, streams=1000)]
    events += [Note("a note of many words " * 20), Note("beware " * 30, warning=True), step(10**6)]
    result = shown(*events, width=width)
    assert result.widest <= min(80, max(width, 21)), [line for line in result.lines if len(line) > width]


@pytest.mark.parametrize(
    ("monitor", "width", "heading"),
    [
        ("valid.macro_f1", 80, "epoch  step    train    valid  accuracy  macro F1    extra"),
        ("valid.macro_f1", 50, "epoch  step    train    valid  macro F1"),
        ("valid.macro_f1", 36, "epoch  step    valid  macro F1"),
        ("valid.macro_f1", 30, "epoch    valid  macro F1"),
        ("valid.loss", 50, "epoch  step    train    valid  accuracy"),
        ("valid.loss", 36, "epoch  step    train    valid"),
        ("valid.loss", 30, "epoch  step    valid"),
    ],
)
def test_a_narrow_table_keeps_what_is_monitored(monitor, width, heading):
    event = scored(1, metrics={"accuracy": 0.75, "macro_f1": 0.5, "extra": 0.25})
    assert heading in shown(replace(START, monitor=monitor), event, width=width).lines


def test_two_thousand_evaluations_keep_their_columns():
    many = [scored(count, 1 / count, improved=True) for count in range(1, 2001)]
    lines = shown(replace(START, epochs=2000, total_steps=20_000), *many, Finished(20_000, 2000)).lines
    rows = [line for line in lines if line.endswith("*")]
    assert len(rows) == 2000
    assert {len(row) for row in rows} == {len(rows[0])}
    assert lines.count("epoch    step    train    valid  accuracy  macro F1") == 50  # it scrolls out of sight


def test_the_bar_keeps_its_places(monkeypatch):
    """Whatever the numbers are, each picture of the bar has its parts in the same columns."""
    now = [0.0]
    monkeypatch.setattr(bar, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    stream = FakeTerminal(80)
    terminal = Terminal(stream)
    terminal(START)
    for count in range(1, 400):
        now[0] += 10.0 ** (count % 7 - 3)
        terminal(step(count, loss=10.0 ** (count % 9 - 4)))
        if count % 10 == 0:
            terminal(Scoring(count))
            terminal(scored(count // 10, metrics={"accuracy": count / 400, "macro_f1": 0.7}))
    terminal.close()
    pictures = [text for text in re.split(r"[\r\n]", stream.getvalue()) if "steps/s" in text]
    assert len(pictures) > 100
    places = {tuple(match.start() for match in re.finditer(r"\||left|steps/s|loss", text)) for text in pictures}
    assert len(places) == 1
    assert {len(text) for text in pictures} == {79}


def test_the_bar_shows_where_the_run_is(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(bar, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    events = []

    def later(event):
        events.append(event)
        return event

    stream = FakeTerminal(80)
    terminal = Terminal(stream)
    for event, seconds in ((START, 0), (step(1), 1), (scored(1), 0), (step(51, loss=0.25), 5)):
        now[0] += seconds
        terminal(later(event))
    last = re.split(r"[\r\n]", stream.getvalue())[-1]
    assert re.fullmatch(r"epoch  6/40 \|█.*\|  loss 0\.2500    accuracy 0\.7500  0:35 left 10\.00 steps/s", last), last
    terminal.close()


def test_nothing_moves_on_a_terminal_that_cannot(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = FakeTerminal(80)
    terminal = Terminal(stream)
    for event in (START, Compiling(), step(1), scored(1, improved=True), Finished(10, 1)):
        terminal(event)
    terminal.close()
    assert not set("\r\x1b") & set(stream.getvalue())
    assert "compiling (once per machine) …\n" in stream.getvalue()


@pytest.mark.parametrize(
    ("name", "value", "coloured"), [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)]
)
def test_colour_only_where_it_is_wanted(monkeypatch, name, value, coloured):
    monkeypatch.setenv(name, value)
    stream = FakeTerminal(80)
    terminal = Terminal(stream)
    for event in (START, Note("beware", warning=True), scored(1, improved=True)):
        terminal(event)
    terminal.close()
    assert ("\x1b[" in stream.getvalue()) == coloured


def test_an_encoding_without_the_signs_gets_others():
    stream = FakeTerminal(80, encoding="ascii")
    terminal = Terminal(stream)
    terminal(START)
    terminal.close()
    assert "4,837 weights, 320 train / 80 valid" in stream.getvalue()


def test_what_is_waited_for_is_said_with_a_moving_clock():
    written = []
    clock = Clock(written.append, delay=0.0)
    clock.show("preparing …")
    while not written:
        time.sleep(0.001)
    clock.show("compiling …")
    clock.write_above("a note\n")
    clock.stop()
    text = Shown("".join(written))
    assert "preparing … 0 s" in written[0]
    assert text.lines == ["a note", ""]
    assert clock.stop() == 0.0


def test_compiling_stays_on_the_screen_with_its_time_and_loading_does_not():
    lines = shown(START, Compiling(), step(1)).lines
    assert lines[2] == "compiling (once per machine) … 0 s"
    assert shown(START, step(1)).lines[2:] == [""]


def test_a_stopped_run_leaves_its_message_a_line_of_its_own():
    result = shown(START, step(1), scored(1), Stopped(7, "stopped by SIGTERM"), closed=False)
    assert result.lines[-1] == "" and not any("SIGTERM" in line or "steps/s" in line for line in result.lines)


def test_verbose_rows_have_the_learning_rate():
    lines = shown(START, scored(1, learning_rate=0.003), verbose=True).lines
    assert lines[2:4] == [
        "epoch  step    train    valid  accuracy  macro F1     rate",
        "    1    10   0.6000   0.5000    0.7500    0.7000   0.0030",
    ]


def test_scores_in_streams_say_so_in_every_row():
    assert shown(START, scored(1, streams=8, improved=True)).lines[3].endswith("0.7000  * in 8 streams")


def test_without_validation_data_the_training_loss_is_the_score():
    event = Evaluated(10, 1, "train", 1.0, 0.5, {}, improved=True, train_loss=0.5)
    lines = shown(replace(START, monitor="train.loss"), event, Finished(10, 1)).lines
    assert lines[2:4] == ["epoch  step    train", "    1    10   0.5000  *"]
    assert "best:   epoch 1, train loss 0.5000; no validation or test data" in lines


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1653, "0.1653"), (0.0022, "0.0022"),
     (0.000022, "2.2e-05"), (-0.5, "-0.5000"), (12345.6, "12346"), (1e7, "1e+07"),
     (-1.6e-30, "-2e-30"), (math.nan, "none"), (math.inf, "inf"), (None, ""), (999.91, "999.9"), (-123.456, "-123.5")],
)  # fmt: skip
def test_cells(value, text):
    assert table.cell(value, 7) == text


@pytest.mark.parametrize("width", [6, 7])
def test_cells_fit(width):
    for value in (sign * 10.0**power for power in range(-300, 300, 7) for sign in (1, -1)):
        assert len(table.cell(value, width)) <= width + (abs(value) >= 1e100 or abs(value) <= 1e-99)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(27, "0:27"), (725, "12:05"), (11400, "3h10"), (43200, "12 h"), (10**6, "11 d"), (1e12, "999 d")],
)
def test_clock_times(seconds, text):
    assert bar.clock(seconds) == text


def test_widths_of_text():
    assert (columns("abc"), columns("日本"), columns("é")) == (3, 4, 1)
    assert (cut("日本語", 5), cut("abc", 3), cut("abcd", 3)) == ("日本…", "abc", "ab…")
    assert list(wrapped(["a b", "c", "dd"], 5, between="; ", indent="  ", end=" \\")) == ["a b \\", "  c \\", "  dd"]


def test_a_command_too_long_for_a_line_is_continued_as_a_shell_reads_it():
    words = "lstm-predict runs/gestures new.jsonl -o predictions.csv --probabilities"
    lines = shown(replace(START, next_commands=((words, ""),)), scored(1), Finished(10, 1), width=50).lines
    place = next(place for place, line in enumerate(lines) if line.startswith("next:"))
    assert lines[place].endswith(" \\")
    joined = " ".join(line.removesuffix("\\").strip() for line in lines[place:]).strip()
    assert joined == f"next:   {words}"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("terminal"))
    (folder / "mine.yaml").write_text(json.dumps(small(train={"epochs": 3})))
    return folder / "mine.yaml"


@pytest.mark.parametrize("width", [80, pytest.param(50, marks=pytest.mark.slow)])
def test_the_command_on_a_real_terminal(config, tmp_path, width):
    code, output = on_terminal([*command("train"), config, "-o", "run"], columns=width, folder=tmp_path)
    result = Shown(output)
    assert code == 0, result.text
    assert result.widest < width
    assert any(line.startswith("run   LSTM 4, ") for line in result.lines)  # after a note on few updates
    assert any(line.startswith("best:   epoch ") for line in result.lines)
    assert "report: run/report.html" in result.lines
    assert result.lines[-3 if width == 50 else -2].startswith("next:   lstm-predict run new.jsonl")


@pytest.mark.slow
def test_a_signal_on_a_real_terminal_ends_cleanly(config, tmp_path):
    code, output = on_terminal(
        [*command("train"), config, "train.epochs=100000", "train.patience=null", "-o", "run"],
        folder=tmp_path, after=" left", send=signal.SIGTERM,
    )  # fmt: skip
    result = Shown(output)
    assert code == 143, result.text
    assert re.fullmatch(r"stopped by SIGTERM after step \d+; continue with --resume", result.lines[-2])
    assert not any("steps/s" in line for line in result.lines)
    log = (tmp_path / "run" / "train.log").read_text().splitlines()
    assert log[-1] == result.lines[-2]
