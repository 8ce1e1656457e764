"""How work is dealt to ranks, and what they notice of each other."""

import json

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data.batching.shares import owners
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.engine.merging import from_json, to_json
from lstm_cli.engine.metrics import Numbers
from lstm_cli.errors import DataError
from lstm_cli.ranks.launcher import rank_and_size
from lstm_cli.training.ranked import EVERY, LostStep, Watch, start_alike
from lstm_cli.training.session import build_job
from tests.support.ranks import on_ranks
from tests.support.runs import small, write_data


def test_each_piece_goes_to_the_rank_with_the_least_so_far():
    assert owners(np.array([7, 5, 4, 3, 1]), 2).tolist() == [0, 1, 1, 0, 1]
    assert owners(np.array([1, 9, 1]), 3).tolist() == [1, 0, 2]
    assert owners(np.array([2, 2]), 4).tolist() == [0, 1]


def test_shares_have_about_as_many_steps():
    lengths = np.random.default_rng(1).integers(1, 200, size=256)
    loads = np.bincount(owners(lengths, 8), weights=lengths)
    assert loads.max() < 1.01 * loads.mean()


def test_the_shares_of_a_batch_are_the_batch(tmp_path):
    job = build_job(open_checked_data(config_from_mapping(small(), write_data(tmp_path))))
    wholes = list(job.batches.epoch(0))
    shares = [list(job.batches.shares(0, 0, rank, 2)) for rank in range(2)]
    for whole, parts in zip(wholes, zip(*shares, strict=True), strict=True):
        assert sum(part.loss_divisor for part in parts) == whole.loss_divisor
        for part in parts:
            assert part.share.sequences.tolist() == whole.sequences.tolist()
            if part.share.idle:
                assert not len(part.counted)
                continue
            columns, steps = part.share.columns, len(part.mask)
            assert part.sequences.tolist() == whole.sequences[columns].tolist()
            np.testing.assert_array_equal(part.numbers, whole.numbers[:steps, columns])


@pytest.mark.parametrize("names", ["PMI", "OMPI_COMM_WORLD", "MV2_COMM_WORLD"])
def test_what_launchers_say(monkeypatch, names):
    for name in ("PMI", "OMPI_COMM_WORLD", "MV2_COMM_WORLD"):
        monkeypatch.delenv(f"{name}_RANK", raising=False)
    assert rank_and_size() == (0, 1)
    monkeypatch.setenv(f"{names}_RANK", "2")
    monkeypatch.setenv(f"{names}_SIZE", "5")
    assert rank_and_size() == (2, 5)


def test_metrics_put_together_are_those_of_all():
    draw = np.random.default_rng(2)
    truth, values = draw.normal(size=(30, 2)), draw.normal(size=(30, 2))
    whole, parts = Numbers(["a", "b"]), [Numbers(["a", "b"]) for _ in range(3)]
    whole.update(values, truth)
    together = Numbers(["a", "b"])
    for part, places in zip(parts, np.split(np.arange(30), [4, 4]), strict=True):
        part.update(values[places], truth[places])
        together.merge(from_json(to_json(part), together))
    assert together.result() == pytest.approx(whole.result(), rel=1e-12)


def watched(folder, change):
    """The notes of two ranks that look at each other after an update, of which `change` has changed something."""

    def work(world):
        job = build_job(open_checked_data(config_from_mapping(small(), folder)))
        job.world, job.progress.step = world, EVERY
        change(job, world.rank)
        return [note.text for note in Watch(job).look()]

    return on_ranks(2, work)


def test_a_slow_rank_is_named(tmp_path):
    def slow(job, rank):
        job.computing = 3.0 if rank else 1.0

    expected = "rank 1 on here is slow: 3 s for its share of 100 updates, the others 1 s: all wait for it"
    assert watched(write_data(tmp_path), slow) == [[expected]] * 2


def test_ranks_that_are_as_fast_are_not(tmp_path):
    def little(job, rank):
        job.computing = 1.2 if rank else 1.0

    assert watched(write_data(tmp_path), little) == [[], []]


def test_other_weights_end_the_run(tmp_path):
    def flipped(job, rank):
        if rank:
            job.trainer.arrays()[0][3] += 1e-6

    with pytest.raises(LostStep, match="step 100: rank 1 on here holds other weights than rank 0"):
        watched(write_data(tmp_path), flipped)


def test_other_data_ends_the_run(tmp_path):
    def work(world):
        job = build_job(open_checked_data(config_from_mapping(small(), write_data(tmp_path))))
        job.world = world
        start_alike(job, {"train": "abc" if world.rank else "abd"})

    with pytest.raises(DataError, match=r"rank 1 on here: data\.train is not what rank 0 has read"):
        on_ranks(2, work)


def test_a_config_that_differs_ends_the_run(tmp_path):
    folder = write_data(tmp_path)

    def work(world):
        given = json.loads(json.dumps(small(seed=world.rank)))
        job = build_job(open_checked_data(config_from_mapping(given, folder)))
        job.world = world
        start_alike(job, {"train": "abc"})

    with pytest.raises(DataError, match="rank 1 on here: the config is not what rank 0 has read"):
        on_ranks(2, work)
