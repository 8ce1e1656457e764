"""`track:` as its programs read it back: TensorBoard by its own reader, MLflow by its client from a local store."""

import importlib.util
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from lstm_cli.errors import ConfigError, Diverged, Interrupted
from lstm_cli.training.events import Evaluated, Finished, Started
from lstm_cli.training.sinks import tracking_mlflow
from lstm_cli.training.sinks.tracker import OF_TRAINING, Point
from lstm_cli.training.sinks.tracking import NEEDED, connected
from tests.support.data import read_jsonl
from tests.support.runs import Died, Watcher, die, small_config, train, watched, write_data

MISSING = {name: [each for each in NEEDED[name] if importlib.util.find_spec(each) is None] for name in NEEDED}
needs_tensorboard = pytest.mark.skipif(bool(MISSING["tensorboard"]), reason="needs tensorboard: pip install '.[track]'")
needs_mlflow = pytest.mark.skipif(bool(MISSING["mlflow"]), reason=f"needs {MISSING['mlflow']}: pip install '.[track]'")
TRAIN = {"epochs": 2, "batch_size": 3}
DATA = {"train": "gestures.jsonl", "inputs": ["x"], "target": "y", "valid": 0.25, "test": 0.2}


@pytest.fixture(scope="module", autouse=True)
def no_settings_of_the_user():
    """MLflow's settings around the tests say nothing, and what the tests set is gone after them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
            patch.delenv(name)
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("NO_PROXY", "127.0.0.1")
        before = dict(os.environ)
        yield
        for name in os.environ.keys() - before.keys():
            del os.environ[name]


@pytest.fixture(scope="module", autouse=True)
def patience():
    """A slow machine makes a database in more time than a training waits for."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("CONNECTING", "ENDING", "STOPPING"):
            patch.setattr(tracking_mlflow, limit, 200.0)
        yield


def curves_of_tensorboard(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    scalars = {tag: [(each.step, each.value) for each in found.Scalars(tag)] for tag in found.Tags()["scalars"]}
    texts = {
        tag: found.Tensors(tag)[0].tensor_proto.string_val
        for tag in ("config", "report")
        if tag in found.Tags()["tensors"]
    }
    return scalars, {tag: value[0].decode() for tag, value in texts.items()}


def client_of(runs):
    import sqlalchemy
    from mlflow.tracking import MlflowClient

    address = sqlalchemy.engine.URL.create("sqlite", database=str(runs / "mlflow.db"))
    return MlflowClient(address.render_as_string())


def run_in_mlflow(run):
    tracked = json.loads((run / "tracking.json").read_text())["mlflow"]
    return client_of(run.parent).get_run(tracked["run"])


def curves_of_mlflow(run):
    found, client = run_in_mlflow(run), client_of(run.parent)
    history = {key: client.get_metric_history(found.info.run_id, key) for key in found.data.metrics}
    return {key: sorted((each.step, each.value) for each in values) for key, values in history.items()}


def expected_curves(run):
    """What both programs are to show: every value of metrics.jsonl once, at its step."""
    curves = {}
    for line in read_jsonl(run / "metrics.jsonl"):
        for name, value in line.items():
            if name not in ("step", "split", "seconds") and value is not None:
                group = "train" if name in OF_TRAINING else line["split"]
                if group != "train" or line["split"] != "test":
                    curves.setdefault(f"{group}/{name.removeprefix('train_')}", []).append((line["step"], value))
    return curves


def close(curves):
    return {name: [(step, pytest.approx(value, rel=1e-6)) for step, value in points] for name, points in curves.items()}


def without_best(curves):
    return {name: points for name, points in curves.items() if not name.startswith("best/")}


SESSIONS = {"evaluate_every": "1 steps", "checkpoint_every": "3 steps", "schedule": "constant"}


def train_twice(folder, name, trackers, epochs=2):
    """Two sessions of one run, the first killed after evaluations later than its last checkpoint."""
    changes = {"track": trackers, "data": DATA, "train": {**TRAIN, **SESSIONS}}
    run, first = folder / "runs" / name, Watcher(14, die)
    with pytest.raises(Died):
        watched(small_config(folder, **changes), run, first)
    changes["train"]["epochs"] = epochs
    watcher = train(small_config(folder, **changes), run, resume=True)
    again, evaluated = (
        step(event.step for event in each.of(Evaluated)) for step, each in ((min, watcher), (max, first))
    )
    assert again <= evaluated  # these steps were computed, and shown, twice
    return run, watcher


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("tracked? 100%"))


@pytest.fixture(scope="module")
def on_board(folder):
    return train_twice(folder, "board", ["tensorboard"])


@pytest.fixture(scope="module")
def in_mlflow(folder):
    return train_twice(folder, "flow", "mlflow", epochs=3)


@pytest.mark.slow
@needs_tensorboard
def test_tensorboard_shows_every_evaluation_once_over_sessions(on_board):
    run, _ = on_board
    curves = expected_curves(run)
    assert {"valid/loss", "test/accuracy", "train/loss", "train/learning_rate", "train/epoch"} <= curves.keys()
    assert without_best(curves_of_tensorboard(run)[0]) == close(curves)
    assert len(list((run / "tensorboard").iterdir())) == 1


@pytest.mark.slow
@needs_tensorboard
def test_tensorboard_shows_config_scores_and_report(on_board):
    run, watcher = on_board
    (test,) = [event for event in watcher.of(Evaluated) if event.split == "test"]
    scalars, texts = curves_of_tensorboard(run)
    assert scalars["best/test/accuracy"] == [(test.step, pytest.approx(test.metrics["accuracy"]))]
    assert scalars["best/step"] == [(test.step, test.step)]
    assert "batch_size: 3" in texts["config"]
    assert f"finished; report: `{run / 'report.html'}`" in texts["report"]


@pytest.mark.slow
@needs_tensorboard
def test_an_overwritten_run_leaves_no_curves(folder):
    config = small_config(folder, track="tensorboard", train={"epochs": 1})
    run = folder / "overwritten"
    train(config, run)
    (run / "tensorboard" / "mine.txt").write_text("kept")
    watcher = train(small_config(folder, train={"epochs": 1}), run, overwrite=True)
    assert [path.name for path in (run / "tensorboard").iterdir()] == ["mine.txt"]
    assert "tensorboard" in (run / "train.log").read_text()  # files that this tool did not create
    assert watcher.of(Finished)


@pytest.mark.slow
@needs_mlflow
def test_mlflow_shows_every_evaluation_once_over_sessions(in_mlflow):
    run, _ = in_mlflow
    varying = {"train/steps_per_second"}  # what was logged first stays
    found, curves = without_best(curves_of_mlflow(run)), expected_curves(run)
    assert {name: found[name] for name in found.keys() - varying} == close(
        {name: curves[name] for name in curves.keys() - varying}
    )
    for name in varying:
        steps = [step for step, _ in found[name]]
        assert len(set(steps)) == len(steps) and set(steps) >= {step for step, _ in curves[name]}


@pytest.mark.slow
@needs_mlflow
def test_mlflow_has_config_scores_and_report(in_mlflow):
    run, watcher = in_mlflow
    found, client = run_in_mlflow(run), client_of(run.parent)
    assert (found.info.run_name, found.info.status) == ("flow", "FINISHED")
    assert found.data.params["train.epochs"] == "2"
    assert found.data.params["model.layers.0.size"] == "4"
    assert {key: found.data.tags[key] for key in found.data.tags if "resumed" in key} == {"resumed.train.epochs": "3"}
    artifacts = {each.path for each in client.list_artifacts(found.info.run_id)}
    assert artifacts == {"config.yaml", "resolved.yaml", "report.html"}
    report = client.download_artifacts(found.info.run_id, "report.html", str(run.parent))
    assert (run / "report.html").read_bytes() == Path(report).read_bytes()
    (test,) = [event for event in watcher.of(Evaluated) if event.split == "test"]
    assert found.data.metrics["best/test/accuracy"] == test.metrics["accuracy"]
    assert found.data.metrics["best/step"] == test.step


@pytest.mark.slow
@needs_tensorboard
@needs_mlflow
@pytest.mark.parametrize(("end", "status"), [("stopped by", "KILLED"), ("diverged: ", "FAILED")])
def test_a_run_that_stops_says_so(folder, end, status):
    def stop():
        if status == "KILLED":
            signal.raise_signal(signal.SIGINT)
        else:
            raise Diverged("the loss is nan")

    run = folder / "runs" / status
    with pytest.raises((Interrupted, Diverged)):
        watched(small_config(folder, track=["mlflow", "tensorboard"]), run, Watcher(2, stop))
    found = run_in_mlflow(run)
    assert found.info.status == status
    assert end in found.data.tags["ending"]
    assert found.data.tags["ending"] in curves_of_tensorboard(run)[1]["report"]


@pytest.mark.slow
@needs_mlflow
def test_names_and_values_of_users_fit_mlflow(folder, monkeypatch):
    """Columns may have any name; different ones stay different curves."""
    from lstm_cli.training.sinks.mlflow_store import MlflowStore

    run = folder / "runs" / "names"
    run.mkdir()
    for name in ("config.yaml", "resolved.yaml"):
        (run / name).write_text("seed: 1\n")
    store = MlflowStore(run.parent)
    names = ["valid/rmse.a/b", "valid/rmse.a:b", "valid/rmse.../x", "valid/rmse." + "ü" * 300, "valid/rmse.m/s²%"]
    settings = {**{f"data.inputs.{name}.kind": "number" for name in names}, "data.train": "x" * 9000, "data.time": ""}
    identifier = store.open(Started(run, 1, 1, settings=settings), "", [])
    store.send([Point(name, 1, float(number), 0.0) for number, name in enumerate(names)])
    found = client_of(run.parent).get_run(identifier)
    assert sorted(found.data.metrics.values()) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert all(key.startswith("valid/rmse.") for key in found.data.metrics)
    assert len(found.data.params) == len(settings)
    assert found.data.params["data.train"] == "x" * 6000


@pytest.mark.slow
@needs_tensorboard
def test_what_lies_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / "tensorboard").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"^track: .*run/tensorboard: not the folder that this tool makes there"):
        connected(small_config(tmp_path, track="tensorboard"), run)


@pytest.mark.slow
@needs_mlflow
def test_a_server_that_does_not_answer_is_an_error_at_the_start(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(
            ConfigError,
            match=r"^track: MlflowException: .*127\.0\.0\.1.*refused.*: check the server and MLFLOW_TRACKING_URI",
        ) as error:
            connected(small_config(tmp_path, track="mlflow"), tmp_path / "run")
    assert "secret" not in str(error.value)
