"""Make an hourly series of an electricity grid: the load in megawatts and the temperature in degrees, for two years.

People follow the clock, the week and the holidays; heating and cooling follow the temperature, which follows the sun
and a weather of its own. So the load of tomorrow depends on the day it will be and on how cold it gets. As in real
files, some cells are empty, and one night was not recorded. `future.csv` has the day after the last one: its
temperatures, as a weather forecast would tell them, and no load.
"""

import argparse
from pathlib import Path

import numpy as np

DAY, YEAR = 24, 365.25 * 24  # hours
START = np.datetime64("2023-01-01T00", "h")
HOLIDAYS = ("01-01", "05-01", "10-03", "12-25", "12-26")
#: Megawatts over the level of the night, by the hour, on a working day and on a day off.
WORKING = (20, 8, 0, 0, 6, 30, 90, 170, 215, 220, 215, 212, 210, 205, 195, 188, 195, 220, 250, 240, 195, 140, 90, 50)
OFF = (30, 15, 5, 0, 0, 5, 15, 35, 65, 95, 115, 125, 125, 110, 95, 88, 95, 120, 150, 150, 130, 105, 75, 50)


def autocorrelated(count: int, memory: float, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise (count,) of this deviation that forgets at a rate of 1 / `memory` a step."""
    keep, value = np.exp(-1 / memory), rng.normal(0, deviation)
    values = np.empty(count)
    for step, shock in enumerate(rng.normal(0, deviation * np.sqrt(1 - keep**2), count)):
        value = keep * value + shock
        values[step] = value
    return values


def hourly(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, loads and temperatures (count,), without gaps."""
    times = START + np.arange(count)
    hours = np.arange(count)
    sun = -np.cos(2 * np.pi * (hours - 15 * DAY) / YEAR)
    daylight = -np.cos(2 * np.pi * (hours % DAY - 3) / DAY) * (3 + 1.5 * sun)
    temperature = 11 + 10 * sun + daylight + autocorrelated(count, 60, 3.5, rng)
    days = times.astype("datetime64[D]")
    off = ~np.is_busday(days, holidays=holidays(days))
    clock = np.where(off, np.array(OFF)[hours % DAY], np.array(WORKING)[hours % DAY])
    felt = np.convolve(temperature, np.ones(6) / 6)[:count]  # walls are warm for a while
    felt[:5] = temperature[:5]
    heating, cooling = 9 * np.maximum(0, 16 - felt), 14 * np.maximum(0, felt - 21)
    growth = 1 + 0.03 * hours / YEAR
    load = (380 + clock + heating + cooling) * growth + autocorrelated(count, 8, 9, rng)
    return times, load, temperature


def holidays(days: np.ndarray) -> np.ndarray:
    """Return the holidays of the years of these days."""
    years = np.unique(days.astype("datetime64[Y]")).astype(str)
    return np.array([f"{year}-{day}" for year in years for day in HOLIDAYS], "datetime64[D]")


def rows(times: np.ndarray, load: np.ndarray, temperature: np.ndarray) -> list[str]:
    """Return the lines of a table; what is not a number is an empty cell."""

    def cell(value: float) -> str:
        return "" if np.isnan(value) else f"{value:.1f}"

    stamps = np.char.replace(np.datetime_as_string(times, unit="m"), "T", " ")
    return [f"{time},{cell(a)},{cell(b)}" for time, a, b in zip(stamps, load, temperature, strict=True)]


def main() -> None:
    """Parse the command line and write the three files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=610, help="days to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=120, help="days after them (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other weather (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    train, end = options.train * DAY, (options.train + options.test) * DAY
    times, load, temperature = hourly(end + DAY, rng)
    recorded = np.ones(len(times), bool)
    night = options.train // 3 * DAY
    recorded[night : night + 7] = False  # not recorded
    load[rng.choice(train, train // 1000, replace=False)] = np.nan
    temperature[rng.choice(end, end // 500, replace=False)] = np.nan
    parts = {"train": slice(0, train), "test": slice(train, end), "future": slice(end, None)}
    load[parts["future"]] = np.nan
    options.output.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        kept = recorded[part]
        lines = ["time,load,temperature", *rows(times[part][kept], load[part][kept], temperature[part][kept])]
        (options.output / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
