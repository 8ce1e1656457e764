"""Compare this project's layers with PyTorch's, JAX's and the machine's matrix product, in one interleaved run.

    python -m tests.benchmarks [--only TEXT] [--rounds 7] [--seconds 0.3] [--threads 2] [--jobs 3] [--json results.json]

Every contender runs in its own process, a moment at a time and in turns; the figures are medians over all calls. The
share of the peak is the operations of the matrix products that are needed, by the time, by what a large sgemm gives.
After the layers comes the closed loop (`tests.benchmarks.closed_loop`) and, with `--jobs`, whole training jobs, N
times each (`tests.benchmarks.jobs`).
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import closed_loop, jobs
from tests.benchmarks.cases import CASES, Case
from tests.benchmarks.contenders import SQUARE


class Worker:
    """A contender's process."""

    def __init__(self, name: str, threads: int) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", name, str(threads)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, **request: object) -> list[float]:
        """Send a request and return the reply."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            raise SystemExit(f"a contender ended: {self.process.args}")
        return json.loads(reply)


def compare(case: Case, workers: dict[str, Worker], rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Return the median seconds of each contender, for training and inference."""
    for worker in workers.values():
        worker.ask(case=CASES.index(case))
    times = {mode: {name: [] for name in workers} for mode in ("training", "inference")}
    for _ in range(rounds):
        for mode, lists in times.items():
            for name, worker in workers.items():
                lists[name] += worker.ask(run=mode, seconds=seconds)
    return {mode: {name: statistics.median(t) for name, t in lists.items()} for mode, lists in times.items()}


def report(case: Case, medians: dict[str, dict[str, float]]) -> dict[str, object]:
    """Print a case's lines and return its figures."""
    figures: dict[str, object] = {"case": case.name}
    for mode, flops, wanted in zip(medians, case.flops, (case.training, case.inference), strict=True):
        times = medians[mode]
        peak = 2 * SQUARE**3 / times["sgemm"]
        share = flops / times["ours"] / peak
        ratios = {name: time / times["ours"] for name, time in times.items() if name not in ("ours", "sgemm")}
        figures[mode] = {"seconds": times, "ratios": ratios, "share_of_peak": share, "wanted": wanted}
        shown = "  ".join(f"{name} {1e3 * times[name]:8.2f} ms {ratio:5.2f}x" for name, ratio in ratios.items())
        goal = f"(goal {wanted})" if wanted else ""
        print(
            f"{case.name if mode == 'training' else '':34s} {mode:9s}  ours {1e3 * times['ours']:8.2f} ms  {shown:32s} "
            f"{share:5.0%} of {peak / 1e9:.0f} GFLOP/s {goal}",
            flush=True,
        )
    return figures


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each contender's turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--jobs", type=int, default=0, help="compare whole training jobs too, N times")
    parser.add_argument("--public", type=Path, default=jobs.PUBLIC, help="where the jobs' data sets are")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    given = parser.parse_args()
    others = [name for name, module in (("pytorch", "torch"), ("jax", "jax")) if importlib.util.find_spec(module)]
    workers = {name: Worker(name, given.threads) for name in ("ours", *others, "sgemm")}
    figures: dict[str, object] = {
        "machine": {"processor": platform.processor(), "system": platform.platform(), "threads": given.threads},
        "cases": [
            report(case, compare(case, workers, given.rounds, given.seconds))
            for case in CASES
            if given.only in case.name
        ],
    }
    for worker in workers.values():
        worker.process.stdin.close()
        worker.process.wait()
    if given.only in "closed loop" and "pytorch" in others:
        figures["closed loop"] = closed_loop.compare(given.rounds, given.seconds, given.threads)
    if given.jobs:
        figures["jobs"] = jobs.compare_all(given.only, given.public, given.jobs, given.threads)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
