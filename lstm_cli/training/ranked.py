"""A training on several ranks: what all of them agree on besides the gradient.

All ranks hold the same weights and compute the same updates from the same sums, so that nothing has to be told to them:
whether an update is finite, whether the score is the best, and when to stop follow on each.
"""

import hashlib
import json
import statistics
from collections.abc import Iterator

import numpy as np

from lstm_cli.errors import DataError, Diverged
from lstm_cli.training.events import Note
from lstm_cli.training.job import Job
from lstm_cli.training.position import position_of, restore_position

EVERY = 100  # updates between two looks at whether all ranks hold the same weights, and how fast each is
SLOW = 1.5  # times the median of the others' computing time: such a rank is named
LEAST = 0.5  # seconds of computing below which nothing is said of it


class LostStep(Diverged):
    """The ranks hold different weights."""


def data_digests(job: Job) -> dict[str, str]:
    """Return the digest of what a run learns from and is chosen by."""
    return {name: batches.dataset.digest() for name, batches in job.scored.items() if name != "test"}


def start_alike(job: Job, digests: dict[str, str]) -> None:
    """Give all ranks the state that rank 0 starts from, after making sure that all have read the same data."""
    with job.world.agreed():
        _check_data(job, digests)
    if job.world.size > 1:
        _send_state(job)


def _check_data(job: Job, digests: dict[str, str]) -> None:
    """Raise a `DataError` on a rank that has read another config or other data than rank 0."""
    config = hashlib.sha256(job.config.to_yaml().encode()).hexdigest()
    own = {"the config": config, **{f"data.{name}": digest for name, digest in digests.items()}}
    theirs = json.loads(job.world.broadcast(json.dumps(own).encode()))
    other = next((name for name, digest in theirs.items() if own.get(name) != digest), None)
    if other is not None:
        fix = "make sure that all machines see the same files"
        raise DataError(f"{job.world.name}: {other} is not what rank 0 has read: {fix}")


def _send_state(job: Job) -> None:
    """Send the state that rank 0 starts from: a new one, that of another run, or that of a checkpoint."""
    world, carried = job.world, job.carried
    about = {"position": position_of(job), "carried": None if carried is None else carried.shape}
    told = json.loads(world.broadcast(json.dumps(about).encode()))
    for array in job.trainer.arrays():
        world.replace(array)
    if told["carried"] is not None:
        job.carried = np.zeros(told["carried"], job.trainer.model.dtype) if carried is None else carried
        world.replace(job.carried)
    if world.rank:
        restore_position(job, told["position"])


def compile_first(job: Job) -> None:
    """Compile on one rank of every machine what an update and an evaluation need, before the others find it there."""
    if job.world.size == 1:
        return
    with job.world.one_first():
        batch = next(job.shares(), None)
        if batch is not None:
            job.trainer.backpropagate(batch, None, divisor=1.0, seed=0, step=0)
        if job.valid is not None:
            job.evaluator.scored(job.valid.largest(), None)


class Watch:
    """Looks every `EVERY` updates at whether the ranks hold the same weights, and which is slow."""

    def __init__(self, job: Job) -> None:
        self._job, self._named = job, set[int]()

    def look(self) -> Iterator[Note]:
        """Yield a note on a rank that is slow, once.

        Raises
        ------
        LostStep
            The ranks hold different weights.
        """
        job, world = self._job, self._job.world
        if world.size == 1 or job.progress.step % EVERY:
            return
        digest = hashlib.blake2b(job.trainer.arrays()[0].data, digest_size=8).hexdigest()
        found = [json.loads(text) for text in world.gathered(json.dumps([digest, job.computing, world.name]).encode())]
        job.computing = 0.0
        for theirs, _, name in found:
            if theirs != found[0][0]:
                raise LostStep(
                    f"step {job.progress.step}: {name} holds other weights than rank 0, so that the steps since "
                    f"the last checkpoint are lost: continue with --resume; look at that machine's memory and versions"
                )
        yield from self._slow([(seconds, name) for _, seconds, name in found])

    def _slow(self, found: list[tuple[float, str]]) -> Iterator[Note]:
        for rank, (seconds, name) in enumerate(found):
            others = statistics.median(other for place, (other, _) in enumerate(found) if place != rank)
            if seconds > max(SLOW * others, LEAST) and rank not in self._named:
                self._named.add(rank)
                times = f"{seconds:.3g} s for its share of {EVERY} updates, the others {others:.3g} s"
                yield Note(f"{name} is slow: {times}: all wait for it", warning=True)
