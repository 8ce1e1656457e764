"""What theano-lstm computed on Theano, to nine digits, by training from a config: data files, model, loss, optimizer.

A config has no words for two of the seven cases: the gradient clipped inside the recurrence, and the gated input.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.training.events import StepDone
from lstm_cli.training.loop import train
from lstm_cli.training.session import build_job
from tests.support.data import write_jsonl
from tests.support.parity import CASES, NUMBERS, assert_close, named, of_case
from tests.support.paths import ROOT

SGD, ADAGRAD, ADADELTA = ({"name": "sgd", "learning_rate": 0.1}, {"name": "adagrad", "learning_rate": 0.05}, "adadelta")
STEPS = 15
PENDULUM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.parity import DOUBLE_PENDULUM, pendulum

def double_pendulum(state, output):
    return pendulum(state, output[:, 0], **DOUBLE_PENDULUM)
"""


def step_labels(folder, numbers):
    """A label for every step of numbers."""
    np.savez(folder / "data.npz", x=numbers["x"].swapaxes(0, 1), y=numbers["y"].T, lengths=numbers["lengths"])
    return {"train": "data.npz", "inputs": ["x"], "target": {"column": "y", "kind": "category"}}


def token_labels(folder, numbers):
    """A label for every sequence of tokens."""
    rows = zip(numbers["x"].T, numbers["y"], numbers["lengths"], strict=True)
    write_jsonl(folder / "data.jsonl", [{"x": [f"{t}" for t in x[:n]], "y": f"{y}"} for x, y, n in rows])
    return {"train": "data.jsonl", "inputs": ["x"], "target": "y"}


def starts_and_goals(folder, numbers):
    """A start and a goal for every loop."""
    (folder / "pendulum.py").write_text(PENDULUM)
    rows = zip(numbers["x0"].tolist(), numbers["target"][:, [0, 2]].tolist(), strict=True)
    write_jsonl(folder / "data.jsonl", [{"start": start, "goal": goal} for start, goal in rows])
    return {"train": "data.jsonl", "inputs": ["start"], "target": "goal"}


@dataclass
class Configured:
    """A case as a config describes it."""

    data: Callable
    model: dict
    optimizer: dict | str
    sections: dict | None = None


# The loop's cost is a sum over both elements that are compared, and a mean over steps and sequences; a config's is the
# mean over elements, so the weight of each step is 2 / STEPS, and the mean is over sequences.
LOOP = {
    "rollout": {
        "dynamics": "pendulum.py:double_pendulum",
        "steps": STEPS,
        "loss_on": [0, 2],
        "loss_at": [2 / STEPS] * STEPS,
    },
    "loss": {"normalize": "sequence"},
}
CONFIGURED = {
    "lstm_adadelta": Configured(step_labels, {"layers": [7, 6]}, ADADELTA),
    "lstm_identity_gate_sgd": Configured(step_labels, {"layers": [{"size": 7, "activation": "linear"}, 6]}, SGD),
    "rnn_adagrad": Configured(step_labels, {"cell": "rnn", "layers": [7, 6]}, ADAGRAD),
    "embedding_adagrad": Configured(token_labels, {"embedding": 4, "layers": [6]}, ADAGRAD),
    "closed_loop_adadelta": Configured(
        starts_and_goals, {"layers": [{"size": 20, "activation": "linear"}, 20], "output": 1}, ADADELTA, LOOP
    ),
}


def configured_job(described, folder, numbers):
    optimizer = {"name": described.optimizer} if isinstance(described.optimizer, str) else described.optimizer
    config = config_from_mapping(
        {
            "precision": "float64",
            "threads": 1,
            "data": {"valid": None, "scale": "none", **described.data(folder, numbers)},
            "model": {"dropout": 0.0, **described.model},
            "optimizer": {**optimizer, "clip_norm": None, "clip_norm_each": 5.0},
            "train": {"epochs": 5, "batch_size": 8, "schedule": "constant"},
            **(described.sections or {}),
        },
        folder,
    )
    data = open_data(config)
    return build_job(data), data.schema


def places(job, schema, shapes):
    """Return for each parameter of theano-lstm: our parameter's name, the index in it, the index in theano-lstm's."""
    parameters = {parameter.name: parameter for parameter in job.trainer.model.parameters.parameters}
    shift, layers = int("embedding.x" in parameters), job.trainer.model.layers
    found, every = {}, slice(None)
    for their in shapes:
        number, *gate, leaf = their.split(".")
        k = int(number) - shift
        ours = f"layers.{k}.{leaf}" if k < len(layers) else f"output.{leaf}"
        if leaf == "E":
            tokens = schema.tokens["x"].tokens  # ours has an unknown one too, and lacks those that the data lacks
            known = [k for k in range(shapes[their][0]) if str(k) in tokens]
            found[their] = "embedding.x", [tokens.index(str(k)) for k in known], known
        elif leaf == "initial" and layers[k].directions[0].cell.name == "lstm":
            found[their] = ours, np.roll(np.arange(shapes[their][0]), shapes[their][0] // 2), every  # [c, h] is [h, c]
        elif gate:
            size = shapes[their][0]
            block = parameters[ours].blocks.index(gate[0])
            found[their] = ours, slice(block * size, (block + 1) * size), every
        else:
            found[their] = ours, every, every
    return found


def split(vector, shapes):
    """Return the arrays that lie one after the other in a vector, by name."""
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, np.split(vector, ends[:-1]), strict=True)}


def in_their_layout(values, found, before):
    """Return our arrays in the layout of theano-lstm: `before`, overwritten where we have the parameter."""
    after = {name: array.copy() for name, array in before.items()}
    for their, (ours, index, rows) in found.items():
        after[their][rows] = values[ours][index]
    return after


def first_output(job, name):
    """Return the output of the first forward pass as theano-lstm's: probabilities, or the states that are compared."""
    (batch,) = job.batches.epoch(0)
    _, values, _ = job.evaluator(batch, None)
    columns = np.argsort(batch.sequences)  # of the batch, where each sequence is
    if not name.startswith("closed_loop"):
        values = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    if job.trainer.model.sizes.per == "sequence":
        return values[columns]
    output = np.zeros((*batch.mask.shape, values.shape[1])).reshape(-1, values.shape[1])
    output[batch.counted] = values
    return output.reshape(*batch.mask.shape, -1)[:, columns]


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_config_trains_to_the_same_numbers(tmp_path, name):
    with np.load(NUMBERS) as file:
        numbers = of_case(file, name)
    job, schema = configured_job(CONFIGURED[name], tmp_path, numbers)
    store = job.trainer.model.parameters
    shapes = {their: shared.get_value().shape for their, shared in named(CASES[name].build()).items()}
    start, found, values = split(numbers["p0"], shapes), places(job, schema, shapes), store.values()
    for their, (ours, index, rows) in found.items():
        values[ours][index] = start[their][rows]
    store.set_values(values)

    expected = numbers["output"] if "closed" not in name else numbers["output"][:, :, [0, 2]]
    np.testing.assert_allclose(first_output(job, name), expected, rtol=1e-9)
    costs, gradient = [], None
    for event in train(job):
        if isinstance(event, StepDone):
            costs.append(event.loss)
            gradient = job.trainer.gradient.get_value() if gradient is None else gradient
    np.testing.assert_allclose(costs, numbers["cost"], rtol=1e-9)
    ours = {parameter.name: parameter.shape for parameter in store.parameters}
    nothing = {their: np.zeros(shape) for their, shape in shapes.items()}
    assert_close(in_their_layout(split(gradient, ours), found, nothing), numbers["g0"])
    assert_close(in_their_layout(store.values(), found, start), numbers["p1"])
