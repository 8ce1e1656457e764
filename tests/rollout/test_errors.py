"""A problem of a system, of starts or of goals is one message that names it, before the long work."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from lstm_cli.cli.group import train
from lstm_cli.data import open_data
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError, DataError, Diverged
from lstm_cli.training.loop import train as train_loop
from lstm_cli.training.session import build_job
from tests.support.config import merged
from tests.support.data import read_jsonl
from tests.support.paths import ROOT
from tests.support.worlds import ALONE, CLOSED, world_config, write_world

SYSTEMS = {
    "cart.py:bad_shape": r"cart\.py:bad_shape: returned the shape \(B, 2\), expected \(B, 3\) as the state has",
    "cart.py:flat": r"cart\.py:flat: returned the shape \(B\), expected \(B, 3\)",
    "cart.py:bad_dtype": r"cart\.py:bad_dtype: returned numbers of dtype bool, expected float32",
    "cart.py:three": r"three takes \(state, output, time\), expected two arguments, \(state, output\)",
    "cart.py:raises": r"cart\.py:raises: raised NameError: name 'missing' is not defined \(line 34\)",
    "cart.py:mixed": r"cart\.py:mixed: is not batched: 2 rows together give different next states than one by one",
    "cart.py:fixed": r"cart\.py:fixed: raised \w+Error: .*, on 1 row: state is \(B, D\), so state\[:, k\] is its",
    "cart.py:a_list": r"cart\.py:a_list: returned the shape \(3, 2\) for 2 rows, expected \(2, 3\): state is ",
    "cart.py:one_row": r"cart\.py:one_row: raised IndexError: .*, on 2 rows: state is \(B, D\), so state\[:, k\]",
    "cart.py:in_numpy": r"in_numpy: raised TypeError: .* \(line \d+\): state and output are PyTensor variables, for",
    "cart.py:leaves": r"cart\.py:leaves: raised SystemExit: 3 \(line \d+\)$",
    "cart.py:idle": r"cart\.py:idle: returned a state that does not depend on the output",
    "cart.py:broken_winch": r"broken_winch: returned a next state that is not finite from the start \[",
    "cart.py:carts": r"cart\.py has no function carts, only cart, bad_shape",
    "cart.py:not_a_function": r"cart\.py has no function not_a_function",
    "carts.py:cart": r"carts\.py cannot be read \(No such file or directory\)",
    "leaving.py:f": r"running .*leaving\.py raised SystemExit: 0 \(line 2\)$",
    "importing.py:f": r"running .*importing\.py raised ModuleNotFoundError: No module named 'nowhere' \(line 1\)$",
    "empty.py:f": r"empty\.py has no function f: define it$",
    "broken.py:f": r"running .*broken\.py raised SyntaxError: .* \(line 2\)",
    "raising.py:f": r"running .*raising\.py raised ZeroDivisionError: division by zero \(line 1\)",
}


@pytest.fixture(scope="module")
def world(world):
    (world / "broken.py").write_text("x = 1\ndef f(:\n")
    (world / "raising.py").write_text("1 / 0\n")
    (world / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    (world / "importing.py").write_text("import nowhere\n")
    (world / "empty.py").write_text("")
    return world


def run_train(folder, *overrides, **changes):
    """Run the command on a config in a file; return exit code and message."""
    path = folder / "c.yaml"
    path.write_text(json.dumps(merged(CLOSED, changes)))
    result = CliRunner().invoke(train, [str(path), "-o", str(folder / "run"), "--overwrite", "-q", *overrides])
    return result.exit_code, result.stderr.strip()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_that_cannot_be_used(world, name):
    given = world_config(world, rollout={"dynamics": name})
    with pytest.raises(ConfigError, match=SYSTEMS[name]) as caught:
        build_job(open_data(given))
    assert str(caught.value).startswith("rollout.dynamics: ") and "\n" not in str(caught.value)


def test_the_command_names_the_place_and_has_an_exit_code(world):
    code, message = run_train(world, "rollout.dynamics=cart.py:flat")
    assert code == 2
    assert message.startswith("command line: rollout.dynamics=cart.py:flat: cart.py:flat: returned the shape (B)")
    code, message = run_train(world, rollout={"dynamics": "cart.py:mixed"})
    assert code == 2 and "c.yaml:1:" in message and "rollout.dynamics: cart.py:mixed: is not batched" in message
    assert not (world / "run" / "last").exists()


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_system_that_goes_to_infinity(world, accumulate):
    train = {"accumulate": accumulate}
    code, message = run_train(world, rollout={"dynamics": "cart.py:explodes", "steps": 30}, train=train)
    assert code == 70 and "\n" not in message
    assert re.search("loss (nan|inf) as cart.py:explodes produced a state that is not finite at step ", message)
    assert ", in sequence d" in message and "on sequences d" in message


def test_a_check_finds_a_system_that_goes_to_infinity(world):
    code, message = run_train(world, "--check", rollout={"dynamics": "cart.py:explodes", "steps": 30})
    assert code == 70 and "\n" not in message
    assert message.startswith("the largest batch, before any update: loss ")
    assert "cart.py:explodes produced a state that is not finite at step " in message and "on sequences d" in message


@pytest.mark.slow
def test_what_a_system_prints_is_no_result(world, tmp_path):
    with pytest.raises(ConfigError, match=r"logs: returned a next state that is not finite from the start \["):
        build_job(open_data(world_config(world, rollout={"dynamics": "cart.py:logs"})))
    code = "from tests.support.worlds import world_config; from lstm_cli.data import open_data\n"
    code += "from lstm_cli.training.session import build_job; import sys\n"
    code += "build_job(open_data(world_config(sys.argv[1], rollout={'dynamics': 'cart.py:cart'})))"
    (tmp_path / "cart.py").write_text((world / "cart.py").read_text() + "print('loading')\n")
    (tmp_path / "drives.jsonl").write_text((world / "drives.jsonl").read_text())
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "loading\n")


def test_the_step_at_which_a_system_raises(world, tmp_path):
    rows = [{"id": f"d{k}", "start": [0.1, 0.2, 0.0], "goal": [0.0, 0.0]} for k in range(9)]
    (tmp_path / "drives.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "cart.py").write_text((world / "cart.py").read_text())
    code, message = run_train(tmp_path, rollout={"dynamics": "cart.py:counts", "steps": 9})
    assert code == 2
    assert message.startswith(
        "cart.py:counts: raised AssertionError: four steps and no more, at step 5 of a closed loop with "
    )


def test_a_system_that_raises_on_its_way(world):
    code, message = run_train(world, rollout={"dynamics": "cart.py:breaks", "steps": 30})
    assert code == 2 and "\n" not in message
    assert "cart.py:breaks: raised AssertionError: the cart left the rails" in message and "at step " in message


def test_a_system_without_slopes_learns_nothing_and_is_no_error(world):
    """PyTensor gives steps the slope 0: that is the user's to know."""
    given = world_config(world, rollout={"dynamics": "cart.py:steps_only"})
    job = build_job(open_data(given))
    batch = job.batches.largest()
    job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
    assert job.trainer.gradient_norm() == 0


ROWS = {
    "no goal": ({"id": "x", "start": [0, 0, 0]}, r":18: goal: the column is missing \(there are id, start\): add it"),
    "short start": ({"id": "x", "start": [0, 0], "goal": [0, 0]}, r":18: start: expected 3 numbers, got 2"),
    "ragged start": ({"id": "x", "start": [[0, 0, 0], [1]], "goal": [0, 0]}, r":18: start: step 2: expected a list"),
    "words": ({"id": "x", "start": ["a", 0, 0], "goal": [0, 0]}, r":18: start: expected a number, got the string 'a'"),
    "long goal": ({"id": "x", "start": [0, 0, 0], "goal": [[0, 0]] * 7}, r":18: goal: 7 steps, but rollout.steps is 6"),
    "empty": ({"id": "x", "start": [], "goal": [0, 0]}, r":18: start: an empty sequence"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_cannot_be_used(tmp_path, name):
    row, message = ROWS[name]
    write_world(tmp_path)
    with (tmp_path / "drives.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=message):
        open_data(world_config(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rollout": {"loss_on": [0, 3]}}, r"no element 3 in a state of 3 numbers \(start\): count from 0 to 2"),
        ({"rollout": {"loss_on": [0]}}, r"1 element of the state to compare, but goal has 2 numbers"),
        ({"rollout": {"warmup": 3}}, r"observed states, but rollout\.warmup is 3"),
        ({"rollout": {"teacher_forcing": 0.5}}, r"only without rollout\.dynamics"),
        ({"data": {"inputs": ["begin"]}}, r"the data has no column begin"),
        ({"data": {"transform": {"start": "log"}}}, r"a system computes in its own units"),
        ({"data": {"target": "next"}}, r"give the column of the goal"),
        ({"model": {"residual": True}}, r"model\.residual: needs target: next"),
        ({"model": {"pool": "mean"}}, r"nothing is pooled"),
        ({"loss": {"start": "id"}}, r"rollout\.loss_at decides which steps count"),
        ({"rollout": {"loss_at": [1.0]}}, r"1 weight for 6 steps: give one for each"),
    ],
)
def test_what_a_closed_loop_cannot_be_combined_with(world, changes, message):
    with pytest.raises((ConfigError, DataError), match=message):
        given = world_config(world, **changes)
        open_checked_data(given)


def test_words_cannot_feed_a_loop(world):
    (world / "words.jsonl").write_text('{"x": ["a", "b", "a"]}\n' * 9)
    changes = {"data": {"train": "words.jsonl", "inputs": ["x"], "target": "next"}, "model": {"output": None}}
    given = world_config(world, rollout={"dynamics": None, "steps": 2, "loss_on": None}, **changes)
    with pytest.raises(ConfigError, match="a closed loop needs numeric columns, but the target is of kind category"):
        open_checked_data(given)


def test_an_infinity_in_an_earlier_part_of_an_update_is_named(world):
    given = world_config(world, rollout={"dynamics": "cart.py:explodes", "steps": 30}, train={"accumulate": 3})
    job = build_job(open_data(given))
    first = next(iter(job.batches.epoch(0)))
    names = [job.batches.dataset.ids[index] for index in first.sequences]
    with pytest.raises(Diverged, match=f"not finite at step .*, in sequence ({'|'.join(names)});"):
        list(train_loop(job))


def test_a_warm_up_longer_than_every_sequence(tmp_path):
    given = world_config(write_world(tmp_path), ALONE, rollout={"warmup": 1000})
    with pytest.raises(DataError, match=r"waves\.csv:2: no sequence of train has the 1,000 observed steps of rollout"):
        open_data(given)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_starts_and_goals_are_the_same_in_every_format(world, form):
    columnar = pytest.importorskip("tests.support.columnar")
    rows = read_jsonl(world / "drives.jsonl")
    nested = {name: [row[name] if isinstance(row[name][0], list) else [row[name]] for row in rows] for name in
              ("start", "goal")}  # fmt: skip
    columns = {"id": [row["id"] for row in rows], **nested}
    (world / f"drives.{form}").write_bytes(columnar.WRITERS[form](columns))
    lines, others = (open_data(world_config(world, data={"train": f"drives.{suffix}"})) for suffix in ("jsonl", form))
    assert others.train.ids == lines.train.ids
    for name in ("numbers", "target", "offsets", "observed"):
        np.testing.assert_array_equal(getattr(others.train, name), getattr(lines.train, name))
