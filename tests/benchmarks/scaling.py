"""How training scales over ranks of MPI: measured with one and two on this machine, predicted for more.

    python -m tests.benchmarks.scaling
    python -m tests.benchmarks.scaling --units 128 512 --rounds 5

For every size of layer: the time of an update of one process with two threads, and of two ranks with one thread each,
on the same batches, in turn; the time that the sum of the gradients takes; and what a model makes of them for 8, 64
and 512 machines on 10 and 100 Gbit/s. The model and its assumptions are in docs/guide/mpi.md.
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

UPDATES, WARM_UP = 30, 5
SEQUENCES, STEPS, INPUTS, LABELS = 64, 100, 16, 5
RANKS = (8, 64, 512)
#: Name, bytes a second, seconds until the first byte of a message arrives.
NETWORKS = (("10 Gbit/s", 10e9 / 8, 30e-6), ("100 Gbit/s", 100e9 / 8, 3e-6))


def config(units, threads):
    return {
        "seed": 1,
        "threads": threads,
        "data": {"train": "train.npz", "inputs": ["x"], "target": "y"},
        "model": {"layers": [units], "dropout": 0.0},
        "train": {"epochs": 1000, "batch_size": SEQUENCES},
    }


def write(folder):
    draw = np.random.default_rng(1)
    count = 4 * SEQUENCES
    x = draw.normal(size=(count, STEPS, INPUTS)).astype(np.float32)
    np.savez(folder / "train.npz", x=x, y=(x.sum(axis=(1, 2)) > 0).astype(int) + draw.integers(0, LABELS - 1, count))


def worker(folder, units, threads):
    """Train some updates as one of the ranks that were started; rank 0 prints what one took."""
    from lstm_cli.config import config_from_mapping
    from lstm_cli.engine.memory import open_checked_data
    from lstm_cli.engine.threads import cores, use_threads
    from lstm_cli.ranks.joining import joined
    from lstm_cli.training.events import StepDone
    from lstm_cli.training.loop import train
    from lstm_cli.training.ranked import compile_first, data_digests, start_alike
    from lstm_cli.training.session import build_job

    settings, world = config_from_mapping(config(units, threads), folder), joined()
    if world.size > 1:
        world.share_cores(cores())
    use_threads(threads)
    job = build_job(open_checked_data(settings))
    job.world = world
    start_alike(job, data_digests(job))
    compile_first(job)
    sums, add_up = [], world.add_up

    def timed(array):
        began = time.perf_counter()
        add_up(array)
        sums.append(time.perf_counter() - began)

    world.add_up = timed
    times, began = [], time.perf_counter()
    for event in train(job):
        if isinstance(event, StepDone):
            times.append(time.perf_counter() - began)
            began = time.perf_counter()
        if len(times) == UPDATES + WARM_UP:
            break
    alone = []  # the sum with nothing to wait for
    gradient = job.trainer.gradient.get_value(borrow=True)
    for _ in range(UPDATES):
        world.totals()
        began = time.perf_counter()
        add_up(gradient)
        alone.append(time.perf_counter() - began)
    if not world.rank:
        found = {"update": times[WARM_UP:], "sum": alone, "bytes": gradient.nbytes}
        print(json.dumps({k: v if isinstance(v, int) else statistics.median(v) for k, v in found.items()}))


def measured(folder, units, ranks, threads):
    mpiexec = shutil.which("mpiexec", path=str(Path(sys.executable).parent))
    launch = [] if ranks == 1 else [mpiexec, "-n", str(ranks)]
    own = [sys.executable, "-m", "tests.benchmarks.scaling", "--worker", str(folder), str(units), str(threads)]
    done = subprocess.run([*launch, *own], capture_output=True, text=True, timeout=600, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def predicted(update, size, ranks, bandwidth, latency):
    """Seconds of an update of `ranks` machines, each with the work that one machine does in `update` seconds.

    The sum is made by a reduce-scatter and an allgather (Rabenseifner 2004): ``2 log2 P`` messages one after the other,
    and ``2 (P - 1) / P`` times the gradient over each cable. Two sums of a few numbers need ``log2 P`` messages each.
    """
    messages = 4 * math.log2(ranks)
    return update + messages * latency + 2 * (ranks - 1) / ranks * size / bandwidth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        folder, units, threads = given.worker
        worker(Path(folder), int(units), int(threads))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        heads = (
            "units",
            "gradient",
            "1 process, 2 threads",
            "1 thread",
            "2 ranks, 1 thread",
            "2 ranks to 2 threads",
            "sum",
        )
        print("|", " | ".join(heads), "|")
        print("|---|---|---|---|---|---|---|")
        rows = []
        for units in given.units:
            kinds = [(1, 2), (1, 1), (2, 1)]
            found = [[measured(folder, units, *kind) for kind in kinds] for _ in range(given.rounds)]
            two, one, ranks = (statistics.median(turn[k]["update"] for turn in found) for k in range(3))
            ratio = statistics.median(turn[0]["update"] / turn[2]["update"] for turn in found)
            summing = statistics.median(turn[2]["sum"] for turn in found)
            size = found[0][0]["bytes"]
            rows.append((units, size, two))
            print(f"| {units} | {size / 1e6:.2f} MB | {1e3 * two:.1f} ms | {1e3 * one:.1f} ms | {1e3 * ranks:.1f} ms "
                  f"| {ratio:.2f} | {1e3 * summing:.2f} ms |", flush=True)  # fmt: skip
    print(f"\nPredicted efficiency: every machine has a batch of {SEQUENCES} sequences, and two cores.\n")
    print("| units | network |", " | ".join(f"{ranks} machines" for ranks in RANKS), "|")
    print("|---|---|" + "---|" * len(RANKS))
    for units, size, update in rows:
        for network, bandwidth, latency in NETWORKS:
            each = [update / predicted(update, size, ranks, bandwidth, latency) for ranks in RANKS]
            print(f"| {units} | {network} |", " | ".join(f"{value:.0%}" for value in each), "|")


if __name__ == "__main__":
    main()
