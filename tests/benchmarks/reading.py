"""How long a table takes to be read, and how much memory, beside pandas.

    python -m tests.benchmarks.reading [--rows 1000000] [--steps 1000] [--tries 3]
    python -m tests.benchmarks.reading --short [--rows 1000000]

Each reader runs in a process of its own, which first reads a few rows, so that all is imported, and then a csv file of
five columns (an id, three numbers, a label; `--steps` rows to an id). Shown are the seconds of reading and the most
memory above that before it, by the file's size: of `open_data` up to the data sets that training sees, of the sequences
with their numbers, and of `pandas.read_csv`.

With `--short` each row is a sequence of its own: shown are the processor seconds of `open_data`, and the most memory of
the whole process, for files of one-step sequences in jsonl, of tokens in jsonl, of ids in csv, and of short lines.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SECONDS, SIZES = 2, 3  # the goals


def write_table(path: Path, rows: int, steps: int = 100) -> None:
    """Write a table of five columns, some rows to an id."""
    draw = np.random.default_rng(0)
    numbers = draw.normal(20, 5, (rows, 3))
    labels = draw.choice(["idle", "walking", "running"], rows)
    with path.open("w") as file:
        file.write("id,temp,load,speed,activity\n")
        file.writelines(
            f"run{k // steps:05d},{a:.4f},{b:.4f},{c:.4f},{label}\n"
            for k, ((a, b, c), label) in enumerate(zip(numbers.tolist(), labels.tolist(), strict=True))
        )


def ours(path: Path) -> Callable[[], object]:
    """Return what reads the table as training does."""
    from lstm_cli.config import config_from_mapping
    from lstm_cli.data import open_data

    data = {"train": path.name, "inputs": ["temp", "load", "speed"], "target": "activity", "valid": None}
    config = config_from_mapping({"data": data}, path.parent)
    return lambda: open_data(config)


def raw(path: Path) -> Callable[[], object]:
    """Return what reads the table up to the sequences as they are written, with their numbers."""
    from lstm_cli.data.formats import Options, read
    from lstm_cli.data.formats.source import Source

    def run() -> list[object]:
        sequences = list(read(Source(path), "csv", Options()))
        return [(row, [row.columns[name].numbers() for name in ("temp", "load", "speed")]) for row in sequences]

    return run


def pandas(path: Path) -> Callable[[], object]:
    """Return what reads the table with pandas."""
    import pandas

    return lambda: pandas.read_csv(path)


READERS = {"open_data": ours, "sequences": raw, "pandas": pandas}


#: Files of short sequences: their lines, the first line of the file, and the section `data` that reads them.
SHORT: dict[str, tuple[Callable[[int], str], str, dict[str, object]]] = {
    "numbers.jsonl": (lambda k: f'{{"x": [{k % 97 / 10}], "y": {k % 2}}}\n', "", {"inputs": ["x"], "target": "y"}),
    "tokens.jsonl": (lambda k: f'{{"x": ["t{k % 97}"], "y": {k % 2}}}\n', "", {"inputs": ["x"], "target": "y"}),
    "ids.csv": (lambda k: f"s{k},{k % 97 / 10},{k % 2}\n", "id,x,y\n", {"inputs": ["x"], "target": "y"}),
    "lines.txt": (lambda k: ("abc\n", "so it is\n", "x\n")[k % 3], "", {"format": "text", "lines": True}),
}


def short(name: str, path: Path, rows: int) -> None:
    """Read a file of short sequences in this process, and print what it took."""
    from lstm_cli.config import config_from_mapping
    from lstm_cli.data import open_data

    line, head, data = SHORT[name]
    with path.open("w") as file:
        file.write(head)
        file.writelines(map(line, range(rows)))
    config = config_from_mapping({"data": {"train": path.name, **data}}, path.parent)
    worked = time.process_time()
    opened = open_data(config)
    worked = time.process_time() - worked
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:14s} {len(opened.train):,} to train on, {worked:5.2f} s of processor time, {most:,.0f} MB", flush=True
    )


class Resident:
    """The most memory that the process holds while it is open, in bytes, looked at all the time."""

    def __enter__(self) -> "Resident":
        self.before = self.most = self._now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.002):
            self.most = max(self.most, self._now())

    @staticmethod
    def _now() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def work(name: str, path: Path) -> None:
    """Read the table in this process, and print the seconds and the bytes."""
    small = path.with_name("small.csv")
    write_table(small, 300)
    READERS[name](small)()  # imports whatever is needed
    read = READERS[name](path)
    with Resident() as memory:
        start, worked = time.perf_counter(), time.process_time()
        kept = read()
        seconds, worked = time.perf_counter() - start, time.process_time() - worked
    assert kept is not None
    print(json.dumps([seconds, worked, memory.most - memory.before]))


def main() -> None:
    """Measure all readers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=1000, help="rows to an id")
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="each row a sequence of its own")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work and given.short:
        short(given.work[0], Path(given.work[1]), given.rows)
        return
    if given.work:
        work(given.work[0], Path(given.work[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in SHORT if given.short else ():
            command = [sys.executable, "-m", "tests.benchmarks.reading", "--short", "--rows", str(given.rows)]
            subprocess.check_call([*command, "--work", name, str(Path(folder) / name)])
        if given.short:
            return
        path = Path(folder) / "table.csv"
        write_table(path, given.rows, given.steps)
        size = path.stat().st_size
        print(f"{given.rows:,} rows, {size / 1e6:.0f} MB")
        for name in READERS:
            command = [sys.executable, "-m", "tests.benchmarks.reading", "--work", name, str(path)]
            found = [json.loads(subprocess.check_output(command)) for _ in range(given.tries)]
            seconds, worked, memory = (statistics.median(values) for values in zip(*found, strict=True))
            goal = "" if name == "pandas" else f" (goals: {SECONDS} s, {SIZES} times the file)"
            times = f"{seconds:5.2f} s ({worked:.2f} s of processor time)"
            print(f"{name:10s} {times}, {memory / size:4.1f} times the file{goal}", flush=True)


if __name__ == "__main__":
    main()
