"""Whole training jobs from the command line, on real data, against an ordinary PyTorch program for the same task.

    python -m tests.benchmarks.jobs [--only TEXT] [--rounds 3] [--threads 2] [--public FOLDER] [--json jobs.json]

`lstm-train` runs a config to its test score; `tests.benchmarks.plain_torch` then makes the same number of updates. Both
take turns; times are of whole processes, start-up included, and the medians are printed with the score of each side.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

PUBLIC = ROOT / "data" / "public"


@dataclass(frozen=True)
class Job:
    """A config with its PyTorch program, the files both read, and what is compared: `theirs` is called `score`.

    The split that ours is scored on, with the last of its lines in ``metrics.jsonl``, is the data that theirs reads.
    """

    config: str
    task: str
    folder: str
    files: Mapping[str, str]
    split: str
    ours: str
    theirs: str


JOBS = [
    Job(
        "japanese_vowels", "vowels", "japanese_vowels",
        {"train": "JapaneseVowels_TRAIN.ts", "test": "JapaneseVowels_TEST.ts"}, "test", "accuracy", "accuracy",
    ),
    Job(
        "atis_tagging", "tagging", "ud_english_atis",
        {part: f"en_atis-ud-{name}.conllu" for part, name in (("train", "train"), ("valid", "dev"), ("test", "test"))},
        "test", "accuracy", "accuracy",
    ),
    Job(
        "shakespeare_chars", "characters", "tiny_shakespeare",
        {"train": "train.txt", "valid": "valid.txt"}, "valid", "loss", "nats",
    ),
]  # fmt: skip


def ours(job: Job, data: Path, scratch: Path, threads: int) -> dict[str, float]:
    """Run the config; return its score, its updates and the seconds of the whole process."""
    run = scratch / job.config
    files = [f"data.{part}={data / name}" for part, name in job.files.items()]
    command = [
        str(Path(sys.executable).with_name("lstm-train")), str(ROOT / "configs" / f"{job.config}.yaml"),
        "-o", str(run), "--overwrite", "-q", f"threads={threads}", *files,
    ]  # fmt: skip
    seconds, _ = timed(command)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    scored = [line for line in lines if line["split"] == job.split]
    return {"score": scored[-1][job.ours], "updates": max(line["step"] for line in lines), "seconds": seconds}


def theirs(job: Job, data: Path, updates: int, threads: int) -> dict[str, float]:
    """Run the PyTorch program for as many updates; return its score and the seconds of the whole process."""
    program = [sys.executable, "-m", "tests.benchmarks.plain_torch", job.task, str(data)]
    seconds, printed = timed([*program, "--updates", str(updates), "--threads", str(threads)])
    return {"score": json.loads(printed.splitlines()[-1])[job.theirs], "seconds": seconds}


def timed(command: list[str]) -> tuple[float, str]:
    """Return how long a program took, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def compare(job: Job, public: Path, rounds: int, threads: int) -> dict[str, object]:
    """Run both sides in turns; print a line and return the figures."""
    data, sides = public.resolve() / job.folder, {"ours": [], "pytorch": []}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(rounds):
            sides["ours"].append(ours(job, data, Path(scratch), threads))
            sides["pytorch"].append(theirs(job, data, int(sides["ours"][-1]["updates"]), threads))
    seconds = {name: statistics.median(run["seconds"] for run in runs) for name, runs in sides.items()}
    scores = {name: runs[-1]["score"] for name, runs in sides.items()}
    ratio, updates = seconds["pytorch"] / seconds["ours"], sides["ours"][-1]["updates"]
    print(
        f"{job.config:18s} {updates:6d} updates  ours {seconds['ours']:6.1f} s, {job.ours} {scores['ours']:.4f}   "
        f"pytorch {seconds['pytorch']:6.1f} s, {job.theirs} {scores['pytorch']:.4f}   {ratio:.2f}x",
        flush=True,
    )
    return {"job": job.config, "updates": updates, "seconds": seconds, "scores": scores, "ratio": ratio, "runs": sides}


def compare_all(only: str, public: Path, rounds: int, threads: int) -> list[dict[str, object]]:
    """Compare the jobs whose config's name contains `only`."""
    chosen = [job for job in JOBS if only in job.config]
    for job in chosen:
        if not (public / job.folder).is_dir():
            raise SystemExit(f"{public / job.folder}: not found; data/README.md says where to get it")
    return [compare(job, public, rounds, threads) for job in chosen]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="jobs whose config's name contains this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--public", type=Path, default=PUBLIC, help="where the data sets are")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    given = parser.parse_args()
    figures = compare_all(given.only, given.public, given.rounds, given.threads)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
