"""A small system and a series, as files that a run can be trained on."""

import json
from pathlib import Path

import numpy as np

from lstm_cli.config import config_from_mapping
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.training.session import build_job
from tests.support.config import merged
from tests.support.data import read_jsonl

CART = '''"""A cart on rails, pushed; its place, its speed and how warm it gets."""

from __future__ import annotations

from dataclasses import dataclass

import pytensor.tensor as pt


def cart(state, output):
    place, speed, heat = state[:, 0], state[:, 1], state[:, 2]
    push = pt.tanh(output[:, 0]) + 0.5 * output[:, 1]
    speed = 0.9 * speed + 0.2 * push - 0.1 * pt.sin(place)
    return pt.stack([place + 0.2 * speed, speed, 0.8 * heat + 0.1 * push**2], axis=1)


def bad_shape(state, output):
    return state[:, :2] + output[:, :1]


def flat(state, output):
    return state[:, 0] + output[:, 0]


def bad_dtype(state, output):
    return state > output.sum()


def three(state, output, time):
    return state + time * output[:, :1]


def raises(state, output):
    return state @ missing


def mixed(state, output):
    return state - state.mean(axis=0) + output[:, :1]


def fixed(state, output):
    return state + output[:, :1] + pt.zeros((2, 3))


def idle(state, output):
    return 0.9 * state


def explodes(state, output):
    return state**3 * 1e3 + output[:, :1]


def steps_only(state, output):
    return pt.floor(state) + pt.floor(output[:, :1])


def breaks(state, output):
    from pytensor.raise_op import Assert

    fine = pt.all(state[:, 0] < 0.6)
    return Assert("the cart left the rails")(cart(state, output) + 0.1, fine)


def counts(state, output):
    """The third number counts the steps; the fifth raises."""
    from pytensor.raise_op import Assert

    following = pt.stack([state[:, 0] + output[:, 0], state[:, 1], state[:, 2] + 1], axis=1)
    return Assert("four steps and no more")(following, pt.all(state[:, 2] < 4))


def a_list(state, output):
    return [state[:, 0] + output[:, 0], state[:, 1], state[:, 2]]


def one_row(state, output):
    return pt.stack([state[0] + output[0, 0], state[1], state[2]])


def in_numpy(state, output):
    import numpy as np

    return np.asarray(np.clip(state, -1, 1) + output[:, :1], dtype=float)


def leaves(state, output):
    raise SystemExit(3)


def logs(state, output):
    print("a step")
    return pt.log(state[:, :1] * 0 - 1) + state + output[:, :1]


def linear_algebra(state, output):
    """Products of matrices and a sum: not only what works element by element."""
    turned = state @ pt.as_tensor([[0.9, 0.1, 0.0], [-0.1, 0.9, 0.0], [0.0, 0.0, 0.5]])
    inner = (state * turned).sum(axis=1)
    return pt.tanh(turned + output @ pt.ones((2, 3)) * 0.1 + inner[:, None] * 0.01)


def clipped(state, output):
    """With an Op that numba knows nothing of."""
    from lstm_cli import clip_gradient

    return cart(state, clip_gradient(output, 1e-9))


@dataclass
class Winch:
    """A system as an object, of a class whose module is looked up."""

    strength: "float"

    def __call__(self, state, output):
        return cart(state, self.strength * output)


winch = Winch(2.0)


def broken_winch(state, output):
    return pt.log(state - 99.0) + output[:, :1]


not_a_function = 3
'''


def cart_step(state, output):
    """The same in numpy."""
    place, speed, heat = state.T
    push = np.tanh(output[:, 0]) + 0.5 * output[:, 1]
    speed = 0.9 * speed + 0.2 * push - 0.1 * np.sin(place)
    return np.stack([place + 0.2 * speed, speed, 0.8 * heat + 0.1 * push**2], axis=1)


CLOSED = {
    "threads": 1,
    "data": {"train": "drives.jsonl", "inputs": ["start"], "target": "goal", "valid": 4},
    "model": {"layers": [5, 4], "dropout": 0.0, "output": 2},
    "rollout": {"dynamics": "cart.py:cart", "steps": 6, "loss_on": [0, 1]},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 2, "batch_size": 5, "schedule": "constant"},
}
ALONE = {
    "threads": 1,
    "data": {"train": "waves.csv", "inputs": ["a", "b"], "target": "next", "valid": 0.3},
    "model": {"layers": [6], "dropout": 0.0},
    "rollout": {"warmup": 3, "steps": 5, "teacher_forcing": {"start": 0.8, "steps": 6}},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 2, "batch_size": 3, "schedule": "constant"},
}


def write_world(folder: Path, *, drives: int = 17) -> Path:
    """Put the system, starts with goals, and a series into a folder."""
    draw = np.random.default_rng(5)
    (folder / "cart.py").write_text(CART)
    with (folder / "drives.jsonl").open("w") as file:
        for number in range(drives):
            start = draw.normal(0, 0.4, (int(draw.integers(1, 4)), 3)).round(3).tolist()
            goal = [0.5, 0.0] if number % 3 else draw.normal(0, 0.4, (int(draw.integers(2, 7)), 2)).round(3).tolist()
            start = start[0] if len(start) == 1 else start
            file.write(json.dumps({"id": f"d{number}", "start": start, "goal": goal, "wish": [0.5]}) + "\n")
    time = np.arange(140)
    a, b = np.sin(time / 3) + draw.normal(0, 0.05, 140), np.cos(time / 5)
    rows = [f"{x:.4f},{y:.4f}" for x, y in zip(a, b, strict=True)]
    (folder / "waves.csv").write_text("\n".join(["a,b", *rows]) + "\n")
    return folder


def world_config(folder, base=CLOSED, **changes):
    return config_from_mapping(merged(base, changes), folder)


def randomized_job(given):
    """The job of a config, with random weights large enough to matter."""
    job = build_job(open_checked_data(given))
    flat = job.trainer.model.parameters.flat
    draws = np.random.default_rng(2).normal(0, 0.5, flat.get_value().shape)
    flat.set_value(draws.astype(flat.dtype))
    return job


def raw_sequences(folder, ids):
    return [row for row in read_jsonl(folder / "drives.jsonl") if row["id"] in ids]
