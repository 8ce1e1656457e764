"""Runs side by side, of folders that are made here file by file."""

import json
import shutil
from contextlib import closing

import numpy as np
import pytest
from click.testing import CliRunner

from lstm_cli import compare
from lstm_cli.cli.group import main
from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.insight.compare_text import comparison_text, short_names
from lstm_cli.insight.tables import width_of
from lstm_cli.report.compare import compare_runs
from lstm_cli.report.compare import page as page_of
from lstm_cli.run.checkpoint import State, save
from lstm_cli.run.identity import identity
from lstm_cli.run.lock import FolderLock
from tests.support.html import WellFormed
from tests.support.paths import RELEASED
from tests.support.runs import small_config


def entry(step, loss, accuracy, split="valid", **more):
    return {
        "step": step,
        "epoch": step // 10,
        "split": split,
        "seconds": step / 2,
        "loss": loss,
        "accuracy": accuracy,
        **more,
    }


def config_of(folder, **config):
    given = {"optimizer": "adadelta", **config, "train": {"patience": 10, **config.get("train", {})}}
    return small_config(folder, **given)


def write_run(folder, entries, *, state="finished", data="one", weights=3, baselines=(), **config):
    """The folder of a run, with the files that a comparison reads."""
    folder.mkdir(parents=True)
    settings = config_of(folder, **config)
    (folder / "resolved.yaml").write_text(settings.to_yaml())
    (folder / "environment.json").write_text(json.dumps({"started": "2026-05-01 10:00:00+00:00"}))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in entries))
    (folder / "report.json").write_text(json.dumps({"version": 1, "state": state, "baselines": list(baselines)}))
    bound = identity(settings.model_dump(mode="json"), {}, {"train": data, "valid": data})
    position = {"step": entries[-1]["step"], "epoch": entries[-1]["epoch"]} if entries else {"step": 0, "epoch": 0}
    save(State({"layers.0.W": np.zeros((weights, 2))}, position=position, identity=bound), folder / "best")
    return folder


@pytest.fixture
def runs(tmp_path):
    """Three runs: the middle one of them in the order of names is the best, and one of them has a test score."""
    naive = [{"name": "majority", "title": "always a", "split": "test", "metrics": {"accuracy": 0.6}}]
    curve = [
        entry(10, 0.9, 0.5, steps_per_second=90.0),
        entry(20, 0.5, 0.7, steps_per_second=110.0),
        entry(30, 0.6, 0.8),
    ]
    write_run(
        tmp_path / "runs" / "b",
        [*curve, entry(20, 0.4, 0.9, "test")],
        weights=50,
        baselines=naive,
        model={"layers": [8]},
    )
    write_run(
        tmp_path / "runs" / "a",
        [entry(10, 0.8, 0.9)],
        state="stopped",
        optimizer={"name": "adam", "learning_rate": 0.001},
    )
    write_run(tmp_path / "runs" / "c", [entry(10, 0.7, 0.9)], optimizer={"name": "adam", "learning_rate": 0.5})
    return tmp_path / "runs"


def test_the_best_comes_first_with_all_of_its_scores(runs):
    found = compare(runs)
    assert [run.run for run in found.runs] == [str(runs / name) for name in "bca"]
    assert (found.monitor, found.notes) == ("valid.loss", ())
    best = found.runs[0]
    assert best.scores == {"valid": {"loss": 0.5, "accuracy": 0.7}, "test": {"loss": 0.4, "accuracy": 0.9}}
    assert (best.best_step, best.best_epoch, best.steps, best.epochs) == (20, 2, 30, 3)
    assert (best.parameters, best.steps_per_second, best.seconds) == (100, 100.0, 10.0)
    assert best.skill["test"]["majority"]["accuracy"] == pytest.approx((0.9 - 0.6) / (1 - 0.6))
    assert [run.state for run in found.runs] == ["finished", "finished", "stopped"]


def test_only_the_keys_that_differ_are_named(runs):
    found = compare([runs / "a", runs / "c"])
    assert {run.run[-1]: run.config for run in found.runs} == {
        "a": {"optimizer.learning_rate": 0.001},
        "c": {"optimizer.learning_rate": 0.5},
    }
    found = compare([runs / "a", runs / "b"])
    assert found.keys[0] == "model.layers.0.size"  # what layers have from the model is not repeated
    by_name = {run.run[-1]: run.config for run in found.runs}
    assert by_name["a"]["optimizer.beta1"] == 0.9 and "optimizer.beta1" not in by_name["b"]
    assert compare([runs / "a", runs / "a"]).runs[0].config == {}


def test_a_larger_score_may_be_the_better_one(tmp_path):
    for name, value in (("a", 0.5), ("b", 0.9), ("c", 0.7)):
        write_run(
            tmp_path / name, [entry(10, 1 - value, 0.0) | {"accuracy": value}], train={"monitor": "valid.accuracy"}
        )
    assert [run.run[-1] for run in compare(tmp_path).runs] == ["b", "c", "a"]
    write_run(tmp_path / "d", [entry(10, 0.05, 0.95)])
    write_run(tmp_path / "e", [], train={"monitor": "valid.accuracy"})
    found = compare(tmp_path)
    assert [run.run[-1] for run in found.runs] == ["d", "b", "c", "a", "e"]
    assert found.notes == ("sorted by valid.accuracy, but other scores chose the best states of: d valid.loss",)


def test_scores_of_different_data_are_said_not_to_compare(tmp_path):
    for name, data in (("a", "one"), ("b", "two"), ("c", "one")):
        write_run(tmp_path / name, [entry(10, 0.5, 0.5)], data=data)
    notes = compare(tmp_path).notes
    assert notes[0] == "runs are scored on different validation data, so that their scores do not compare: a, c | b"
    assert notes[1] == "runs learned from different data: a, c | b"
    shutil.rmtree(tmp_path / "b")
    write_run(tmp_path / "b", [entry(10, 0.5, 0.5)], data="one")
    assert compare(tmp_path).notes == ()


def test_runs_of_one_name_have_their_folders_beside_it(tmp_path):
    long = "a run with a name longer than its column"
    runs = [tmp_path / "first" / long, tmp_path / "other" / long]
    for run, data in zip(runs, ("one", "two"), strict=True):
        write_run(run, [entry(10, 0.5, 0.5)], data=data)
    found = compare(runs)
    assert found.notes[1] == f"runs learned from different data: {runs[0]} | {runs[1]}"
    names = short_names([run.run for run in found.runs])
    assert [name[:3] for name in names] == ["1 …", "2 …"]
    assert max(map(width_of, names)) <= 24


def test_what_cannot_be_read_is_a_note_each(runs, tmp_path):
    (runs / "broken").mkdir()
    (runs / "broken" / "resolved.yaml").write_text("seed: {")
    (runs / "broken" / "environment.json").write_text("{}")
    (runs / "c" / "metrics.jsonl").write_text('{"step": 1\n' + json.dumps(entry(10, 0.7, 0.9)) + "\n")
    (runs / "a" / "report.json").write_text("[1]")
    (runs / "a" / "best" / "manifest.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    found = compare([runs, tmp_path / "empty", tmp_path / "none", runs / "b" / "best", runs / "b" / "resolved.yaml"])
    assert [run.run[-1] for run in found.runs] == ["b", "c", "a"]
    expected = [
        "a/best: damaged checkpoint: no good manifest",
        "a/report.json: damaged: not an object",
        "broken/resolved.yaml: damaged: ",
        "c/metrics.jsonl:1: a damaged line",
        "empty: contains no run",
        "none: no such folder",
        "b/best: a checkpoint: give the folder of its run",
        "b/resolved.yaml: a file, expected the folder of a run",
    ]
    assert len(found.notes) == len(expected)
    for note, part in zip(found.notes, expected, strict=True):
        assert part in note and "\n" not in note


def test_nothing_to_compare_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match=r"no-such: no such folder$"):
        compare(tmp_path / "no-such")
    with pytest.raises(ConfigError, match="expected run folders"):
        compare([])


def test_runs_of_earlier_versions_compare(tmp_path):
    found = compare(RELEASED)
    assert sorted(run.run.rpartition("/")[2] for run in found.runs) == ["labels", "series", "text"]
    assert all(run.state == "stopped" and run.parameters for run in found.runs)
    assert "runs predict different targets: their scores do not compare" in found.notes


def test_a_run_that_a_process_holds_is_training(runs):
    (runs / "a" / "report.json").write_text('{"version": 1, "state": "training"}')
    assert compare(runs / "a").runs[0].state == "stopped"
    with closing(FolderLock(runs / "a")):
        assert compare(runs / "a").runs[0].state == "training"
    assert compare(runs / "a").runs[0].state == "stopped"  # the process is there, but holds the run no more


def test_of_a_run_on_another_machine_the_report_says_whether_it_trains(runs):
    (runs / "a" / ".lstm-run.lock").write_text('{"pid": 1, "host": "elsewhere", "since": "now", "token": "x"}')
    for said, state in (("training", "training"), ("stopped", "stopped")):
        (runs / "a" / "report.json").write_text(json.dumps({"version": 1, "state": said}))
        assert compare(runs / "a").runs[0].state == state


def test_the_table(runs):
    write_run(runs / "e", [], model={"dropout": 0.0, "residual": True}, train={"patience": None})
    (runs / "plots").mkdir()
    (runs / "notes.txt").write_text("no run")
    found = compare(runs)
    assert [run.run[-1] for run in found.runs] == ["b", "c", "a", "e"]
    assert (
        comparison_text(compare([runs / "b", runs / "a", runs / "e"]), 80)
        == """\
run  valid loss↓  valid accuracy  test loss  test accuracy  skill  weights
b          0.500           0.700      0.400          0.900  0.750      100
a          0.800           0.900          -              -      -        6
e              -               -          -              -      -        6

run  steps/s  best/epochs  time     state
b        100          2/3  10 s  finished
a          -          1/1   5 s   stopped
e          -            -     -  finished

key                             b      a         e
model.layers.0.size             8      4         4
model.residual              false  false      true
model.dropout                 0.3    0.3         0
optimizer.name           adadelta   adam  adadelta
optimizer.learning_rate         1  0.001         1
optimizer.clip_norm             5      1         5
optimizer.rho                0.95      -      0.95
optimizer.epsilon           1e-06  1e-08     1e-06
optimizer.beta1                 -    0.9         -
optimizer.beta2                 -  0.999         -
train.patience                 10     10      null"""
    )


@pytest.mark.parametrize(
    ("epoch", "stale", "state"), [(3, 0, "finished"), (2, 0, "stopped"), (2, 5, "finished"), (2, 4, "stopped")]
)
def test_a_run_whose_report_does_not_say_so_is_finished_where_training_ends(tmp_path, epoch, stale, state):
    run = write_run(tmp_path / "a", [entry(10, 0.5, 0.5)], train={"epochs": 3, "patience": 5})
    (run / "report.json").unlink()
    assert compare(run).runs[0].state == "stopped"  # there is no last state
    bound = identity(config_of(run).model_dump(mode="json"), {}, {})
    position = {"step": 10 * epoch, "epoch": epoch, "stale": stale}
    save(State({"layers.0.W": np.zeros((3, 2))}, position=position, identity=bound), run / "last")
    assert compare(run).runs[0].state == state


@pytest.mark.parametrize("width", [80, 40])
def test_the_table_fits_the_terminal(runs, width):
    """Few runs with many keys, and many runs with few: names may hold anything."""
    for number in range(6):
        write_run(
            runs / f"a run with a name of many words, {number}\n\x1b",
            [entry(10, 0.9, 0.1)],
            optimizer={"learning_rate": 0.1 + number},
        )
    text = comparison_text(compare(runs), width)
    assert max(map(width_of, text.splitlines())) <= width
    assert "\x1b" not in text and "\\x1b" in text
    text = comparison_text(compare([runs / "a", runs / "b"]), width)
    assert max(map(width_of, text.splitlines())) <= width
    assert all(key in text for key in ("optimizer.name", "layers.0.size", "valid loss↓"))


def test_the_command_prints_json_into_a_pipe(runs):
    result = CliRunner().invoke(main, ["compare", str(runs), str(runs / "none")])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [run["run"][-1] for run in found["runs"]] == ["b", "c", "a"]
    assert {"run", "scores", "config", "state", "parameters", "steps_per_second"} <= found["runs"][0].keys()
    assert "entries" not in found["runs"][0]
    assert result.stderr == f"{runs / 'none'}: no such folder\n"
    assert found["notes"] == [f"{runs / 'none'}: no such folder"]
    result = CliRunner().invoke(main, ["compare", str(runs / "none")])
    assert (result.exit_code, result.stdout) == (65, "")


def test_the_page_stands_alone(runs, tmp_path):
    write_run(runs / "<script>alert(1)<b>", [entry(10, 0.2, 0.9), entry(20, 0.3, 0.9)])
    out = tmp_path / "compare.html"
    compare_runs([runs], out=out)
    text = out.read_text()
    assert not WellFormed(text).outside()
    assert "<script>alert" not in text and "&lt;script&gt;" in text
    assert "The best first, by validation loss ↓" in text
    assert text.count("<figure>") == 3  # the losses of all runs over each other, accuracy, and speed
    assert page_of(compare(runs)) == text
    for wrong, problem in (("x.txt", "ends with .html"), ("runs/a/report.html", "belongs to the run")):
        with pytest.raises(ConfigError, match=problem):
            compare_runs([runs], out=tmp_path / wrong)
