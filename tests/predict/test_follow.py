"""A stream that is predicted line by line is predicted as its sequences are at once, bit for bit."""

import json
import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

import lstm_cli
from lstm_cli.data import raw_sequences
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict import follow as module
from lstm_cli.predict import predict_run
from lstm_cli.predict.follow import Streams
from tests.support.data import read_jsonl, write, write_jsonl
from tests.support.paths import ROOT

LENGTHS = {"s0": 23, "s1": 9, "s2": 16}


def values(kind, name):
    rng = np.random.default_rng(len(name) + LENGTHS[name])
    steps = LENGTHS[name]
    match kind:
        case "tagger":
            return {"words": [str(word) for word in rng.choice(list("abcdx"), steps)]}
        case "sets":
            return {"notes": [sorted(rng.choice(range(60, 66), k % 3, replace=False).tolist()) for k in range(steps)]}
        case "pendulum":
            return {name: rng.normal(size=steps).round(3).tolist() for name in "ab"}
        case "passengers":
            return {"count": rng.uniform(50, 90, steps).round(3).tolist()}
    return {"x": rng.normal(20, 5, (steps, 2)).round(3).tolist()}


def sequences(kind):
    key = "run" if kind == "pendulum" else "id"
    return [{key: name, **values(kind, name)} for name in LENGTHS]


def pieces(rows, seed, most=5):
    """The rows cut into pieces of random lengths, in a random order of the sequences."""
    rng, left, found = np.random.default_rng(seed), [dict.fromkeys(("at",), 0) for _ in rows], []
    while open_ones := [k for k, row in enumerate(rows) if left[k]["at"] < steps_of(row)]:
        k = int(rng.choice(open_ones))
        start, left[k]["at"] = left[k]["at"], left[k]["at"] + int(rng.integers(1, most))
        found.append({n: v[start : left[k]["at"]] if isinstance(v, list) else v for n, v in rows[k].items()})
    return found


def steps_of(row):
    return max(len(value) for value in row.values() if isinstance(value, list))


def followed(run, rows, **options):
    streams = Streams(run, **options)
    return [streams.row(sequence) for sequence in raw_sequences(rows, run.schema)], streams


@pytest.mark.parametrize("kind", ["numbered", "tagger", "sets", "pendulum", "passengers"])
def test_pieces_equal_the_whole(loaded, kind):
    """Whatever the lines hold: numbers, tokens, sets, differences of logarithms; the file's sequences share batches."""
    run, rows = loaded(kind), sequences(kind)
    probabilities = kind in ("numbered", "tagger", "sets")
    whole = run.predict(rows, probabilities=probabilities)
    found, _ = followed(run, pieces(rows, 1), probabilities=probabilities)
    for row in whole:
        for key in row.keys() - {"id"}:
            joined = [entry for piece in found if piece["id"] == row["id"] for entry in piece[key]]
            assert joined == row[key]


def test_a_label_per_sequence_is_that_of_the_steps_so_far(loaded):
    run, rows = loaded("classifier"), sequences("classifier")
    cut = pieces(rows, 2)
    found, _ = followed(run, cut, probabilities=True)
    so_far = dict.fromkeys(LENGTHS, ())
    for given, row in zip(cut, found, strict=True):
        so_far[row["id"]] = [*so_far[row["id"]], *given["x"]]
        assert [row] == run.predict([{"id": row["id"], "x": so_far[row["id"]]}], probabilities=True)


@pytest.mark.parametrize("kind", ["pendulum", "passengers"])
def test_forecasts_are_those_after_the_steps_so_far(loaded, kind):
    run, rows = loaded(kind), sequences(kind)
    found, _ = followed(run, pieces(rows, 3), steps=3)
    last = {row["id"]: row for row in found}
    for expected in run.forecast(rows, 3):
        assert last[expected["id"]] == expected
    if kind == "passengers":  # differences leave the first five steps without output
        assert found[0] == {"id": found[0]["id"], "step": [], "prediction": []}


@pytest.mark.parametrize(("key", "loss"), [("quantiles", [0.1, 0.5, 0.9]), ("distribution", "gaussian")])
def test_spreads_are_those_of_the_whole(tmp_path, key, loss):
    """Also at the first step, which differences leave without output."""
    draw = np.random.default_rng(1)
    path = write(tmp_path / "a.csv", "x\n" + "\n".join(f"{value:.3f}" for value in draw.normal(20, 3, 40)) + "\n")
    data = {"train": str(path), "valid": None, "inputs": ["x"], "target": "next", "transform": {"x": "difference"}}
    config = {"data": data, "loss": {key: loss}, "model": {"layers": [3], "dropout": 0}, "threads": 1}
    config["train"] = {"epochs": 1, "monitor": "train.loss"}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    run, row = lstm_cli.load(tmp_path / "run"), {"id": "a", "x": [20.0, 21, 19, 18, 22]}
    (whole,) = run.predict([row])
    found, _ = followed(run, pieces([row], 3, most=3))
    assert {name: [entry for piece in found for entry in piece[name]] for name in whole if name != "id"} == {
        name: value for name, value in whole.items() if name != "id"
    }
    assert len(whole) == 3


def test_several_columns_are_those_of_the_whole(tmp_path):
    """A label and a number, the first step of both without output."""
    draw = np.random.default_rng(1)
    rows = [
        {"id": f"r{k}", "x": draw.normal(20, 1, 6).tolist(), "y": list("ababba"), "z": draw.normal(size=6).tolist()}
        for k in range(8)
    ]
    data = {"train": str(write_jsonl(tmp_path / "a.jsonl", rows)), "valid": None, "inputs": ["x"], "target": ["y", "z"]}
    config = {"data": data | {"transform": {"x": "difference"}}, "model": {"layers": [3], "dropout": 0}, "threads": 1}
    config["train"] = {"epochs": 1, "monitor": "train.loss"}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    run, row = lstm_cli.load(tmp_path / "run"), {"id": "a", "x": [20.0, 21, 19, 18, 22]}
    (whole,) = run.predict([row], probabilities=True)
    found, _ = followed(run, pieces([row], 3, most=3), probabilities=True)
    for key in ("prediction", "probabilities"):
        assert {name: [entry for piece in found for entry in piece[key][name]] for name in whole[key]} == whole[
            key
        ] and set(found[0][key]) == set(whole[key])


def filled_run(folder, fill, *, indicator=True, **data):
    rng = np.random.default_rng(1)
    cells = np.where(rng.random((60, 2)) < 0.3, "", rng.normal(size=(60, 2)).round(3).astype(str))
    lines = [f"{k},{a},{b},{k % 2}" for k, (a, b) in enumerate(cells)]
    path = write(folder / "series.csv", "\n".join(["time,a,b,y", *lines]) + "\n")
    data = {"train": str(path), "valid": None, "inputs": ["a", "b"], "target": "y", "time": "time", **data}
    data["missing"] = {"fill": fill, "indicator": indicator}
    config = {"data": data, "model": {"layers": [4], "dropout": 0}, "train": {"epochs": 1, "monitor": "train.loss"}}
    lstm_cli.train(config | {"threads": 1}, run=folder / "run", verbosity=-1)
    return lines


def test_values_are_filled_from_the_lines_before(tmp_path, capsys):
    """A csv file, row by row: the previous value of a missing one stands in another line; times are kept."""
    filled_run(tmp_path, "previous", transform={"a": "difference"})
    predict_run(tmp_path / "run", tmp_path / "series.csv", out=tmp_path / "whole.jsonl")
    predict_run(tmp_path / "run", tmp_path / "series.csv", follow=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (whole,) = read_jsonl(tmp_path / "whole.jsonl")
    assert len(found) == 60 and found[0] == {"id": 1, "time": [None], "prediction": [None]}
    assert {key: [row[key][0] for row in found] for key in ("time", "prediction")} | {"id": 1} == whole


def test_a_row_out_of_time_is_an_error(tmp_path):
    filled_run(tmp_path, "zero")
    write(tmp_path / "late.csv", "time,a,b\n3,1,1\n3,1,2\n2,1,1\n")
    with pytest.raises(DataError, match=r"late\.csv:4: time: 2 is before 3, the last step of 1 so far: give the lines"):
        predict_run(tmp_path / "run", tmp_path / "late.csv", follow=True)


def test_what_needs_later_lines_is_refused(tmp_path, trained):
    filled_run(tmp_path, "linear", indicator=False)
    lines = {
        tmp_path: r"--follow: data\.missing\.fill: linear needs the next value, so that no line can be predicted",
        trained("both_ways"): r"--follow: a bidirectional model also starts from the end",
        trained("averaged"): r"--follow: with model\.pool: mean the output depends on all steps",
        trained("plays"): r"--follow: a model of text files continues no stream",
    }
    for folder, message in lines.items():
        with pytest.raises(ConfigError, match=message):
            predict_run(folder / "run", tmp_path / "series.csv", follow=True)
    with pytest.raises(ConfigError, match=r"--follow reads lines of jsonl or csv, not npz: give --format"):
        predict_run(trained("numbered") / "run", tmp_path / "a", form="npz", follow=True)
    for option in ("state_in", "state_out"):
        with pytest.raises(ConfigError, match=r"--state-in and --state-out: with model\.pool: mean"):
            predict_run(trained("averaged") / "run", tmp_path / "series.csv", **{option: tmp_path / "state.npz"})


@pytest.mark.parametrize("scale", ["series", "window"])
def test_scales_of_their_own_are_refused(tmp_path, scale):
    write(tmp_path / "a.csv", "x\n" + "\n".join(map(str, range(40))) + "\n")
    data = {"train": "a.csv", "valid": None, "inputs": ["x"], "target": "next", "scale": scale}
    data |= {"window": 5} if scale == "window" else {}
    config = {"data": data | {"train": str(tmp_path / "a.csv")}, "model": {"layers": [3], "dropout": 0}}
    lstm_cli.train(config | {"train": {"epochs": 1}, "threads": 1}, run=tmp_path / "run", verbosity=-1)
    with pytest.raises(ConfigError, match=f"--follow: data.scale: {scale} needs"):
        predict_run(tmp_path / "run", tmp_path / "a.csv", follow=True)


def test_a_bad_line_is_named_and_leaves_the_state_as_it_was(trained, tmp_path, capsys):
    good = [{"id": "a", "x": [[20, 21]]}, {"id": "a", "x": [[19, 17]]}]
    path = write_jsonl(tmp_path / "in.jsonl", [good[0], {"id": "a", "x": [[1, "no"]]}, good[1]])
    run, message = trained("numbered") / "run", r"in\.jsonl:2: x: .*'no'"
    with pytest.raises(DataError, match=message):
        predict_run(run, path, follow=True)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_bad_lines_are_skipped_where_the_config_says_so(tmp_path, capsys):
    rows = [{"id": f"s{k}", "x": [k, 2, 3], "y": [0, 1, 0]} for k in range(8)]
    data = {"train": str(write_jsonl(tmp_path / "a.jsonl", rows)), "valid": None, "on_error": "skip"}
    data |= {"inputs": ["x"], "target": "y"}
    config = {"data": data, "model": {"layers": [3], "dropout": 0}, "train": {"epochs": 1}, "threads": 1}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    lines, notes = [f'{{"id": "s", "x": [{k}]}}\n' for k in (1, 2)], []
    for content in (lines, [lines[0], "{\n", '{"id": "s", "x": ["no"]}\n', '{"id": "s"}\n', lines[1]]):
        path = write(tmp_path / "in.jsonl", "".join(content))
        predict_run(tmp_path / "run", path, follow=True, note=notes.append)
    found = capsys.readouterr().out.splitlines()
    assert found[:2] == found[2:]
    assert [note.split(":")[-3:-2] for note in notes[:1]] and notes[-1].endswith("in.jsonl: 3 lines skipped")
    assert [re.search(r"in\.jsonl:(\d)", note)[1] for note in notes[:-1]] == ["2", "3", "4"]


def test_states_are_read_and_written(trained, tmp_path, capsys):
    """A stream in two parts is the stream; a sequence without a line keeps its state."""
    run, rows, states = trained("numbered") / "run", pieces(sequences("numbered"), 4), tmp_path / "states.npz"
    for name, part in {"whole": rows, "first": rows[:9], "second": rows[9:]}.items():
        options = {"state_in": states} if name == "second" else {}
        path = write_jsonl(tmp_path / f"{name}.jsonl", part)
        predict_run(run, path, follow=True, state_out=tmp_path / f"{name}.npz", **options)
        states = tmp_path / f"{name}.npz"
    found = capsys.readouterr().out.splitlines()
    assert found[: len(rows)] == found[len(rows) :]
    with np.load(tmp_path / "whole.npz") as one, np.load(tmp_path / "second.npz") as two:
        kept = [dict(zip(file["ids"].tolist(), file["states"].tolist(), strict=True)) for file in (one, two)]
    assert kept[0] == kept[1] and len(kept[0]) == 3
    predict_run(run, write_jsonl(tmp_path / "sequences.jsonl", sequences("numbered")), state_out=tmp_path / "other.npz")
    with np.load(tmp_path / "other.npz") as file:
        assert dict(zip(file["ids"].tolist(), file["states"].tolist(), strict=True)) == kept[0]


def test_states_of_idle_sequences_are_dropped(loaded, monkeypatch):
    run, notes = loaded("numbered"), []
    monkeypatch.setattr(module, "HELD", 2 * (12 * 4 + module._BESIDE))
    line = {"x": [[20, 21], [1, 40]]}
    found, streams = followed(run, [{"id": name, **line} for name in "abacab"], note=notes.append, probabilities=True)
    assert [name for name, _ in streams.states()] == ["a", "b"]
    assert [note.partition(":")[0] for note in notes] == ["more than 2 sequences"]
    by_id = [row["probabilities"] for row in found]
    assert by_id[0] == by_id[1] == by_id[5] != by_id[2]  # b came back after it was dropped, a never was


def test_lines_without_an_id_are_sequences_and_nothing_is_kept(loaded):
    found, streams = followed(loaded("numbered"), [{"x": [[20, 21]]}] * 3, probabilities=True)
    assert found[0]["probabilities"] == found[2]["probabilities"] and [row["id"] for row in found] == [1, 2, 3]
    assert list(streams.states()) == []


def test_a_line_of_text_has_the_labels_of_its_tokens(trained, tmp_path, capsys):
    predict_run(trained("tagger") / "run", write(tmp_path / "in.txt", "a b\n\nd\n"), follow=True)
    assert [len(json.loads(line)["prediction"]) for line in capsys.readouterr().out.splitlines()] == [2, 1]


def test_each_line_comes_out_before_the_next_goes_in(trained, monkeypatch):
    """Through pipes: a line is written once the answer to the one before was read; a csv stream."""
    (read_in, write_in), (read_out, write_out) = os.pipe(), os.pipe()
    errors = []

    def following():
        try:
            predict_run(trained("pendulum") / "run", "-", follow=True)
        except DataError as error:
            errors.append(str(error))

    with os.fdopen(read_in) as given, os.fdopen(write_out, "w") as taken:
        monkeypatch.setattr(sys, "stdin", given)
        monkeypatch.setattr(sys, "stdout", taken)
        thread = threading.Thread(target=following)
        thread.start()
        with os.fdopen(write_in, "w", buffering=1) as lines, os.fdopen(read_out) as answers:
            answered(lines, answers)
            thread.join(60)
    assert errors == ["<stdin>:5: expected 3 cells as in the header, got 2: complete or delete the row"]


def answered(lines, answers):
    """Write lines, each after the answer to the one before; the last one is bad."""
    lines.write("run,a,b\n")
    for name in ("s", "t", "s"):
        lines.write(f"{name},1,2\n")
        assert json.loads(answers.readline())["id"] == name
    lines.write("s,1\n")


@pytest.mark.slow
def test_each_line_comes_out_of_the_command_before_the_next_goes_in(trained):
    command = [sys.executable, "-c", "from lstm_cli.cli.start import predict; predict()"]
    options = [str(trained("pendulum") / "run"), "-", "--follow"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*command, *options], **pipes, env=environment, text=True, bufsize=1) as process:
        answered(process.stdin, process.stdout)
        assert process.wait(60) == 65
        assert process.stderr.read().startswith("<stdin>:5: expected 3 cells as in the header")
