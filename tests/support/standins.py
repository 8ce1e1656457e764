"""Small files in place of public data that a clone does not have, or of long ones, one function per config."""

import json
import math
import random
from pathlib import Path

import numpy as np

from tests.support.paths import ROOT

LETTERS = "abcdefghij"
DATA = ROOT / "data"


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def japanese_vowels(folder: Path) -> dict[str, Path]:
    """Format ts: 12 dimensions, lengths that differ, 9 labels."""
    rng = random.Random(1)
    header = "@problemName Standin\n@dimensions 12\n@equalLength false\n@classLabel true 1 2 3 4 5 6 7 8 9\n@data\n"

    def case(index):
        steps = rng.randint(7, 12)
        dimensions = [",".join(f"{rng.gauss(0, 1):.4f}" for _ in range(steps)) for _ in range(12)]
        return ":".join([*dimensions, str(index % 9 + 1)])

    def file(name, count):
        return _write(folder / name, header + "\n".join(map(case, range(count))) + "\n")

    return {"data.train": file("train.ts", 36), "data.test": file("test.ts", 9)}


def atis_tagging(folder: Path) -> dict[str, Path]:
    """Format conllu: comments, ten columns, an empty line after each sentence."""
    rng = random.Random(2)
    words = [("flights", "NOUN"), ("from", "ADP"), ("boston", "PROPN"), ("show", "VERB"), ("me", "PRON")]

    def sentence(index):
        chosen = [rng.choice(words) for _ in range(rng.randint(1, 8))]
        lines = [f"{n}\t{w}\t{w}\t{tag}\t_\t_\t0\troot\t_\t_" for n, (w, tag) in enumerate(chosen, 1)]
        return f"# sent_id = {index}\n" + "\n".join(lines) + "\n"

    def file(name, count):
        return _write(folder / name, "\n".join(map(sentence, range(count))) + "\n")

    return {
        key: file(f"{key}.conllu", count) for key, count in (("data.train", 40), ("data.valid", 6), ("data.test", 6))
    }


def _text(seed: int, lines: int) -> str:
    rng = random.Random(seed)
    sentences = (
        " ".join("".join(rng.choices(LETTERS, k=rng.randint(1, 4))) for _ in range(rng.randint(2, 8)))
        for _ in range(lines)
    )
    return "\n".join(sentences) + "\n"


def shakespeare_chars(folder: Path) -> dict[str, Path]:
    """Format text, one long text."""
    return {
        "data.train": _write(folder / "train.txt", _text(3, 400)),
        "data.valid": _write(folder / "valid.txt", _text(4, 40)),
    }


word_lm = shakespeare_chars


def names(folder: Path) -> dict[str, Path]:
    """Format text, one sequence a line."""
    rng = random.Random(5)

    def file(name, count):
        return _write(
            folder / name, "".join("".join(rng.choices(LETTERS, k=rng.randint(2, 9))) + "\n" for _ in range(count))
        )

    return {
        key: file(f"{key}.txt", count) for key, count in (("data.train", 200), ("data.valid", 20), ("data.test", 20))
    }


def jsb_chorales(folder: Path) -> dict[str, Path]:
    """Format jsonl: a set of notes at each step, empty ones among them."""
    rng = random.Random(6)

    def row(index):
        notes = [sorted(rng.sample(range(60, 70), rng.randint(0, 4))) for _ in range(rng.randint(20, 30))]
        return json.dumps({"id": f"piece-{index}", "notes": notes}) + "\n"

    def file(name, count):
        return _write(folder / name, "".join(map(row, range(count))))

    return {
        key: file(f"{key}.jsonl", count) for key, count in (("data.train", 24), ("data.valid", 4), ("data.test", 4))
    }


def _series(path: Path, head: str, steps: int, period: float) -> Path:
    rng = random.Random(7)
    values = (20 + step / 20 + 5 * math.sin(2 * math.pi * step / period) + rng.gauss(0, 1) for step in range(steps))
    return _write(path, head + "".join(f'"{step:05d}",{value:.1f}\n' for step, value in enumerate(values)))


def airline(folder: Path) -> dict[str, Path]:
    """Format csv: one short series, with a date in quotes."""
    return {"data.train": _series(folder / "train.csv", '"Month","Passengers"\n', 144, 12)}


def daily_temperatures(folder: Path) -> dict[str, Path]:
    """Format csv: one long series."""
    return {"data.train": _series(folder / "train.csv", '"Date","Temp"\n', 2200, 365)}


def hourly(folder: Path) -> dict[str, Path]:
    """Format csv: the first weeks of the hourly series, as training on all of it takes minutes."""

    def file(name, days):
        lines = (DATA / "hourly" / name).read_text(encoding="utf-8").splitlines(keepends=True)
        return _write(folder / name, "".join(lines[: 1 + 24 * days]))

    return {"data.train": file("train.csv", 40), "data.test": file("test.csv", 12)}


def double_pendulum(folder: Path) -> dict[str, Path]:
    """Format csv: several runs in one file."""

    def file(name, runs):
        lines = ["run,seconds,sin1,cos1,sin2,cos2"]
        for run in runs:
            for step in range(250):
                angles = (0.05 * step + run, 0.08 * step - run)
                numbers = ",".join(f"{math.sin(a):.5f},{math.cos(a):.5f}" for a in angles)
                lines.append(f"{run},{step / 100:.2f},{numbers}")
        return _write(folder / name, "\n".join(lines) + "\n")

    return {"data.train": file("train.csv", range(3)), "data.valid": file("valid.csv", range(3, 5))}


def adding_problem(folder: Path) -> dict[str, Path]:
    """Format npz: padded sequences with their lengths, one number for each."""
    rng = np.random.default_rng(8)

    def file(name, count):
        x = rng.uniform(size=(count, 20, 2)).astype(np.float32)
        np.savez(folder / name, x=x, lengths=np.full(count, 20), y=x[:, :2, 0].sum(axis=1))
        return folder / name

    return {"data.train": file("train.npz", 100), "data.test": file("test.npz", 20)}


STANDINS = {
    function.__name__: function
    for function in (
        japanese_vowels,
        atis_tagging,
        shakespeare_chars,
        names,
        jsb_chorales,
        airline,
        daily_temperatures,
        hourly,
        double_pendulum,
        adding_problem,
    )
} | {"word_lm": word_lm}


def overrides(config: str, folder: Path) -> list[str]:
    """Write what stands in for a config's data, and return the overrides that lead there; none if it needs none."""
    files = STANDINS[config](folder) if config in STANDINS else {}
    return [f"{key}={json.dumps(str(path))}" for key, path in files.items()]
