"""Predictions from file to file: formats, standard streams, whole or not at all, in bounded memory."""

import csv
import gc
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from click.testing import CliRunner

from lstm_cli.cli.group import predict
from lstm_cli.data import encode, read_sequences
from lstm_cli.data import raw_sequences as encodable
from lstm_cli.errors import ConfigError
from lstm_cli.predict.table import Table
from lstm_cli.predict.writers import write_rows
from tests.support.data import raise_memory_error, write_jsonl
from tests.support.paths import ROOT


def written(rows, path, *, per_step, **table):
    write_rows(iter(rows), path, Table(per_step, **table))
    return path.read_text(encoding="utf-8")


def test_jsonl(tmp_path):
    rows = [{"id": "ä", "prediction": ["x", None, 2.5]}, {"id": 7, "prediction": [], "probabilities": []}]
    text = written(rows, tmp_path / "out.jsonl", per_step=True)
    assert [json.loads(line) for line in text.splitlines()] == rows
    assert text.startswith('{"id": "ä"')


def test_half_a_surrogate_pair_is_written_as_json_spells_it(tmp_path):
    text = written([{"id": "\ud800", "prediction": "x"}], tmp_path / "out.jsonl", per_step=False)
    assert json.loads(text)["id"] == "\ud800"


@pytest.mark.parametrize(
    ("rows", "per_step", "expected"),
    [
        ([{"id": "a,b", "prediction": "x"}, {"id": 2, "prediction": "y"}], False, 'id,prediction\n"a,b",x\n2,y\n'),
        (
            [{"id": 1, "prediction": ["x", "y"]}, {"id": 2, "prediction": ["z"]}],
            True,
            "id,step,prediction\n1,0,x\n1,1,y\n2,0,z\n",
        ),
        ([{"id": 1, "prediction": [0.5, 2.0]}], False, "id,prediction_0,prediction_1\n1,0.5,2\n"),
        ([{"id": 1, "prediction": [0.5, 2.0]}], True, "id,step,prediction\n1,0,0.5\n1,1,2\n"),
        ([{"id": 1, "prediction": [[60, 64], []]}], True, "id,step,prediction\n1,0,60 64\n1,1,\n"),
        (
            [{"id": 1, "prediction": "x", "probabilities": {"x": 0.75, "y": 0.25}}],
            False,
            "id,prediction,p_x,p_y\n1,x,0.75,0.25\n",
        ),
        (
            [{"id": 1, "prediction": ["x", "y"], "probabilities": [{"x": 0.75, "y": 0.25}, {"x": 0, "y": 1}]}],
            True,
            "id,step,prediction,p_x,p_y\n1,0,x,0.75,0.25\n1,1,y,0,1\n",
        ),
    ],
)
def test_csv(tmp_path, rows, per_step, expected):
    assert written(rows, tmp_path / "out.csv", per_step=per_step) == expected


def test_another_suffix_names_no_format(tmp_path):
    with pytest.raises(ConfigError, match=r"out.txt: expected a name that ends in .jsonl, .csv or .conllu"):
        written([], tmp_path / "out.txt", per_step=False)


def command(*args, **options):
    return CliRunner().invoke(predict, [str(arg) for arg in args], **options)


def test_standard_input_to_standard_output(trained, loaded, raw_sequences):
    folder = trained("classifier")
    result = command(folder / "run", "-", input=(folder / "train.jsonl").read_bytes())
    assert (result.exit_code, result.stderr) == (0, "")
    expected = loaded("classifier").predict(raw_sequences("classifier"))
    assert [json.loads(line) for line in result.stdout.splitlines()] == expected


def test_the_suffix_says_how_to_write(trained, loaded, raw_sequences, tmp_path):
    folder = trained("numbered")
    assert command(folder / "run", folder / "train.jsonl", "-o", tmp_path / "p.csv", "--probabilities").exit_code == 0
    lines = list(csv.DictReader(io.StringIO((tmp_path / "p.csv").read_text())))
    rows = loaded("numbered").predict(raw_sequences("numbered"))
    assert [int(line["prediction"]) for line in lines] == [label for row in rows for label in row["prediction"]]
    assert lines[0].keys() == {"id", "step", "prediction", "p_2", "p_10"}


def test_scores(trained, loaded):
    folder = trained("classifier")
    result = command(folder / "run", folder / "test.jsonl", "--evaluate")
    scores = loaded("classifier").evaluate(folder / "test.jsonl")
    assert json.loads(result.stdout) == {name: pytest.approx(score) for name, score in scores.items()}


def test_what_training_never_saw_is_reported(trained, tmp_path):
    write_jsonl(tmp_path / "new.jsonl", [{"words": ["a", "zebra"], "tags": ["A", "Z"]}])
    folder = trained("tagger")
    result = command(folder / "run", tmp_path / "new.jsonl")
    assert result.stderr == f"{tmp_path / 'new.jsonl'}: unknown tokens in words: 1 of 2 (50.00%), such as 'zebra'\n"
    assert command(folder / "run", tmp_path / "new.jsonl", "-q").stderr == ""
    result = command(folder / "run", tmp_path / "new.jsonl", "--evaluate")
    assert "targets that training never saw, each an error: 1 of 2 (50.00%), such as 'Z'" in result.stderr


def test_text_is_generated_to_a_stream_or_a_file(trained, loaded, tmp_path):
    options = ("--generate", 20, "--prompt", "ab", "--seed", 3, "--temperature", 0.5)
    folder = trained("plays")
    expected = "ab" + "".join(loaded("plays").generate("ab", 20, seed=3, temperature=0.5)) + "\n"
    assert command(folder / "run", *options).stdout == expected
    assert command(folder / "run", *options, "-o", tmp_path / "play.txt").exit_code == 0
    assert (tmp_path / "play.txt").read_text() == expected


def test_a_forecast_has_no_probabilities(trained):
    folder = trained("plays")
    result = command(folder / "run", folder / "train.txt", "--steps", 3, "--probabilities")
    assert (result.exit_code, result.stderr) == (
        2,
        "--probabilities: forecasts (--steps) have none: leave one of them out\n",
    )


def test_numbers_have_no_probabilities(trained):
    folder = trained("regression")
    result = command(folder / "run", folder / "train.jsonl", "--probabilities")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "--probabilities: the model predicts numbers, which have none: leave it out\n"


def test_output_appears_whole_or_not_at_all(trained, tmp_path):
    """The last row is bad: what stood in the file before is as it was, and nothing lies beside it."""
    folder, out = trained("classifier"), tmp_path / "out" / "p.jsonl"
    out.parent.mkdir()
    out.write_text("before\n")
    (tmp_path / "bad.jsonl").write_text((folder / "train.jsonl").read_text() + '{"id": "last"}\n')
    for place, left in ((out, "before\n"), (out.with_name("new.jsonl"), None)):
        result = command(folder / "run", tmp_path / "bad.jsonl", "-o", place)
        assert result.exit_code == 65
        assert result.stderr.startswith(f"{tmp_path / 'bad.jsonl'}:31: x: the column is missing")
        assert (place.read_text() if place.exists() else None) == left
    assert list(out.parent.iterdir()) == [out]


def test_a_place_that_cannot_be_written_is_reported_before_the_data_is_read(trained, tmp_path):
    for option in ("-o", "--state-out"):
        result = command(trained("classifier") / "run", tmp_path / "missing.jsonl", option, tmp_path / "no" / "p.jsonl")
        assert result.exit_code == 74
        assert "p.jsonl: cannot be written: there is no folder" in result.stderr


def many(count):
    """A stream of that many rows, made as it is read."""
    row = {"x": np.arange(60).reshape(30, 2).tolist()}

    class Stream(io.RawIOBase):
        left = count

        def readable(self):
            return True

        def readinto(self, buffer):
            lines = min(self.left, max(1, len(buffer) // 600))
            self.left -= lines
            content = b"".join(b"%s\n" % json.dumps(row).encode() for _ in range(lines))
            buffer[: len(content)] = content
            return len(content)

    return io.BufferedReader(Stream(), 60_000)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(loaded, monkeypatch, tmp_path):
    run, peaks = loaded("classifier"), []
    monkeypatch.setattr("lstm_cli.data.batching.whole.SEQUENCES_HELD", 64)
    for count in (200, 2000):
        rows = run.predictions(encode(run.schema, row) for row in read_sequences(many(count), run.schema))
        gc.collect()
        tracemalloc.start()
        write_rows(rows, tmp_path / "out.jsonl", Table(per_step=False))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == count
    assert peaks[1] < 2 * peaks[0]  # of ten times as many; the last bytes depend on when cycles are collected


def test_of_a_long_text_only_the_most_likely_symbols_are_held(loaded, monkeypatch):
    run = loaded("plays")
    monkeypatch.setattr("lstm_cli.data.batching.whole.OUTPUTS_HELD", 6 * 500)
    text = "abc " * 5000
    (sequence,) = (encode(run.schema, row) for row in encodable([{"text": text}], run.schema))
    tracemalloc.start()
    (row,) = run.predictions([sequence])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(row["prediction"]) == 20_000
    assert peak < 20_000 * 6 * 4 * 2  # twice the outputs of all steps; their graph alone takes as much


def test_memory_that_is_not_enough_is_an_error_of_the_data(trained, monkeypatch):
    folder = trained("classifier")
    monkeypatch.setattr("lstm_cli.data.formats.jsonl.condensed", raise_memory_error)
    for options in ((), ("--evaluate",)):
        result = command(folder / "run", folder / "train.jsonl", *options)
        message = f"{folder / 'train.jsonl'}: does not fit into memory: give fewer or shorter sequences"
        assert (result.exit_code, result.stderr.startswith(message)) == (65, True)


def process(*args, **options):
    script = "import sys; from lstm_cli.cli.group import predict; predict(prog_name='lstm-predict')"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", script, *map(str, args)], env=environment, **options)


def test_a_closed_pipe_is_quiet(trained, tmp_path):
    row = json.dumps({"x": [[1, 2]]}) + "\n"
    (tmp_path / "many.jsonl").write_text(row * 20_000)
    run = trained("classifier") / "run"
    with process(run, tmp_path / "many.jsonl", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert json.loads(running.stdout.readline())["id"] == 1
        running.stdout.close()
        errors = running.stderr.read()
    assert (running.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, *(pytest.param(number, marks=pytest.mark.slow) for number in (signal.SIGTERM, signal.SIGUSR1))],
)
def test_a_signal_leaves_no_output(trained, tmp_path, number):
    """The sequences come from a pipe that stays open, so that it is stopped in the middle."""
    out = tmp_path / "out" / "p.jsonl"
    out.parent.mkdir()
    run = trained("classifier") / "run"
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process(run, "-", "-o", out, "--state-out", out.with_name("state.npz"), **pipes) as running:
        running.stdin.write(b'{"x": [[1, 2]]}\n' * 5000)
        running.stdin.flush()
        while len(list(out.parent.iterdir())) < 2 and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(number)
        message = running.stderr.read().decode()
    assert running.returncode == 128 + number
    assert message == f"stopped by {number.name} before all sequences were predicted\n"
    assert list(out.parent.iterdir()) == []


def test_a_kill_leaves_what_was_there(trained, tmp_path):
    """Killed while it reads, with rows written already: of the output there is the file of before, byte for byte."""
    out = tmp_path / "p.jsonl"
    out.write_text("before\n")
    with process(trained("classifier") / "run", "-", "-o", out, stdin=subprocess.PIPE) as running:
        running.stdin.write(b'{"x": [[1, 2]]}\n' * 5000)
        running.stdin.flush()
        while sum(path.stat().st_size for path in tmp_path.iterdir()) < 10_000 and running.poll() is None:
            time.sleep(0.01)
        running.kill()
    assert running.returncode == -signal.SIGKILL
    assert out.read_text() == "before\n"
    (left,) = set(tmp_path.iterdir()) - {out}
    assert left.name.startswith(".tmp-")
    assert command(trained("classifier") / "run", "-", "-o", out, input=b'{"x": [[1, 2]]}\n').exit_code == 0
    assert json.loads(out.read_text())["id"] == 1


def test_a_full_disk_leaves_what_was_there(trained, tmp_path):
    """No file may become larger than 100,000 bytes, which stands for a disk that is full from there on."""
    rows, out = tmp_path / "many.jsonl", tmp_path / "out" / "p.jsonl"
    out.parent.mkdir()
    out.write_text("before\n")
    rows.write_text('{"x": [[1, 2]]}\n' * 5000)
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))}
    with process(trained("classifier") / "run", rows, "-o", out, stderr=subprocess.PIPE, **limit) as running:
        message = running.stderr.read().decode()
    assert running.returncode == 74
    assert re.fullmatch(rf"{out}: cannot be written: File too large: free some space, or .*\n", message)
    assert (out.read_text(), list(out.parent.iterdir())) == ("before\n", [out])
