import io
import math
import resource
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_cli.errors import ConfigError, DiskError
from lstm_cli.run.appended import AppendedFile
from lstm_cli.run.metrics_log import trim_metrics
from lstm_cli.training.events import (
    Baseline,
    CheckpointWritten,
    Compiling,
    EpochDone,
    Evaluated,
    Finished,
    Note,
    Part,
    Started,
    StepDone,
    Stopped,
)
from lstm_cli.training.sinks import MetricsFile, console, log_lines
from lstm_cli.training.sinks.console import Lines, Verbosity
from lstm_cli.training.sinks.terminal import Terminal
from lstm_cli.training.sinks.wording import number
from tests.support.data import read_jsonl

START = Started(folder=Path("gestures"), epochs=2, total_steps=20, model=(Part("layer 1", "LSTM of 8 units", 384),))


def step(count, loss=1.0):
    return StepDone(step=count, epoch=0, loss=loss, learning_rate=0.01, gradient_norm=2.0)


def evaluation(count, split="valid", loss=0.5, **more):
    return Evaluated(step=count, epoch=1, split=split, seconds=1.25, loss=loss, metrics={"accuracy": 0.75}, **more)


def lines_of(*events, verbosity=Verbosity.NORMAL, seconds_per_step=6.0):
    """The lines written for events when the clock moves at every step."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, verbosity, interval=10.0, clock=lambda: now[0])
    for event in events:
        now[0] += seconds_per_step if isinstance(event, StepDone) else 0
        lines(event)
    lines.close()
    return stream.getvalue().splitlines()


def test_lines_show_the_first_step_then_one_line_per_interval():
    assert lines_of(START, *(step(count, loss=count) for count in range(1, 6))) == [
        "gestures: starting: 384 parameters, 2 epochs, 20 steps",
        "first step after 6 s: loss 1.0000",
        "epoch 1/2, step 3/20: loss 2.0000, 0.167 steps/s, 1 min 42 s left",
        "epoch 1/2, step 5/20: loss 3.0000, 0.167 steps/s, 1 min 30 s left",
    ]


def test_lines_after_a_resume_count_from_there():
    lines = lines_of(Started(folder=Path("x"), epochs=2, total_steps=20, first_step=10), step(11), step(12), step(13))
    assert lines[0] == "x: continuing after step 10: 2 epochs, 20 steps"
    assert "step 13/20: loss 1.0000, 0.167 steps/s, 42 s left" in lines[-1]


def test_lines_show_scores_notes_and_the_end():
    lines = lines_of(START, Note("hello"), evaluation(10, improved=True), EpochDone(10, 1), Finished(20, 2, early=True))
    assert lines[1:] == [
        "hello",
        "epoch 1, step 10: valid: loss 0.5000, accuracy 0.7500, the best so far",
        "stopped early, as the score no longer improved (train.patience): 2 epochs, 20 steps",
        "best: epoch 1, valid accuracy 0.7500",
        "report: gestures/report.html",
    ]


NAIVE = (
    Baseline("majority", 'always "up"', "test", {"accuracy": 0.5, "loss": 0.7}),
    Baseline("other", "a weaker one", "test", {"accuracy": 0.25}),
    Baseline("majority", 'always "up"', "valid", {"accuracy": 0.25}),
)
KNOWN = replace(START, baselines=NAIVE, next_commands=(("lstm-predict gestures new.csv", "predict"), ("other", "")))


def test_the_end_names_score_naive_score_report_and_command():
    events = evaluation(10, improved=True), evaluation(20), evaluation(10, split="test"), Finished(20, 2)
    assert lines_of(KNOWN, *events)[-4:] == [
        "finished: 2 epochs, 20 steps",
        'best: epoch 1, valid accuracy 0.7500; test 0.7500 (always "up" 0.5000)',
        "report: gestures/report.html",
        "next: lstm-predict gestures new.csv",
    ]
    assert lines_of(KNOWN, evaluation(10, improved=True), evaluation(20), Finished(20, 2))[-3] == (
        'best: epoch 1, valid accuracy 0.7500; always "up" 0.2500'
    )


def test_a_run_that_still_improves_says_how_to_train_longer():
    longer = "still improving at the last epoch: lstm-train gestures --resume train.epochs=4"
    start = replace(START, longer=("lstm-train", "gestures", "--resume", "train.epochs=4"))
    events = evaluation(10, improved=True), evaluation(20, improved=True)
    assert longer in lines_of(start, *events, Finished(20, 2))
    assert longer not in lines_of(start, *events, Finished(20, 2, early=True))
    assert longer not in lines_of(start, *events, evaluation(30), Finished(30, 3))
    assert longer not in lines_of(start, evaluation(10, improved=True), Finished(20, 2)), "one score is no trend"
    without = lines_of(START, *events, Finished(20, 2))
    assert "still improving at the last epoch: more epochs may help" in without


def test_a_perfect_score_has_no_room_to_improve():
    perfect = replace(evaluation(20, improved=True, loss=0.1), metrics={"accuracy": 1.0, "macro_f1": 1.0})
    lines = lines_of(START, evaluation(10, improved=True), perfect, Finished(20, 2))
    assert "best: epoch 1, valid accuracy 1.0000" in lines
    assert not any("still improving" in line for line in lines)
    error = replace(evaluation(20, improved=True, loss=0.1), metrics={"rmse": 1.0})
    assert any("still improving" in line for line in lines_of(START, evaluation(10), error, Finished(20, 2)))


def test_without_validation_data_the_end_names_the_metric_of_the_test_data():
    start = replace(KNOWN, monitor="train.loss", sizes={"train": 8, "test": 4})
    best = replace(evaluation(10, split="train", loss=0.3, improved=True), metrics={})
    assert 'best: epoch 1, train loss 0.3000; test accuracy 0.7500 (always "up" 0.5000)' in lines_of(
        start, best, evaluation(10, split="test"), Finished(20, 2)
    )
    assert "best: epoch 1, train loss 0.3000; no validation or test data" in lines_of(
        replace(start, sizes={"train": 8}), best, Finished(20, 2)
    )


@pytest.mark.parametrize("monitor", ["valid.loss", "train.loss"])
def test_a_resumed_run_knows_the_best_of_earlier_sessions(monitor):
    earlier = tuple(
        {"step": step, "epoch": step // 10, "split": "valid", "loss": loss, "accuracy": 1 - loss, "train_loss": loss}
        for step, loss in ((10, 0.3), (20, 0.1), (30, 0.2))
    )
    resumed = replace(START, earlier=earlier, first_step=30, monitor=monitor)
    assert "best: epoch 2, valid accuracy 0.9000" in lines_of(resumed, evaluation(40), Finished(40, 4))


@pytest.mark.parametrize(
    ("monitor", "named"), [("valid.macro_f1", "macro F1 0.2000"), ("valid.loss", "accuracy 0.7500")]
)
def test_the_score_named_is_the_monitored_metric(monitor, named):
    scored = replace(evaluation(10, improved=True), metrics={"accuracy": 0.75, "macro_f1": 0.2})
    lines = lines_of(replace(START, monitor=monitor), scored, Finished(20, 2))
    assert f"best: epoch 1, valid {named}" in lines


def test_what_stops_a_run_is_in_the_log_but_printed_once(tmp_path):
    stopped = Stopped(7, "stopped by SIGTERM after step 7; continue with --resume")
    assert lines_of(START, stopped)[1:] == [], "the message of the exception follows"
    log = log_lines(AppendedFile(tmp_path / "train.log"))
    log(stopped)
    log.close()
    assert (tmp_path / "train.log").read_text() == "stopped by SIGTERM after step 7; continue with --resume\n"


def test_compiling_is_announced():
    assert "compiling (once per machine) …" in lines_of(START, Compiling(), step(1))
    assert lines_of(START, Compiling(), verbosity=Verbosity.QUIET) == []


def test_the_score_on_the_test_data_is_that_of_the_best_state():
    assert lines_of(START, evaluation(10, split="test"))[-1] == (
        "best state, epoch 1, step 10: test: loss 0.5000, accuracy 0.7500"
    )


def test_one_of_a_thing_is_not_many():
    lines = lines_of(replace(START, epochs=1, total_steps=1), Finished(1, 1))
    assert lines[:2] == ["gestures: starting: 384 parameters, 1 epoch, 1 step", "finished: 1 epoch, 1 step"]


def test_the_start_says_what_is_trained_on_what():
    known = replace(START, network="LSTM 8", sizes={"train": 1200, "valid": 80}, counted="step")
    (line,) = lines_of(known)
    assert line == "gestures: starting: 384 parameters, 2 epochs, 20 steps; LSTM 8; 1,200 train / 80 valid steps"


def test_quiet_lines_only_warn():
    events = START, step(1), evaluation(1), Note("hello"), Note("beware", warning=True), Finished(20, 2)
    assert lines_of(*events, verbosity=Verbosity.QUIET) == ["warning: beware"]


def test_verbose_lines_say_more(tmp_path):
    written = CheckpointWritten(3, tmp_path / "last", "last")
    lines = lines_of(START, step(1), step(2), step(3), written, verbosity=Verbosity.VERBOSE)
    assert lines[2].endswith("left, learning rate 0.01, gradient norm 2.0000")
    assert lines[3] == f"step 3: last checkpoint written to {tmp_path / 'last'}"


def test_loss_shown_is_the_mean_since_the_last_evaluation():
    lines = lines_of(START, step(1, loss=9.0), step(2, loss=9.0), evaluation(2), step(3, loss=1.0))
    assert "loss 1.0000" in lines[-1]


def test_log_takes_all_lines_even_where_quiet_is_asked_for(tmp_path):
    for _ in range(2):
        log = log_lines(AppendedFile(tmp_path / "train.log"))
        log(START)
        log.close()
    assert (tmp_path / "train.log").read_text() == "gestures: starting: 384 parameters, 2 epochs, 20 steps\n" * 2


def test_unwritable_log_is_named(tmp_path):
    with pytest.raises(DiskError, match=r"gone/train\.log: cannot be written"):
        log_lines(AppendedFile(tmp_path / "gone" / "train.log"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("sink", [log_lines, MetricsFile])
def test_full_disk_is_named(sink):
    full = sink(AppendedFile(Path("/dev/full")))
    with pytest.raises(DiskError, match=r"/dev/full: cannot be written: No space left"):
        full(evaluation(1))
    full.close()


@pytest.mark.parametrize("name", ["missing", "victim"])
@pytest.mark.parametrize("write", [AppendedFile, lambda path: trim_metrics(path, 20)])
def test_nothing_is_written_through_a_link(tmp_path, write, name):
    written(tmp_path / "victim", evaluation(10), evaluation(30))
    before = (tmp_path / "victim").read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / name)
    with pytest.raises(ConfigError) as caught:
        write(tmp_path / "link")
    what, todo = "a symbolic link, which this tool did not create", "replace it by the file itself, or remove it"
    assert str(caught.value) == f"{tmp_path}/link: {what}: {todo}"
    assert (tmp_path / "victim").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "victim"]


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_console_is_a_terminal_only_on_one():
    shown = console(Screen())
    assert isinstance(shown, Terminal)
    shown.close()
    assert isinstance(console(Screen(), Verbosity.QUIET), Lines)
    assert isinstance(console(io.StringIO()), Lines)
    assert isinstance(console(sys.__stdin__ if not sys.__stdin__.isatty() else io.StringIO()), Lines)


def test_metrics_file_has_one_object_per_evaluation(tmp_path):
    path = tmp_path / "metrics.jsonl"
    sink = MetricsFile(AppendedFile(path))
    for event in (START, step(1), evaluation(1, train_loss=0.7, learning_rate=0.01), evaluation(2, loss=math.inf)):
        sink(event)
    sink.close()
    first, second = read_jsonl(path)
    assert first == {
        "step": 1,
        "epoch": 1,
        "split": "valid",
        "seconds": 1.25,
        "loss": 0.5,
        "accuracy": 0.75,
        "train_loss": 0.7,
        "learning_rate": 0.01,
    }
    assert second["loss"] is None


def written(path, *evaluations, torn=b""):
    sink = MetricsFile(AppendedFile(path))
    for event in evaluations:
        sink(event)
    sink.close()
    with path.open("ab") as file:
        file.write(torn)


def test_a_line_that_does_not_fit_leaves_no_part_of_it(tmp_path):
    path = tmp_path / "metrics.jsonl"
    sink = MetricsFile(AppendedFile(path))
    sink(evaluation(10))
    whole = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limits[1]))
    try:
        with pytest.raises(DiskError, match=r"metrics\.jsonl: cannot be written: File too large \(\d+ bytes needed"):
            sink(evaluation(20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == whole
    sink(evaluation(20))
    sink.close()
    assert [line["step"] for line in read_jsonl(path)] == [10, 20]


DAMAGED = [
    b'{"step": 30, "spl\n', b'{"step": 30}\n', b"\0\0\0\n", b"17\n", b"\n", b"[" * 10_000 + b"\n", b"\xff\n",
    b'{"step": "30", "epoch": 1, "split": "valid"}\n', b'{"step": 30, "epoch": 1, "split": ["valid"]}\n',
    b'{"step": 30, "epoch": 1, "split": "valid", "loss": "low"}\n',
]  # fmt: skip


@pytest.mark.parametrize("torn", [b"", b'{"step": 30, "spl', *DAMAGED])
def test_trimming_drops_what_is_torn_or_later(tmp_path, torn):
    path = tmp_path / "metrics.jsonl"
    written(path, evaluation(10), evaluation(20), evaluation(30), torn=torn)
    assert [entry["step"] for entry in trim_metrics(path, 20)] == [10, 20]
    assert [line["step"] for line in read_jsonl(path)] == [10, 20]
    assert path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_line_costs_no_other_one(tmp_path, damaged):
    path = tmp_path / "metrics.jsonl"
    written(path, evaluation(10), torn=damaged)
    written(path, evaluation(20), evaluation(30))
    lines = path.read_bytes().splitlines(keepends=True)
    assert [entry["step"] for entry in trim_metrics(path, 20)] == [10, 20]
    assert path.read_bytes().splitlines(keepends=True) == lines[:3]  # the damaged one too: somebody may repair it


def test_trimming_leaves_a_file_alone_that_ends_at_the_step(tmp_path):
    path = tmp_path / "metrics.jsonl"
    written(path, evaluation(10), evaluation(20))
    before = path.read_bytes()
    trim_metrics(path, 20)
    assert path.read_bytes() == before


def test_trimming_drops_the_test_score_that_will_be_taken_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    written(path, evaluation(10), evaluation(10, split="test"))
    assert [entry["split"] for entry in trim_metrics(path, 10)] == ["valid"]


def test_trimming_where_there_is_nothing(tmp_path):
    assert trim_metrics(tmp_path / "metrics.jsonl", 10) == []
    assert not (tmp_path / "metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.98765, "0.9877"), (1234.56, "1235"), (3, "3"), (1e-5, "1e-05"), (0.0, "0"), (-0.5, "-0.5000")],
)
def test_numbers(value, text):
    assert number(value) == text
