"""A rank other than 0 of a training: it computes its share, and writes and shows nothing."""

from lstm_cli.signals import Signals
from lstm_cli.training.job import Job
from lstm_cli.training.loop import train
from lstm_cli.training.ranked import compile_first, data_digests, start_alike


def follow(job: Job, signals: Signals) -> None:
    """Train along with rank 0, which gives the state to start from."""
    world = job.world
    world.asked = lambda: signals.received is not None
    with world.agreed():
        pass  # rank 0 prepares its folder
    start_alike(job, data_digests(job))
    compile_first(job)
    for _ in train(job):
        if world.stopping:
            raise signals.interrupted("as rank 0 says")
    world.rejoin()
