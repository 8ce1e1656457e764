"""``report.json`` of real runs: what it holds for each kind of target, and made again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import CheckpointError
from lstm_cli.insight.errors_file import Error
from lstm_cli.insight.explanation import Sample, SureError
from lstm_cli.insight.samples import WORDS
from lstm_cli.training.events import Evaluated, Event, Explained, Note, StepDone
from lstm_cli.training.explaining import shown_errors
from tests.released.make import CONFIGS
from tests.support.kinds import KINDS, MODEL, TRAIN
from tests.support.paths import RELEASED
from tests.support.reports import assert_made_again, contents
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
    assert_largest_are_of_different_places(explanation.surest_errors)
    sure = [error.confidence for error in explanation.surest_errors if error.confidence is not None]
    assert sure == sorted(sure, reverse=True)
    assert_made_again(run)


def assert_largest_are_of_different_places(errors: tuple[SureError, ...]) -> None:
    """Of numbers each error has its own step and its own truth; of several steps `ahead` says which step that is."""
    for error in errors:
        if error.error is not None:
            assert float(error.error) == pytest.approx(float(error.prediction) - float(error.truth), rel=1e-2, abs=1e-3)
    steps = [(error.id, error.step) for error in errors]
    truths = [(error.id, (error.step or 0) + (error.ahead or 0)) for error in errors]
    assert len(set(steps)) == len(steps) and len(set(truths)) == len(truths)


def test_an_outlier_that_is_forecast_from_many_steps_is_shown_once() -> None:
    def error(step: int, ahead: int, size: float, column: str = "load") -> Error:
        return Error("a", step, {}, 100.0, 100 + size, error=size, column=column, ahead=ahead)

    outlier = [error(50 - ahead, ahead, 40 - ahead) for ahead in range(1, 25)]
    others = [error(49, 24, 9.0), error(10, 3, 8.0), error(11, 2, 7.5), error(10, 3, 7.0, "wind"), error(60, 1, 0.25)]
    shown = shown_errors([*outlier, *others])
    assert [(one.step, one.ahead, one.error, one.column) for one in shown] == [
        (49, 1, "39", "load"), (10, 3, "8", "load"), (60, 1, "0.25", "load"),
    ]  # fmt: skip


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
    reach = explanation.diagnostics.gradient_by_lag
    assert reach is not None and len(reach.lags) >= base["rollout"]["steps"] and None not in reach.norms
    assert explanation.surest_errors and all(error.ahead for error in explanation.surest_errors)
    assert_largest_are_of_different_places(explanation.surest_errors)
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
