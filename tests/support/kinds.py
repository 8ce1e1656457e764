"""Small runs of every kind of data and target: each function writes the data into a folder and returns the config."""

import math

import numpy as np

from tests.support.data import write, write_jsonl

TRAIN = {"epochs": 1, "batch_size": 8}
MODEL = {"layers": [6], "embedding": 4, "dropout": 0.0}
LETTERS = "abcd"


def labelled_waves(count, rng):
    """Sequences of two numbers a step, of different lengths; each label has waves of its own length."""
    rows = []
    for index in range(count):
        steps, label = 3 + 4 * index % 11, index % 3
        x = np.sin(np.arange(steps)[:, None] / (1 + label) + [0, 1]) * 5 + 20 + rng.normal(size=(steps, 2))
        rows.append({"id": f"wave-{index}", "x": x.round(3).tolist(), "label": ["low", "mid", "high"][label]})
    return rows


def with_column(rows, name, value):
    return [row | {name: value(row)} for row in rows]


def jsonl_data(folder, rows, *, target, inputs=("x",), **data):
    write_jsonl(folder / "train.jsonl", rows)
    data = {"train": "train.jsonl", "inputs": list(inputs), "target": target, "valid": 0.2, **data}
    return {"data": {key: value for key, value in data.items() if value is not None}}


def classifier(folder, rng):
    write_jsonl(folder / "test.jsonl", labelled_waves(12, rng))
    return jsonl_data(folder, labelled_waves(30, rng), target="label", test=str(folder / "test.jsonl"))


def averaged(folder, rng):
    return classifier(folder, rng) | {"model": {**MODEL, "pool": "mean"}}


def numbered(folder, rng):
    """Labels that are whole numbers, for every step."""
    rows = with_column(labelled_waves(30, rng), "part", lambda row: [10 if x > 20 else 2 for x, _ in row["x"]])
    return jsonl_data(folder, rows, target="part")


def both_ways(folder, rng):
    return numbered(folder, rng) | {"model": {**MODEL, "bidirectional": True}}


def regression(folder, rng):
    rows = with_column(labelled_waves(30, rng), "y", lambda row: [sum(row["x"][0]) + 0.5, 1000 * row["x"][-1][0] + 0.5])
    return jsonl_data(folder, rows, target={"column": "y", "kind": "number", "per": "sequence"}, scale="standard")


def tagger(folder, rng):
    rows = [{"words": [str(w) for w in rng.choice(list(LETTERS), 1 + k % 7)]} for k in range(30)]
    return jsonl_data(folder, with_column(rows, "tags", lambda row: [w.upper() for w in row["words"]]), target="tags",
                 inputs=["words"])  # fmt: skip


def sets(folder, rng):
    rows = [{"notes": [sorted(rng.choice(range(60, 66), k % 3, replace=False).tolist()) for k in range(4 + n % 5)]}
            for n in range(30)]  # fmt: skip
    return jsonl_data(folder, rows, target="next", inputs=["notes"])


def passengers(folder, rng):
    """One series with a trend and a season, differenced twice."""
    values = [math.exp(4 + step / 40 + math.sin(step * math.pi / 2) / 3 + rng.normal() / 20) for step in range(80)]
    write(folder / "series.csv", "month,count\n" + "".join(f"m{k},{v:.3f}\n" for k, v in enumerate(values)))
    transform = {"count": ["log", "difference", "seasonal_difference(4)"]}
    data = {"train": "series.csv", "inputs": ["count"], "target": "next", "valid": 8, "test": 8}
    return {"data": {**data, "transform": transform, "scale": "standard"}}


def pendulum(folder, rng):
    """Several series of two numbers in one file, scaled."""
    angles = [(run, step / 5 + run) for run in range(4) for step in range(40)]
    lines = [f"{run},{10 * math.sin(angle):.4f},{math.cos(angle):.4f}" for run, angle in angles]
    write(folder / "series.csv", "run,a,b\n" + "\n".join(lines) + "\n")
    data = {"train": "series.csv", "inputs": ["a", "b"], "target": "next", "id": "run", "valid": 0.25}
    return {"data": {**data, "scale": "standard", "window": 10, "carry_state": True}}


def plays(folder, rng):
    write(folder / "train.txt", "".join(rng.choice(list("abc \n"), 1500)))
    return {"data": {"train": "train.txt", "target": "next", "window": 20, "carry_state": True, "valid": 0.1}}


def words(folder, rng):
    write(folder / "train.txt", " ".join(rng.choice(["to", "be", "or", "not"], 800)))
    return {"data": {"train": "train.txt", "unit": "word", "target": "next", "window": 20, "valid": 0.1}}


def names(folder, rng):
    lines = ["".join(rng.choice(list("aeimn"), 2 + k % 5)) for k in range(80)]
    write(folder / "train.txt", "\n".join(lines) + "\n")
    return {"data": {"train": "train.txt", "lines": True, "target": "next", "valid": 0.2}}


KINDS = {
    maker.__name__: maker
    for maker in (
        classifier, averaged, numbered, both_ways, regression, tagger, sets, passengers, pendulum, plays, words, names,
    )
}  # fmt: skip


def data_of(folder):
    """The file that a run was trained on."""
    return next(path for path in sorted(folder.iterdir()) if path.stem in ("train", "series"))
