"""Frozen groups of weights, and learning rates by group."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError
from lstm_cli.graph.groups import groups_of, rate_factors
from lstm_cli.graph.parameters import Parameter
from lstm_cli.ops.recurrent import RecurrentGradient
from lstm_cli.run.checkpoint import load
from lstm_cli.training.job import Job
from lstm_cli.training.session import build_job
from tests.support.runs import small_config, train, train_in_sessions, write_data

TEXT = {"train": "text.txt", "valid": 0.25, "window": 6}
MODEL = {"layers": [3, 4], "embedding": 5, "dropout": 0.0}
OPTIMIZERS: list[dict[str, Any]] = [
    {"name": "sgd", "momentum": 0.9, "weight_decay": 0.1},
    {"name": "adadelta", "weight_decay": 0.1},
    {"name": "rmsprop", "momentum": 0.5},
    {"name": "adamw", "weight_decay": 0.1},
    {"name": "nadam"},
    {"name": "lamb"},
    {"name": "lars", "weight_decay": 0.1},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("groups"))


def job_of(folder: Path, **changes: Any) -> Job:
    config = small_config(folder, data=TEXT, model=MODEL, **changes)
    return build_job(open_checked_data(config))


def stepped(job: Job, steps: int = 2, learning_rate: float = 0.125) -> dict[str, np.ndarray]:
    """The change of every parameter by some updates."""
    before = job.trainer.model.parameters.values()
    for step, batch in zip(range(steps), job.batches.epoch(0), strict=False):
        job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=step)
        job.trainer.gradient_norm()
        assert job.trainer.update(learning_rate)
    after = job.trainer.model.parameters.values()
    return {name: after[name] - before[name] for name in before}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer["name"])
def test_frozen_weights_stay_bit_for_bit_and_have_no_state(folder, optimizer):
    job = job_of(folder, optimizer=optimizer, train={"freeze": ["embedding", "layers.0", "output.b"]})
    moved = {name: bool(change.any()) for name, change in stepped(job).items()}
    frozen = {"embedding.text", "layers.0.W", "layers.0.b", "layers.0.initial", "output.b"}
    assert {name for name, changed in moved.items() if not changed} == frozen
    store = job.trainer.model.parameters
    for name, shared in job.trainer.optimizer.state.items():
        if shared.ndim:
            for start, size in ((store.starts([p])[0], store.values()[p].size) for p in frozen):
                assert not shared.get_value()[start : start + size].any(), name


def test_the_gradient_of_the_others_is_the_same_and_that_of_frozen_ones_is_not_computed(folder, monkeypatch):
    computed, inner = [], RecurrentGradient.perform
    monkeypatch.setattr(RecurrentGradient, "perform", lambda *given: (computed.append(given), inner(*given)))
    found = {}
    for count, freeze in ((4, ()), (2, ("layers.0", "embedding"))):
        computed.clear()
        job = job_of(folder, train={"freeze": freeze})
        batch = next(job.batches.epoch(0))
        for part in (0, 1):
            job.trainer.backpropagate(batch, None, divisor=2.0, seed=1, step=0, part=part)
        found[count] = job.trainer.gradient.get_value()
        assert len(computed) == count  # of each layer, in each part
    start = job.trainer.model.parameters.starts(["layers.1.W"])[0]
    assert (found[4][start:] == found[2][start:]).all() and found[4][:start].any() and not found[2][:start].any()


def test_a_rate_multiplies_the_learning_rate_and_the_longest_name_counts(folder):
    sgd = {"name": "sgd", "clip_norm": None}
    plain = stepped(job_of(folder, optimizer=sgd), 1)
    rates = {"layers": 0.5, "layers.1.W": 0.25}
    found = stepped(job_of(folder, optimizer={**sgd, "rates": rates}), 1)
    for name, change in found.items():
        factor = 0.25 if name == "layers.1.W" else 0.5 if name.startswith("layers.") else 1.0
        np.testing.assert_allclose(change, factor * plain[name], rtol=2e-3, atol=1e-7)


@pytest.mark.parametrize("name", ["adamw", "nadam", "adadelta"])
def test_the_same_rate_for_all_is_another_learning_rate_bit_for_bit(folder, name):
    rates = dict.fromkeys(("embedding", "layers", "output"), 0.5)
    one = stepped(job_of(folder, optimizer={"name": name, "rates": rates}), 3, 0.25)
    other = stepped(job_of(folder, optimizer={"name": name}), 3, 0.125)
    assert all((one[key] == other[key]).all() for key in one)


def test_groups_are_named_by_whole_parts_of_names():
    names = ["embedding.a", "layers.1.W", "layers.10.W", "output.W"]
    parameters = [Parameter(name, (1,), lambda generator, shape: np.zeros(shape)) for name in names]
    factors = rate_factors(parameters, ["layers.1"], {"layers": 0.5, "layers.10.W": 0.25})
    assert factors == {"embedding.a": 1, "layers.1.W": 0, "layers.10.W": 0.25, "output.W": 1}
    assert groups_of(names)[:4] == ["embedding", "embedding.a", "layers", "layers.1"]


def test_unknown_groups_and_a_model_with_nothing_to_train_are_refused(folder):
    with pytest.raises(ConfigError) as caught:
        job_of(folder, train={"freeze": ["layers.2", "embeding"]}, optimizer={"name": "adam", "rates": {"outputs": 2}})
    first, second, third = str(caught.value).splitlines()
    assert first == "train.freeze.0: no weights are called layers.2 (did you mean layers.1?)" or "layers.2" in first
    assert second == "train.freeze.1: no weights are called embeding (did you mean embedding?)"
    assert third == "optimizer.rates: no weights are called outputs (did you mean output?)"
    with pytest.raises(ConfigError, match="all weights are frozen, and nothing is left to train"):
        job_of(folder, train={"freeze": ["embedding", "layers", "output"]})


def test_a_run_with_frozen_weights_resumes_bit_for_bit(folder, tmp_path):
    config = small_config(
        folder,
        data={**TEXT, "carry_state": True},
        model={**MODEL, "dropout": 0.3},
        optimizer={"name": "adamw", "rates": {"layers.1": 0.1}},
        train={"freeze": ["embedding"], "average": 0.9},
    )
    train(config, tmp_path / "whole")
    assert train_in_sessions(config, tmp_path / "parts", [5, 9]) == 3
    whole, parts = (load(tmp_path / name / "last") for name in ("whole", "parts"))
    for part in ("model", "optimizer"):
        one, other = getattr(whole, part), getattr(parts, part)
        assert one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)
