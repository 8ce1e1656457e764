"""``report.json`` of real runs: what it holds for each kind of target, how a run ended, and made again."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import CheckpointError, DiskError, Diverged, Interrupted
from lstm_cli.insight.explanation import Sample
from lstm_cli.insight.samples import WORDS
from lstm_cli.report.contents import Contents, from_json
from lstm_cli.run.lock import is_held
from lstm_cli.training.ending import stopped_by
from lstm_cli.training.events import Evaluated, Event, Explained, Note, StepDone
from tests.released.make import CONFIGS
from tests.support.kinds import KINDS, MODEL, TRAIN
from tests.support.paths import RELEASED
from tests.support.runs import SERIES, SYMBOLS, Watcher, Whole, metrics, small_config, train, watched
from tests.support.worlds import ALONE, CLOSED, world_config, write_world

#: By kind: the parts that its explanation has beside the evaluation and diagnostics.
PARTS = {
    "classifier": {"surest_errors"},
    "averaged": {"surest_errors"},
    "numbered": {"surest_errors"},
    "both_ways": {"surest_errors"},
    "regression": {"surest_errors"},
    "tagger": {"surest_errors"},
    "sets": {"surest_errors"},
    "passengers": {"surest_errors", "forecasts", "horizon"},
    "pendulum": {"surest_errors", "forecasts", "horizon"},
    "plays": {"surest_errors", "samples"},
    "words": {"surest_errors", "samples"},
    "names": {"surest_errors", "samples"},
}
FEW = {"classifier", "words", "sets"}


def contents(run: Path) -> Contents:
    return from_json((run / "report.json").read_bytes())


def assert_made_again(run: Path) -> None:
    """Both files are the same after they were made again, and even without `report.json`, but for notes."""
    before = {name: (run / name).read_bytes() for name in ("report.json", "report.html")}
    assert lstm_cli.make_report(run, trust=True) == run / "report.html"
    assert {name: (run / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("kind", [k if k in FEW else pytest.param(k, marks=pytest.mark.slow) for k in KINDS])
def test_what_each_kind_of_run_says(tmp_path: Path, kind: str) -> None:
    given = {"model": MODEL, "train": TRAIN, "threads": 1, **KINDS[kind](tmp_path, np.random.default_rng(1))}
    run = tmp_path / "run"
    watcher = Watcher()
    watched(config_from_mapping(given, tmp_path), run, watcher)
    assert not [note for note in watcher.of(Note) if note.warning]
    found = contents(run)
    assert (found.state, found.run, found.folder) == ("finished", "run", str(run))
    assert found.model and found.facts and found.settings["model.layers.0.size"] == "6"
    assert found.config_set.startswith("model:\n  layers: [6]\n") and found.started and found.versions
    assert found.next[0].command.startswith(f"lstm-predict {run}")
    (explained,) = watcher.of(Explained)
    explanation = found.explanation
    assert explanation is not None and explained.step == watcher.of(Evaluated)[-1].step
    assert explanation.split == ("test" if "test" in given["data"] else "valid")
    own = ("surest_errors", "forecasts", "horizon", "samples", "trajectories", "loop_errors")
    assert {name for name in own if getattr(explanation, name)} == PARTS[kind]
    assert explanation.evaluation == json.loads(json.dumps(lstm_cli.evaluate(run).to_json())) | {
        "data": explanation.evaluation["data"]
    }
    last = metrics(run)[-1]
    assert explanation.evaluation["metrics"]["loss"] == pytest.approx(last["loss"], rel=1e-6)
    lags, saturation = explanation.diagnostics.gradient_by_lag, explanation.diagnostics.saturation
    assert lags is not None and len(lags.lags) == len(lags.norms) and lags.lags[0] == 0 and saturation
    assert len(explanation.surest_errors) <= 20
    assert_generated(run, explanation.samples)
    sure = [error.confidence for error in explanation.surest_errors if error.confidence is not None]
    assert sure == sorted(sure, reverse=True)
    assert_made_again(run)


def assert_generated(run: Path, samples: tuple[Sample, ...]) -> None:
    """Samples are what `lstm-predict --generate` writes with the seed 1."""
    assert [sample.temperature for sample in samples] == [0.5, 0.8, 1.0] * bool(samples)
    model = lstm_cli.load(run)
    for sample in samples:
        count = WORDS if model.schema.layout.unit == "word" else SYMBOLS
        text = "".join(model.generate("", count, temperature=sample.temperature, seed=1))
        assert sample.text == text.lstrip("\n") and sample.text


def test_windows_are_forecasts_of_the_run_beside_what_came(tmp_path: Path) -> None:
    given = {"model": MODEL, "train": TRAIN, "threads": 1, **KINDS["passengers"](tmp_path, np.random.default_rng(1))}
    train(config_from_mapping(given, tmp_path), tmp_path / "run")
    values = np.array([float(line.split(",")[1]) for line in (tmp_path / "series.csv").read_text().split()[1:]])
    explanation = contents(tmp_path / "run").explanation
    assert explanation is not None and len(explanation.forecasts) == 3
    run = lstm_cli.load(tmp_path / "run")
    for window in explanation.forecasts:
        steps = np.array(window.steps)
        np.testing.assert_allclose(np.array(window.observed, float), values[steps], rtol=1e-5)
        assert all(value is None for value in np.array(window.predicted)[steps <= window.origin])
        ahead = int((steps > window.origin).sum())
        (forecast,) = run.forecast([{"count": values[: window.origin + 1].tolist()}], ahead)
        np.testing.assert_allclose(
            np.array(window.predicted, float)[steps > window.origin], np.ravel(forecast["prediction"]), rtol=1e-4
        )
    assert explanation.horizon.keys() >= {"model", "last"}
    assert len(explanation.horizon["model"].rmse) == ahead


@pytest.mark.parametrize("base", [pytest.param(CLOSED, marks=pytest.mark.slow), ALONE], ids=["system", "alone"])
def test_what_a_closed_loop_says(tmp_path: Path, base: dict[str, Any]) -> None:
    run = tmp_path / "run"
    train(world_config(write_world(tmp_path), base, train={"epochs": 1}), run)
    explanation = contents(run).explanation
    assert explanation is not None and len(explanation.loop_errors) == base["rollout"]["steps"]
    assert explanation.trajectories and explanation.diagnostics.saturation and explanation.evaluation["horizons"]
    assert_made_again(run)
    if base is CLOSED:
        (run / "report.json").unlink()
        notes = list[str]()
        lstm_cli.make_report(run, note=notes.append)  # runs no code
        assert "with --trust, which runs its code" in notes[0] and contents(run).explanation is None
        lstm_cli.make_report(run, note=notes.append)
        assert "with --trust, which runs its code" in notes[1] and contents(run).explanation is None
        lstm_cli.make_report(run, trust=True)
        assert contents(run).explanation == explanation


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


def raise_term() -> None:
    signal.raise_signal(signal.SIGTERM)


def test_a_stopped_run_says_by_what_and_is_continued(whole: Whole) -> None:
    run, config = whole.new(), small_config(whole.folder)
    with pytest.raises(Interrupted) as stop:
        watched(config, run, Watcher(9, raise_term))
    found = contents(run)
    assert (found.state, found.status) == ("stopped", str(stop.value))
    assert found.status.startswith("stopped by SIGTERM after step ")
    assert found.next[0].command == f"lstm-train {run} --resume"
    assert found.explanation is None
    assert "SIGTERM" in (run / "report.html").read_text()
    lstm_cli.make_report(run)  # what the best state does so far
    assert contents(run).explanation is not None and contents(run).state == "stopped"
    train(config, run, resume=True)
    found = contents(run)
    assert found.state == "finished" and found.status.startswith("finished: 3 epochs")
    assert_made_again(run)


def test_a_killed_run_is_not_said_to_train(whole: Whole) -> None:
    """What is killed leaves the state of its last report, and the lock's file of a process that is gone."""
    run = whole.new()
    train(small_config(whole.folder), run)
    text = (run / "report.json").read_text()
    (run / "report.json").write_text(text.replace('"state": "finished"', '"state": "training"'))
    assert not is_held(run)
    lstm_cli.make_report(run)
    assert contents(run).state == "stopped" and "killed" in contents(run).status
    assert contents(run).next[0].command.endswith("--resume")


def test_a_run_on_another_machine_is_left_to_it(whole: Whole) -> None:
    """Whether it still trains there cannot be told from here."""
    run = whole.new()
    train(small_config(whole.folder), run)
    text = (run / "report.json").read_text().replace('"state": "finished"', '"state": "training"')
    (run / "report.json").write_text(text)
    (run / ".lstm-run.lock").write_text(json.dumps({"pid": 1, "host": "another", "since": "", "token": ""}))
    assert is_held(run) is None
    (run / "report.html").unlink()
    lstm_cli.make_report(run)
    assert (run / "report.html").exists() and (run / "report.json").read_text() == text


def test_where_memory_is_short_scores_come_without_their_positions(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_cli.training.explaining.SHARE", 1e-9)
    given = {"data": {**SERIES, "test": 0.2}}
    runs = [whole.new(), whole.of("series with a test", given)]
    train(small_config(whole.folder, **given), runs[0])
    few, all_of_it = (contents(run).explanation for run in runs)
    assert few is not None and all_of_it is not None
    assert few.evaluation == {"split": "test", "metrics": all_of_it.evaluation["metrics"]}
    assert not few.surest_errors and few.forecasts and few.diagnostics == all_of_it.diagnostics
    assert metrics(runs[0]) == metrics(runs[1])


def test_a_run_that_trains_may_be_reported_meanwhile(whole: Whole) -> None:
    run, seen = whole.new(), []

    def make() -> None:
        assert is_held(run)
        before = (run / "report.json").read_bytes()
        assert contents(run).state == "training"  # from the start on
        (run / "report.html").unlink()
        lstm_cli.make_report(run)
        seen.append((run / "report.html").exists())
        assert (run / "report.json").read_bytes() == before  # that of the run itself

    watched(small_config(whole.folder), run, Watcher(8, make))
    assert seen == [True] and contents(run).state == "finished"


def test_a_run_that_diverges_says_so(whole: Whole) -> None:
    run = whole.new()
    config = small_config(whole.folder, optimizer={"name": "sgd", "learning_rate": 1e38, "clip_norm": None})
    with pytest.raises(Diverged) as error:
        train(config, run)
    assert contents(run).status == f"diverged: {error.value}" and contents(run).state == "stopped"


def full() -> DiskError:
    error = DiskError("x: cannot be written: No space left on device")
    error.__cause__ = OSError(28, "No space left on device")
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Interrupted("stopped by SIGTERM after step 3", 15), "stopped by SIGTERM after step 3"),
        (full(), "stopped by a full disk: x: cannot be written: No space left on device"),
        (DiskError("x: cannot be written: Input/output error"), "stopped by a failing disk: x: "),
        (CheckpointError("bad\nfile"), r"stopped: bad\nfile"),
        (MemoryError(), "stopped as there was too little memory"),
        (ValueError("odd"), "stopped by ValueError: odd"),
        (KeyboardInterrupt(), "stopped by KeyboardInterrupt"),
    ],
)
def test_what_stopped_a_run_in_words(error: BaseException, words: str) -> None:
    assert stopped_by(error).startswith(words)


def test_what_cannot_be_explained_loses_no_run(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("lstm_cli.training.checkpointing.explain", broken)
    run = whole.new()
    watcher = train(small_config(whole.folder), run)
    assert watcher.of(Note)[-1] == Note("the report lacks what explains the model: ValueError: a bug", warning=True)
    found = contents(run)
    assert found.state == "finished" and found.explanation is None
    assert "warning: the report lacks what explains the model: ValueError: a bug" in found.notes
    lstm_cli.make_report(run)
    again = contents(run)
    assert again.explanation is not None
    assert again.notes == tuple(note for note in found.notes if "lacks" not in note)


def test_a_page_that_cannot_be_made_ends_no_training(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> str:
        raise ValueError("a bug")

    monkeypatch.setattr("lstm_cli.report.page.render", broken)
    run = whole.new()
    with pytest.raises(ValueError, match="a bug"):
        train(small_config(whole.folder), run)
    found = contents(run)
    assert found.state == "finished" and found.explanation is not None
    monkeypatch.undo()
    assert lstm_cli.make_report(run).exists()


def test_evaluations_have_the_gradient_norm_and_the_rate(whole: Whole) -> None:
    run = whole.new()
    watcher = train(small_config(whole.folder), run)
    norms: list[float] = []
    entries = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for event in watcher.events:
        if isinstance(event, StepDone):
            norms.append(event.gradient_norm)
        if isinstance(event, Evaluated):
            entry = entries.pop(0)
            assert entry["gradient_norm"] == event.gradient_norm == pytest.approx(np.mean(norms), rel=1e-12)
            assert entry["steps_per_second"] > 0
            norms = []


@pytest.mark.parametrize("name", CONFIGS)
def test_runs_of_earlier_versions_get_a_report(tmp_path: Path, name: str) -> None:
    run, notes = tmp_path / name, list[str]()
    shutil.copytree(RELEASED / name, run)
    lstm_cli.make_report(run, note=notes.append)
    found = contents(run)
    assert found.state == "stopped" and found.status.endswith("continue with --resume")
    assert found.model and found.versions["lstm-cli"] == "0.1.0" and found.config_set and found.next
    assert "did not record where its data is" in notes[0]
    assert_made_again(run)


def refused(run: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        lstm_cli.make_report(run)
    return str(error.value)


DAMAGES: dict[str, Callable[[str], str]] = {
    "torn": lambda text: text[: len(text) // 2],
    "another version": lambda text: text.replace('"version": 1', '"version": 2'),
    "an unknown score": lambda text: text.replace('"monitor": "valid.loss"', '"monitor": "valid.luck"'),
    "too many steps": lambda text: text.replace('"total_steps": ', f'"total_steps": {10**400}'),
    "an unknown state": lambda text: text.replace('"finished"', '"asleep"'),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_report_is_named(whole: Whole, how: str) -> None:
    run = whole.of("damaged", {})
    path, kept = run / "report.json", run.with_name("kept.json")
    if not kept.exists():
        shutil.copy(path, kept)
    path.write_text(DAMAGES[how](kept.read_text()))
    assert refused(run).startswith(f"{path}: damaged: ") and refused(run).endswith("remove it, and it is made again")
    path.unlink()
    lstm_cli.make_report(run)
    assert json.loads(path.read_text()) == json.loads(kept.read_text())


def test_a_folder_without_a_run_is_refused(whole: Whole) -> None:
    assert "contains no run" in refused(whole.folder)
    assert "did you mean" in refused(whole.of("damaged", {}) / "best")


def test_a_moved_run_is_named_by_its_place(whole: Whole, tmp_path: Path) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    moved = tmp_path / "moved here"
    run.rename(moved)
    lstm_cli.make_report(moved)
    found = contents(moved)
    assert (found.run, found.folder) == ("moved here", str(moved))
    assert all(f"'{moved}'" in each.command and str(run) not in each.command for each in found.next)


def test_events_in_words_of_the_report_only(whole: Whole) -> None:
    """A run's events after its last evaluation: what explains it, and its end."""
    watcher = train(small_config(whole.folder), whole.new())
    kinds: list[type[Event]] = [type(event) for event in watcher.events[-2:]]
    assert [kind.__name__ for kind in kinds] == ["Explained", "Finished"]
