"""How soon a run ends that is asked to, and one whose folder is in use: what tests do not time.

    python -m tests.benchmarks.stopping [--tries 7]

Seconds from SIGINT and SIGTERM to the end of the process: while it trains, and while it compiles with an empty cache,
at random moments of both. A second run in one folder: from its start to its end.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lstm_cli.run.folder import RunFolder
from lstm_cli.signals import ASKED
from tests.support.process import Process, started, write_endless_config

TO_STOP, TO_REFUSE = 2, 1  # seconds: the goals


def end_of(process: Process, code: int) -> float:
    """Wait for a process to end; return when it did."""
    ended = process.end(timeout=None)
    now = time.perf_counter()
    if ended != code:
        raise SystemExit(f"ended with {ended} in place of {code}:\n{process.said}")
    return now


def stop_training(config: Path, folder: Path, number: int) -> float:
    """Return the seconds from a signal, at some moment of the training, to the end."""
    with started(config, folder / "run") as process:
        process.wait_for(lambda: "epoch 3, " in process.said)
        return _stop(process, number, random.random())


def stop_compiling(config: Path, folder: Path, number: int) -> float:
    """Return the seconds from a signal, at some moment while all is compiled that a first step needs, to the end."""
    with started(config, folder / "run", LSTM_CLI_CACHE=str(folder / "cache")) as process:
        process.wait_for(lambda: "starting: " in process.said)
        seconds = _stop(process, number, 3 * random.random())
        if "first step" in process.said:
            raise SystemExit("all was compiled before the signal")
        return seconds


def _stop(process: Process, number: int, moment: float) -> float:
    time.sleep(moment)
    asked = time.perf_counter()
    process.send(number)
    return end_of(process, 128 + number) - asked


def refuse(config: Path, folder: Path) -> float:
    """Return the seconds that a run takes whose folder is in use."""
    run, began = folder / "run", time.perf_counter()
    with RunFolder.create(run), started(config, run, "--resume") as process:
        return end_of(process, 75) - began


def measure(name: str, tries: int, goal: float, once: Callable[[Path], float]) -> None:
    """Print a line on some tries, each in a folder of its own."""
    seconds = []
    for _ in range(tries):
        with tempfile.TemporaryDirectory() as folder:
            seconds.append(once(Path(folder)))
    print(
        f"{name:30s} median {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s (goal {goal} s)",
        flush=True,
    )


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=7, help="of each kind")
    tries = parser.parse_args().tries
    with tempfile.TemporaryDirectory() as data:
        config = write_endless_config(Path(data))
        for what, stop in (("training", stop_training), ("compiling", stop_compiling)):
            for number in ASKED:
                measure(f"{number.name} while {what}", tries, TO_STOP, lambda folder: stop(config, folder, number))
        measure("a second run in one folder", tries, TO_REFUSE, lambda folder: refuse(config, folder))


if __name__ == "__main__":
    main()
