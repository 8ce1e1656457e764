"""Train, stop, kill, fill disks, damage files, resume and predict at random, until a promise does not hold.

    python -m tests.benchmarks.soak [--minutes 20] [--seed N] [--round K] [--folder F] [--json F]

Each round draws small data and a config, trains without a disturbance, and then trains the same through a series of
mishaps; after every process, and at the end bit for bit, it checks what `docs/guide/promises.md` promises. A failure is
printed with what was done, and `--seed N --round K` repeats that round alone.
"""

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.soak.disk import enter_namespace
from tests.benchmarks.soak.rounds import play


def main() -> None:
    """Play rounds until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rounds", type=int, help="end after this many rounds, if time is left")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of everything that is drawn")
    parser.add_argument("--round", type=int, help="play this one alone")
    parser.add_argument("--folder", type=Path, help="where the files lie; what failed stays there")
    parser.add_argument("--json", type=Path, help="where to write the counts and failures")
    given = parser.parse_args()
    enter_namespace()
    os.nice(10)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=given.folder))
    tally, failures = Counter[str](), dict[int, str]()
    print(f"seed {given.seed}, files in {folder}", flush=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # what runs is killed on the way out
    try:
        for number in _numbers(given):
            began, before = time.monotonic(), tally["processes"]
            if failure := play(given.seed, number, folder, tally):
                failures[number] = failure
                print(f"--seed {given.seed} --round {number}: {failure}\n", flush=True)
            print(
                f"round {number}: {tally['processes'] - before} processes, {time.monotonic() - began:.0f} s", flush=True
            )
    except KeyboardInterrupt:
        print("stopped")
    for name, count in [*sorted(tally.items()), ("failures", len(failures))]:
        print(f"{count:8,} {name}")
    if given.json:
        found = {"seed": given.seed, "counts": dict(tally), "failures": failures}
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    if failures:
        sys.exit(1)
    shutil.rmtree(folder)


def _numbers(given: argparse.Namespace) -> Iterator[int]:
    """Yield the numbers of the rounds to play: one, or as many as the time allows."""
    if given.round is not None:
        yield given.round
        return
    until = time.monotonic() + 60 * given.minutes
    for number in itertools.count() if given.rounds is None else range(given.rounds):
        if time.monotonic() > until:
            return
        yield number


if __name__ == "__main__":
    main()
