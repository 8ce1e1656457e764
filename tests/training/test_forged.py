"""Run folders whose content was forged, with hashes that are right: refused as damaged, or as good as one of training.

Every value of every file is replaced by each of `HOSTILE` and left out. By default one in `FEW` of these is tried,
always the same ones; all of them are slow.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config import read_resolved, resolved_config
from lstm_cli.data import Schema, load_schema
from lstm_cli.data.schema import storage
from lstm_cli.engine.build import check_weights
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import CheckpointError
from lstm_cli.run.checkpoint import State, load
from lstm_cli.run.names import BEST, LAST, POSITION, RESOLVED, SCHEMA, STATE
from lstm_cli.training.job import Job
from lstm_cli.training.loop import train as events
from lstm_cli.training.session import build_job, restore
from tests.support.forge import (
    DELETED,
    HOSTILE,
    RICH_CONFIG,
    changed,
    encoded,
    forge_file,
    forge_schema,
    places,
    rich_run,
    text_changes,
    text_run,
)  # fmt: skip
from tests.support.runs import small_config, train, write_data
from tests.support.worlds import world_config, write_world

FEW = 17
#: What may differ from what was written all the same: other scales, names and labels of the same number are a schema.
LEGAL = re.compile(
    r"(schema.json: (inputs\.\d+\.(source|text|static|spelling\.\w+)|answer\.column|loss\.\w+|id|id_given|id_required"
    r"|lines|loop\.(steps|warmup))|vocabulary.json: .*\.(knows_unknown|\d+)|scaling.json: .*\.\d+)$"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("forged")
    world = folder / "world"
    world.mkdir()
    train(world_config(write_world(world)), world / "run")
    return {"rich": rich_run(folder), "text": text_run(folder), "world": world / "run"}


@pytest.fixture
def copy(runs: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: shutil.copytree(runs[name], tmp_path / name)


@pytest.fixture(scope="module")
def jobs(runs: dict[str, Path]) -> dict[str, Job]:
    changes = {"rich": RICH_CONFIG, "text": text_changes()}
    configs = {name: small_config(runs[name].parent, **given) for name, given in changes.items()}
    return {name: build_job(open_checked_data(config)) for name, config in configs.items()}


def forgeries(content: Any, every: int, values: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the dotted place of a changed value and the whole content with it; one in `every` of all."""
    original = encoded(content)
    everything = ((path, value) for path in places(content) for value in values)
    for path, value in islice(everything, None, None, every):
        forged = changed(content, path, value)
        if encoded(forged) != original:
            yield ".".join(map(str, path)), forged


def is_legal(name: str, place: str, schema: Schema) -> bool:
    """Whether a schema may be read that differs in this place: a width, too, of what has no numbers."""
    part, *rest = place.split(".")
    if name == "schema.json" and rest[-1:] == ["width"]:
        return (schema.target if part == "answer" else schema.layout.inputs[int(rest[0])]).kind != "number"
    return LEGAL.match(f"{name}: {place}") is not None


def check_schemas(run: Path, work: Path, every: int) -> dict[str, int]:
    """Load a run with each forged schema; return how many were refused and accepted."""
    resolved = run / RESOLVED
    config, state = resolved_config(read_resolved(resolved), resolved), load(run / BEST)
    counts = {"refused": 0, "accepted": 0}
    original = storage.contents(load_schema(run))
    for name in SCHEMA:
        for place, forged in forgeries(json.loads((run / name).read_bytes()), every, HOSTILE):
            (work / name).write_bytes(encoded(forged))
            try:
                schema = load_schema(work, config)
                check_weights(config, schema, state, work)
            except CheckpointError as error:
                where = re.escape(str(work))
                assert re.match(rf"{where}(/\w+\.(json|yaml))?: (damaged|version)", str(error)), str(error)
                assert re.search("restore|copy them again|use the version", str(error))
                counts["refused"] += 1
            else:
                assert storage.contents(schema) == original or is_legal(name, place, schema), f"{name}: {place}"
                counts["accepted"] += 1
        shutil.copy(run / name, work / name)
    return counts


def check_positions(job: Job, folder: Path, every: int) -> int:
    """Resume from each forged position, for a few events; return how many were refused."""
    state, refused = load(folder), 0
    for place, forged in forgeries(state.position, every, [*HOSTILE, 2, 3, 7, 100, 10**6, 2**53, 2**63, 0.5]):
        try:
            restore(job, replace(state, position=forged), folder)
        except CheckpointError as error:
            carried = f"{folder / STATE}: damaged: carried.state: "  # what does not fit the position
            wrong = f"{folder / POSITION}: damaged, so that this version cannot read the checkpoint's position"
            assert str(error).startswith(carried if place in ("batch", "epoch") and carried in str(error) else wrong)
            assert "start again with --overwrite" in str(error)
            refused += 1
        else:
            assert list(islice(events(job), 2))
    return refused


@pytest.mark.parametrize("name", [pytest.param("rich", marks=pytest.mark.slow), "text", "world"])
def test_a_value_of_a_schema(runs: dict[str, Path], copy: Callable[[str], Path], name: str) -> None:
    counts = check_schemas(runs[name], copy(name), FEW)
    assert counts["refused"] > 8 * counts["accepted"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rich", "text", "world"])
def test_every_value_of_a_schema(runs: dict[str, Path], copy: Callable[[str], Path], name: str) -> None:
    counts = check_schemas(runs[name], copy(name), 1)
    assert counts["refused"] > 8 * counts["accepted"] > 0


@pytest.mark.parametrize("name", ["rich", "text"])
def test_a_value_of_a_position(runs: dict[str, Path], jobs: dict[str, Job], name: str) -> None:
    assert check_positions(jobs[name], runs[name] / LAST, FEW) > 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rich", "text"])
def test_every_value_of_a_position(runs: dict[str, Path], jobs: dict[str, Job], name: str) -> None:
    assert check_positions(jobs[name], runs[name] / LAST, 1) > 200


def arrays_like(array: np.ndarray) -> dict[str, np.ndarray]:
    """Return arrays that cannot take an array's place, by what is wrong with them.

    Those that are not finite are refused where they are read: `tests/run/test_checkpoint.py`.
    """
    return {
        "complex": array.astype(complex),
        "whole": array.astype(np.int64),
        "half": array.astype(np.float16),
        "truths": array.astype(bool),
        "short": array[:1] if array.ndim else array[np.newaxis],
        "long": np.zeros(300_000, array.dtype),
        "wide": np.zeros((300_000, 8), array.dtype),
        "none": np.zeros(0, array.dtype),
    }


def test_arrays(runs: dict[str, Path], jobs: dict[str, Job]) -> None:
    for name, job in jobs.items():
        folder = runs[name] / LAST
        state = load(folder)
        restore(job, state, folder)
        for part in ("model", "optimizer", "carried"):
            given: dict[str, np.ndarray] = getattr(state, part)
            wrong = [{**given, "other": np.zeros(1)}]
            wrong += [{key: array for key, array in given.items() if key != left_out} for left_out in given]
            for key, array in given.items():
                bad = arrays_like(array)
                wrong += [{**given, key: array} for array in bad.values()]
            for arrays in wrong:
                with pytest.raises(CheckpointError, match=rf"{folder}(/state.safetensors)?: damaged.*[:\n]"):
                    restore(job, replace(state, **{part: arrays}), folder)
    assert {"state"} == load(runs["text"] / LAST).carried.keys()


IMPOSSIBLE: dict[str, tuple[str, dict[str, np.ndarray]]] = {
    "squares below 0": ("optimizer.v: a mean of squares below 0", {"v": np.float32(-1)}),
    "steps below 0": ("optimizer.step: expected 0 to", {"step": np.float64(-1)}),
    "half a step": ("optimizer.step: expected 0 to", {"step": np.float64(0.5)}),
    "more steps than were made": ("optimizer.step: expected 0 to", {"step": np.float64(1e6)}),
    "a product above 1": ("optimizer.product: expected 0 to 1", {"product": np.float64(2)}),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_states_that_no_optimizer_has(runs: dict[str, Path], jobs: dict[str, Job], name: str) -> None:
    message, values = IMPOSSIBLE[name]
    state: State = load(runs["rich"] / LAST)
    forged = {key: np.full_like(state.optimizer[key], value) for key, value in values.items()}
    with pytest.raises(CheckpointError, match=message):
        restore(jobs["rich"], replace(state, optimizer={**state.optimizer, **forged}), runs["rich"] / LAST)


POSITIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "beyond the epoch's batches": (r"batch: got 30, but an epoch has \d+ batches", {"batch": 30}),
    "more updates than batches": ("step: expected 0 to", {"step": 10**6}),
    "more epochs than updates": ("epoch: expected 0 to", {"epoch": 10**4}),
    "a best score of later": ("best_step: expected 0 to", {"best_step": 10**4}),
    "a step as text": ("step: expected a whole number, got '5'", {"step": "5"}),
    "a factor without a cause": ("learning_rate_factor: got 0.5 after 0 skipped", {"learning_rate_factor": 0.5}),
    "a score without a step": ("best: got null at step", {"best": None}),
    "a schedule of another kind": ("schedule.factor: expected a number, got 'x'",
                                   {"schedule": {"factor": "x", "best": None, "stale": 0}}),
    "a rate above that of the config": ("schedule.factor: expected a factor from 0 to 1",
                                        {"schedule": {"factor": 7, "best": None, "stale": 0}}),
}  # fmt: skip


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_that_no_run_has(runs: dict[str, Path], jobs: dict[str, Job], name: str) -> None:
    message, values = POSITIONS[name]
    state = load(runs["text"] / LAST)
    with pytest.raises(CheckpointError, match=message):
        restore(jobs["text"], replace(state, position={**state.position, **values}), runs["text"] / LAST)


def test_commands_say_what_is_damaged(copy: Callable[[str], Path]) -> None:
    """With every hash forged too, from the files on."""
    run = copy("rich")
    scaling = json.loads((run / "scaling.json").read_bytes())
    forge_schema(run, "scaling.json", encoded(changed(scaling, ("inputs", "heat", "spread", 0), -1)))
    message = f"{run}/scaling.json: damaged: inputs.heat: expected as many finite centers as spreads above 0: "
    with pytest.raises(CheckpointError, match=re.escape(message)):
        lstm_cli.load(run)


def test_resuming_says_what_is_damaged(runs: dict[str, Path]) -> None:
    run = shutil.copytree(runs["text"], runs["text"].with_name("resumed"))
    for state in (LAST, BEST):
        position = json.loads((run / state / POSITION).read_bytes())
        forge_file(run / state, POSITION, encoded({**position, "epoch": None}))
    with pytest.raises(CheckpointError, match=r"state\.json: damaged.*epoch: expected a whole number, got null"):
        train(small_config(run.parent, **text_changes()), run, resume=True)


def test_a_best_state_without_its_epoch_is_damaged_at_the_end(tmp_path: Path) -> None:
    config = small_config(write_data(tmp_path), data={"test": 0.25}, train={"epochs": 1})
    run = tmp_path / "run"
    train(config, run)
    position = json.loads((run / BEST / POSITION).read_bytes())
    forge_file(run / BEST, POSITION, encoded(changed(position, ("epoch",), DELETED)))
    with pytest.raises(CheckpointError, match=r"best/state\.json: damaged: epoch: expected a whole number"):
        train(config, run, resume=True)


SIZES = {
    "inputs": r"schema\.json: damaged: inputs: expected the 8 inputs of the config, got a list of 100008",
    "width": r"damaged, as .* do not fit best: .*\n.*expected float32\[16, 600145\]",
    "horizon": r"damaged, as .* do not fit best: .*\n.*\n.*expected float32\[300000, 4\]",
    "a longer horizon": r"schema\.json: damaged: answer.horizon: more than 10,000,000 numbers at once",
}


@pytest.mark.parametrize("size", SIZES)
def test_sizes_that_do_not_fit_are_refused_before_anything_is_made(copy: Callable[[str], Path], size: str) -> None:
    """A hundred thousand inputs took 40 s, initial weights of 300,000 many gigabytes."""
    run = copy("rich")
    schema, scaling = (json.loads((run / name).read_bytes()) for name in ("schema.json", "scaling.json"))
    if size == "inputs":
        schema["inputs"] += [{**schema["inputs"][1], "name": f"n{number}"} for number in range(100_000)]
    elif size == "width":
        schema["inputs"][6]["width"], scaling["means"]["pair"] = 300_000, [0] * 300_000
        scaling["inputs"]["pair"] = {"center": [0] * 300_000, "spread": [1] * 300_000}
    else:
        schema["answer"]["horizon"] = 300_000 if size == "horizon" else 10**9
    for name, content in (("schema.json", schema), ("scaling.json", scaling)):
        forge_schema(run, name, encoded(content))
    with pytest.raises(CheckpointError, match=SIZES[size]):
        lstm_cli.load(run)


def test_deleted_is_no_value() -> None:
    assert changed({"a": [1, 2]}, ("a", 0), DELETED) == {"a": [2]}
