"""A controller put to use: trajectories from starts, and only with the user's word for the code in the folder."""

import hashlib
import json

import numpy as np
import pytest
from click.testing import CliRunner

import lstm_cli
from lstm_cli.cli.group import predict, train
from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.plain_files import read_plain
from lstm_cli.predict import predict_run
from tests.support.data import read_jsonl
from tests.support.runs import train as trained
from tests.support.worlds import ALONE, cart_step, world_config, write_world

STARTS = [{"id": "a", "start": [0.1, 0.2, 0.3]}, {"id": "b", "start": [[0.5, 0, 0], [0.4, 0.1, 0]]}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_world(tmp_path_factory.mktemp("world"))
    trained(world_config(folder), folder / "run")
    trained(world_config(folder, ALONE), folder / "alone")
    (folder / "starts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in STARTS))
    return folder


def test_each_state_follows_from_the_one_before(folder):
    rows = lstm_cli.load(folder / "run", trust=True).steer(STARTS, 9)
    assert [row["id"] for row in rows] == ["a", "b"]
    for given, row in zip(STARTS, rows, strict=True):
        states = np.array([np.atleast_2d(given["start"])[-1], *row["prediction"]])
        assert states.shape == (10, 3)
        np.testing.assert_allclose(cart_step(states[:-1], np.array(row["output"])), states[1:], rtol=1e-5, atol=1e-6)


def test_as_many_steps_as_in_training_by_default(folder):
    run = lstm_cli.load(folder / "run", trust=True)
    assert [len(row["prediction"]) for row in run.predict(STARTS)] == [6, 6]
    long, short = run.steer(STARTS, 8), run.steer(STARTS[:1], 5)
    np.testing.assert_allclose(long[0]["prediction"][:5], short[0]["prediction"], rtol=1e-6)


def test_trajectories_from_file_to_file(folder):
    for name, lines in (("t.jsonl", 2), ("t.csv", 1 + 2 * 4)):
        predict_run(folder / "run", folder / "starts.jsonl", out=folder / name, steps=4, trust=True)
        assert len((folder / name).read_text().splitlines()) == lines
    header = (folder / "t.csv").read_text().splitlines()[0]
    assert header == "id,step,prediction_0,prediction_1,prediction_2,output_0,output_1"


def test_goals_are_scored(folder):
    scores = lstm_cli.load(folder / "run", trust=True).evaluate(folder / "drives.jsonl")
    assert {"loss", "rmse", "mae", "r2"} <= scores.keys() and np.isfinite(list(scores.values())).all()


@pytest.mark.parametrize("size", [1, 8, 512])
def test_a_score_is_that_of_the_trajectories(folder, size):
    run = lstm_cli.load(folder / "run", trust=True)
    run.config = run.config.model_copy(update={"train": run.config.train.model_copy(update={"batch_size": size})})
    rows = read_jsonl(folder / "drives.jsonl")
    errors = []
    for row, found in zip(rows, run.predict([{"start": row["start"]} for row in rows]), strict=True):
        goal = np.atleast_2d(row["goal"])
        states = np.array(found["prediction"])[:, :2]
        errors.append(states - goal if len(goal) == 1 else states[: len(goal)] - goal)
    errors = np.concatenate(errors)
    scores = run.evaluate(folder / "drives.jsonl")
    assert scores["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-5)
    assert scores["mae"] == pytest.approx(np.mean(np.abs(errors)), rel=1e-5)


@pytest.mark.parametrize("size", [1, 8, 512])
def test_a_score_is_that_of_the_forecasts_of_every_window(folder, size):
    """A loop on its own predictions sees three steps and continues for five; then it is shown the next three."""
    run = lstm_cli.load(folder / "alone")
    run.config = run.config.model_copy(update={"train": run.config.train.model_copy(update={"batch_size": size})})
    values = np.loadtxt(folder / "waves.csv", delimiter=",", skiprows=1)
    errors = []
    for start in range(0, len(values) - 3, 7):
        a, b = values[start : start + 3].T.tolist()
        (row,) = run.forecast([{"a": a, "b": b}], 5)
        truth = values[start + 3 : start + 8]
        errors.append(np.array(row["prediction"])[: len(truth)] - truth)
    scores = run.evaluate(folder / "waves.csv")
    for name, own in zip("ab", np.concatenate(errors).T, strict=True):
        assert scores[f"rmse.{name}"] == pytest.approx(np.sqrt(np.mean(own**2)), rel=1e-5)
        assert scores[f"mae.{name}"] == pytest.approx(np.mean(np.abs(own)), rel=1e-5)


def test_the_code_in_a_folder_is_not_run_without_trust(folder, monkeypatch):
    ran = []
    monkeypatch.setattr("lstm_cli.engine.system.load_function", lambda *a: ran.append(a))
    result = CliRunner().invoke(predict, [str(folder / "run"), str(folder / "starts.jsonl")])
    assert result.exit_code == 2 and ran == []
    assert "runs the code in" in result.stderr and "--trust" in result.stderr and "dynamics.py" in result.stderr


def test_other_code_than_that_of_the_training_is_refused(folder, tmp_path):
    write_world(tmp_path)
    trained(world_config(tmp_path), tmp_path / "run")
    code = tmp_path / "run" / "dynamics.py"
    code.write_text(code.read_text() + "\nimport os\n")
    with pytest.raises(CheckpointError, match=r"dynamics\.py: not the file that the checkpoint was trained with"):
        lstm_cli.load(tmp_path / "run", trust=True)


def test_the_bytes_that_were_hashed_are_those_that_run(tmp_path, monkeypatch):
    """The file is replaced as soon as it was read, in training and in prediction: the other one never runs."""
    write_world(tmp_path)
    swapped = []

    def swap(path, **sizes):
        content = read_plain(path, **sizes)
        if path.name in ("cart.py", "dynamics.py"):
            swapped.append(path)
            path.write_text("raise SystemExit('another file ran')")
        return content

    original = (tmp_path / "cart.py").read_bytes()
    monkeypatch.setattr("lstm_cli.engine.system.read_plain", swap)
    monkeypatch.setattr("lstm_cli.run.identity.read_own", swap)
    trained(world_config(tmp_path), tmp_path / "run")
    code = tmp_path / "run" / "dynamics.py"
    assert swapped == [tmp_path / "cart.py"]
    assert code.read_bytes() == original
    for state in ("best", "last"):
        digests = json.loads((tmp_path / "run" / state / "manifest.json").read_text())["identity"]["digests"]
        assert digests["dynamics.py"] == hashlib.sha256(original).hexdigest()
    with pytest.raises(ConfigError, match=f"SHA-256 {hashlib.sha256(original).hexdigest()[:16]}"):
        lstm_cli.load(tmp_path / "run")
    code.write_bytes(original)
    assert len(lstm_cli.load(tmp_path / "run", trust=True).steer(STARTS)) == 2
    assert swapped == [tmp_path / "cart.py", code, code]
    with pytest.raises(CheckpointError, match="not the file that the checkpoint was trained with"):
        lstm_cli.load(tmp_path / "run", trust=True)


def test_a_run_is_not_resumed_with_another_system(tmp_path):
    write_world(tmp_path)
    (tmp_path / "c.yaml").write_text(json.dumps(world_config(tmp_path).model_dump(mode="json")))
    arguments = [str(tmp_path / "c.yaml"), "-o", str(tmp_path / "run")]
    assert CliRunner().invoke(train, [*arguments, "train.epochs=1"]).exit_code == 0
    with (tmp_path / "cart.py").open("a") as file:
        file.write("\n# changed\n")
    result = CliRunner().invoke(train, [*arguments, "--resume"])
    assert result.exit_code == 65 and "cart.py has changed since the run was started" in result.stderr


def test_a_trajectory_to_infinity_is_named(tmp_path):
    write_world(tmp_path)
    tame = [{"id": str(k), "start": [0.001, 0.001, 0.001], "goal": [0, 0]} for k in range(9)]
    (tmp_path / "drives.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tame))
    trained(world_config(tmp_path, rollout={"dynamics": "cart.py:explodes", "steps": 1}), tmp_path / "run")
    (tmp_path / "starts.jsonl").write_text('{"start": [9.0, 9.0, 9.0]}\n')
    arguments = [str(tmp_path / "run"), str(tmp_path / "starts.jsonl"), "--trust", "--steps", "40"]
    result = CliRunner().invoke(predict, arguments)
    assert result.exit_code == 70
    where = "dynamics.py:explodes produced a state that is not finite at step 3 of the closed loop from the start of 1"
    assert result.stderr.startswith(where)


@pytest.mark.parametrize("options", [{"probabilities": True}, {"state_out": "s.npz"}])
def test_what_trajectories_do_not_have(folder, options):
    with pytest.raises(ConfigError, match="drives a system"):
        predict_run(folder / "run", folder / "starts.jsonl", trust=True, **options)


def test_a_forecaster_that_learned_on_its_own_predictions_forecasts(folder):
    run = lstm_cli.load(folder / "alone")
    series = np.array([row.split(",") for row in (folder / "waves.csv").read_text().splitlines()[1:]], float)
    (row,) = run.forecast([{"a": series[:, 0], "b": series[:, 1]}], 5)
    assert np.isfinite(row["prediction"]).all() and np.shape(row["prediction"]) == (5, 2)
    scores = run.evaluate(folder / "waves.csv")
    assert scores["rmse.a"] > 0 and scores["rmse.b"] > 0
