"""A loss, gradient, weight or optimizer state that is not finite: found before it does harm, and never on the disk."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_cli.config import Config
from lstm_cli.engine.trainer import Trainer
from lstm_cli.errors import Diverged, Interrupted
from lstm_cli.run.checkpoint import PARTS, State, load
from lstm_cli.run.names import BEST, LAST
from lstm_cli.training.events import CheckpointWritten, Event, Note, StepDone
from tests.support.runs import Watcher, assert_same, small_config, train, train_in_sessions, watched, write_data

PLAIN = {"name": "sgd", "learning_rate": 0.125, "clip_norm": None}
STEPS = {"epochs": 3, "batch_size": 4, "checkpoint_every": "1 steps", "schedule": "constant", "monitor": "train.loss"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_numbers(write_data(tmp_path))
    return tmp_path


def write_numbers(folder: Path) -> None:
    """Write eight sequences with a number each; that of `wild` has a square too large for a float32."""
    draw = np.random.default_rng(4)
    with (folder / "numbers.jsonl").open("w") as file:
        for name in (*"abcd", "wild", *"fgh"):
            x = draw.normal(size=(4, 2)).round(3).tolist()
            file.write(json.dumps({"id": name, "x": x, "y": 1e25 if name == "wild" else x[-1][0]}) + "\n")


def wild(folder: Path, **train: Any) -> Config:
    """A run that meets `wild` once an epoch."""
    data = {"train": "numbers.jsonl", "inputs": ["x"], "target": "y", "valid": None, "scale": "none"}
    return small_config(folder, data=data, model={"dropout": 0.3}, optimizer=PLAIN, train={**STEPS, **train})


def tame(folder: Path, **changes: Any) -> Config:
    """A run on data that is in order; four updates an epoch."""
    return small_config(folder, **{"optimizer": PLAIN, "train": {**STEPS, "monitor": "valid.loss"}} | changes)


def assert_finite(run: Path) -> None:
    for name in (LAST, BEST):
        if (run / name).is_dir():
            state = load(run / name)
            assert all(np.isfinite(array).all() for part in PARTS for array in getattr(state, part).values())


def diverges(config: Config, run: Path, **options: Any) -> str:
    with pytest.raises(Diverged) as caught:
        train(config, run, **options)
    assert caught.value.exit_code == 70
    assert "\n" not in str(caught.value)
    assert_finite(run)
    return str(caught.value)


def test_a_loss_that_is_not_finite_ends_the_run_at_the_state_before(folder: Path) -> None:
    run = folder / "run"
    message = diverges(wild(folder), run)
    step = load(run / LAST).position["step"]
    assert f"step {step + 1}, epoch {step // 2 + 1}: loss inf on sequences " in message
    assert "wild" in message.partition(":")[2].partition(" this update is discarded")[0]
    assert message.endswith(f"Last good state: {run / LAST}, step {step}")


def test_the_sequences_are_those_of_the_batch_and_no_state_is_named_before_there_is_one(folder: Path) -> None:
    message = diverges(wild(folder, batch_size=8), folder / "run")
    names = message.partition("on sequences ")[2].partition(": this update is discarded")[0]
    shown, _, more = names.partition(" and ")
    assert len(set(shown.split(", ")) & {*"abcdfgh", "wild"}) == 5 and more == "3 more"
    assert message.startswith("step 1, epoch 1: loss inf ")
    assert message.endswith("Last good state: none was written yet")


def test_a_long_batch_is_named_in_part(folder: Path) -> None:
    lines = [json.dumps({"id": f"s{k}", "x": [[0.0, 1.0]], "y": 1e30}) for k in range(40)]
    (folder / "numbers.jsonl").write_text("\n".join(lines))
    message = diverges(wild(folder, batch_size=40), folder / "run")
    names, _, more = message.partition("on sequences ")[2].partition(": this update")[0].partition(" and ")
    assert len(set(names.split(", "))) == 5
    assert more == "35 more"


def at_step(
    step: int, corrupt: Callable[[Trainer], object], loss: float | None = None
) -> Callable[..., tuple[float, np.ndarray]]:
    """`Trainer.backpropagate`, corrupted after `step` updates, with another loss if one is given."""
    original = Trainer.backpropagate

    def backpropagate(self: Trainer, *args: Any, **options: Any) -> tuple[float, np.ndarray]:
        found, state = original(self, *args, **options)
        if options["step"] == step:
            corrupt(self)
            found = found if loss is None else loss
        return found, state

    return backpropagate


def set_gradient(value: float, where: int) -> Callable[[Trainer], None]:
    def corrupt(trainer: Trainer) -> None:
        trainer.gradient.get_value(borrow=True)[where] = value

    return corrupt


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, -1])
def test_a_gradient_that_is_not_finite_is_not_applied(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: float, where: int
) -> None:
    monkeypatch.setattr(Trainer, "backpropagate", at_step(5, set_gradient(value, where)))
    run = folder / "run"
    message = diverges(tame(folder), run)
    assert message.startswith(f"step 6, epoch 2: gradient norm {'nan' if np.isnan(value) else 'inf'} on sequences s")
    assert message.endswith(f"Last good state: {run / LAST}, step 5")
    monkeypatch.undo()
    train(tame(folder), run, resume=True)
    train(tame(folder), folder / "whole")
    assert_same(run, folder / "whole")


LARGEST = float(np.finfo(np.float32).max)


@pytest.mark.parametrize("where", [0, -1])
@pytest.mark.parametrize("name", ["sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "nadam", "lamb"])
def test_a_step_that_overflows_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: int
) -> None:
    """The gradient is finite. Twice it is not, nor is its square, which can leave the weights finite.

    Not with lars, whose step does not grow with the gradient.
    """
    gradient = LARGEST if name == "sgd" else 1e25
    monkeypatch.setattr(Trainer, "backpropagate", at_step(2, set_gradient(gradient, where)))
    optimizer = {"name": name, "clip_norm": None} | ({"learning_rate": 2.0} if name == "sgd" else {})
    run, settings = folder / "run", tame(folder, optimizer=optimizer)
    message = diverges(settings, run)
    assert message.startswith("step 3, epoch 1: weights or optimizer state that are not finite on sequences s")
    assert message.endswith(f"Last good state: {run / LAST}, step 2")
    monkeypatch.undo()
    train(settings, run, resume=True)
    train(settings, folder / "whole")
    assert_same(run, folder / "whole")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_after_a_small_gradient_are_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    def corrupt(trainer: Trainer) -> None:
        trainer.model.parameters.flat.get_value(borrow=True)[3] = value

    monkeypatch.setattr(Trainer, "backpropagate", at_step(2, corrupt))
    run = folder / "run"
    message = diverges(tame(folder), run)
    assert message.startswith("step 3, epoch 1: weights or optimizer state that are not finite on sequences s")
    assert message.endswith(f"Last good state: {run / LAST}, step 2")


def arrays(state: State) -> dict[str, bytes]:
    return {f"{part} {key}": array.tobytes() for part in PARTS for key, array in getattr(state, part).items()}


class StopsAtNote(Watcher):
    """Reads back every state, and asks the run to stop when an update is skipped."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[int, dict[str, bytes]] = {}

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, CheckpointWritten):
            self.states[event.step] = arrays(load(event.path))
        if isinstance(event, Note) and event.warning:
            signal.raise_signal(signal.SIGINT)


CORRUPTED = {
    "loss": (lambda trainer: None, np.nan),
    "gradient": (set_gradient(np.nan, 1), None),
    "step": (set_gradient(1e25, 1), None),
}


@pytest.mark.parametrize("corrupted", CORRUPTED)
@pytest.mark.parametrize("policy", ["skip", "halve_learning_rate"])
def test_an_update_that_is_left_out_leaves_no_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch, policy: str, corrupted: str
) -> None:
    corrupt, loss = CORRUPTED[corrupted]
    monkeypatch.setattr(Trainer, "backpropagate", at_step(5, corrupt, loss))
    settings = tame(
        folder,
        optimizer={"name": "adam", "learning_rate": 0.125, "clip_norm": None},
        train={**STEPS, "monitor": "valid.loss", "on_nonfinite": policy},
    )
    watcher, run = StopsAtNote(), folder / "run"
    with pytest.raises(Interrupted):
        watched(settings, run, watcher)
    assert load(run / LAST).position["step"] == 6
    assert watcher.states[4] != watcher.states[5] == watcher.states[6]
    (note,) = watcher.of(Note)
    assert note.text.startswith("step 6, epoch 2: ")
    assert note.text.endswith("update skipped" + (", learning rate halved" if policy != "skip" else ""))
    rates = {event.step: event.learning_rate for event in train(settings, run, resume=True).of(StepDone)}
    assert min(rates) == 7
    assert set(rates.values()) == {0.125 if policy == "skip" else 0.0625}
    train(settings, folder / "whole")
    assert_same(run, folder / "whole")


def test_a_bad_sequence_is_left_out_each_time(folder: Path) -> None:
    run = folder / "run"
    watcher = train(wild(folder, on_nonfinite="skip"), run)
    assert [note.text.count("wild") for note in watcher.of(Note)] == [1, 1, 1]
    assert len(watcher.of(StepDone)) == 3
    assert load(run / LAST).position["skipped"] == 3
    assert_finite(run)


@pytest.mark.parametrize("policy", ["skip", "halve_learning_rate"])
def test_the_cap_ends_the_run(folder: Path, policy: str) -> None:
    run = folder / "run"
    message = diverges(wild(folder, on_nonfinite=policy, max_nonfinite=2, epochs=9), run)
    step = load(run / LAST).position["step"]
    assert ", epoch 3: loss inf on sequences " in message
    assert step in (4, 5)
    assert "this update is discarded, like 2 before it (train.max_nonfinite)" in message


@settings(max_examples=6, deadline=None)
@given(stops=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_a_run_that_leaves_updates_out_resumes_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, stops: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("wild")
    write_numbers(folder)
    settings = wild(folder, on_nonfinite="halve_learning_rate", checkpoint_every="10min")
    assert train_in_sessions(settings, folder / "run", stops) > 1
    train(settings, folder / "whole")
    assert load(folder / "whole" / LAST).position["learning_rate_factor"] == 0.125
    assert_same(folder / "run", folder / "whole")


def test_a_lower_learning_rate_continues_from_the_last_good_state(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trainer, "backpropagate", at_step(7, set_gradient(LARGEST, 0)))
    run, high = folder / "run", {**PLAIN, "learning_rate": 2.0}
    diverges(tame(folder, optimizer=high), run)
    watcher = train(tame(folder), run, resume=True)
    assert [event.step for event in watcher.of(StepDone)] == [8, 9, 10, 11, 12]
    assert watcher.of(StepDone)[0].learning_rate == 0.125
