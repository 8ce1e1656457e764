"""With `--overwrite` a run is removed only if the new one can be read without it."""

import pytest

from lstm_cli.api import train_run
from lstm_cli.errors import ConfigError, DataError
from tests.support.runs import small_config, train, write_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("overwrite"))
    train(small_config(folder, train={"epochs": 1}), folder / "run")
    return folder


def files(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock"}


@pytest.mark.parametrize("name", ["metrics.jsonl", "best/model.safetensors", "../linked/train.log"])
def test_inputs_of_the_new_run_are_not_removed_with_the_old_one(folder, name):
    if not (folder / "linked").is_symlink():
        (folder / "linked").symlink_to("run")
    config = small_config(
        folder, data={"train": "gestures.jsonl", "test": f"run/{name}", "inputs": ["x"], "target": "y"}
    )
    before = files(folder)
    with pytest.raises(ConfigError, match=r"^data\.test: .* belongs to the run that --overwrite would remove: copy it"):
        train_run(config, folder / "run", overwrite=True, verbosity=-1)
    assert files(folder) == before


def test_the_dynamics_of_the_new_run_are_not_removed_with_the_old_one(folder):
    (folder / "run" / "dynamics.py").write_text("def f(state, output): return state")
    rollout = {"dynamics": "run/dynamics.py:f", "steps": 2}
    config = small_config(folder, rollout=rollout, model={"output": 1})
    with pytest.raises(ConfigError, match=r"^rollout\.dynamics: .* belongs to the run that --overwrite would remove"):
        train_run(config, folder / "run", overwrite=True, verbosity=-1)
    assert (folder / "run" / "dynamics.py").exists()
    (folder / "run" / "dynamics.py").unlink()


def test_a_missing_file_leaves_the_old_run(folder):
    before = files(folder)
    config = small_config(folder, data={"train": "no.jsonl", "inputs": ["x"], "target": "y"})
    with pytest.raises(DataError, match=r"no\.jsonl: no such file"):
        train_run(config, folder / "run", overwrite=True, verbosity=-1)
    assert files(folder) == before
