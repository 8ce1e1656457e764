"""Several ranks train what one process trains on the same batches: the same updates, up to rounding."""

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.ranks import World
from lstm_cli.training.events import Evaluated
from lstm_cli.training.loop import train
from lstm_cli.training.ranked import compile_first, data_digests, start_alike
from lstm_cli.training.session import build_job
from tests.support.config import merged
from tests.support.kinds import KINDS, MODEL, TRAIN
from tests.support.ranks import on_ranks
from tests.support.runs import SERIES, TEXT, small, write_data

QUICK = ("classifier", "tagger")


def trained(folder, config, world):
    """Weights, optimizer's state and the scores of every evaluation, of one rank."""
    job = build_job(open_checked_data(config_from_mapping(config, folder)))
    job.world = world
    start_alike(job, data_digests(job))
    compile_first(job)
    evaluations = [event for event in train(job) if isinstance(event, Evaluated)]
    scores = [{"loss": each.loss, "train": each.train_loss, **each.metrics} for each in evaluations]
    return [array.copy() for array in job.trainer.arrays()], scores


def check(folder, config, ranks):
    alone, scores = trained(folder, config, World())
    assert scores
    found = on_ranks(ranks, lambda world: trained(folder, config, world))
    for arrays, own in found:
        assert all(np.array_equal(array, first) for array, first in zip(arrays, found[0][0], strict=True))
        assert own == found[0][1]
    for array, expected in zip(found[0][0], alone, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-7, atol=1e-9)
    for own, expected in zip(found[0][1], scores, strict=True):
        assert own == pytest.approx(expected, rel=1e-7, abs=1e-9, nan_ok=True)


def exact(config):
    """In double precision, without dropout, whose masks each rank draws for itself."""
    return merged({**config, "precision": "float64", "threads": 1}, {"model": {"dropout": 0.0}})


def made(kind, folder):
    return merged({"model": MODEL, "train": TRAIN}, KINDS[kind](folder, np.random.default_rng(5)))


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in KINDS]
)
def test_ranks_train_what_one_process_trains(kind, tmp_path):
    check(tmp_path, exact(made(kind, tmp_path)), ranks=3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"train": {"accumulate": 2}},
        {"train": {"average": 0.9}},
        {"train": {"batch_size": 1}},
        {"loss": {"normalize": "sequence"}},
        {"optimizer": {"clip_norm": 0.01, "name": "adadelta", "learning_rate": 1.0}},
        {"model": {"layer_norm": True, "pool": "mean"}},
    ],
    ids=str,
)
def test_options_of_training(changes, tmp_path):
    config = small(**merged({"train": {"epochs": 3, "batch_size": 5}}, changes))
    check(write_data(tmp_path), exact(config), ranks=3)


@pytest.mark.parametrize("data", [TEXT, SERIES], ids=["text", "series"])
def test_states_are_carried_over_ranks(data, tmp_path):
    check(write_data(tmp_path), exact(small(data=data)), ranks=2)


def test_more_ranks_than_sequences(tmp_path):
    check(write_data(tmp_path, sequences=5), exact(small(train={"epochs": 2})), ranks=4)
