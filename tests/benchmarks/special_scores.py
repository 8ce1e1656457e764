"""Scores that belong to one data set and that `lstm-predict --evaluate` does not know.

    python -m tests.benchmarks.special_scores reber RUN STRINGS.txt
    python -m tests.benchmarks.special_scores pendulum RUN valid.csv
    python -m tests.benchmarks.special_scores hourly RUN test.csv

`reber`: the share of strings at whose every step the symbols that the network holds likeliest are those that the
grammar allows (Hochreiter and Schmidhuber 1997, section 5.1), and how often it gets the last symbol but one.
`pendulum`: after 200 observed steps, the root mean squared error one step ahead, and the median error of both angles in
degrees after running free for 0.1, 0.2 and 0.5 s.
`hourly`: errors of the forecasts of the next 24 loads from every hour but those of the first week, beside three naive
forecasts from the same hours: the last load, that of the same hour a day before, and a week before.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from data.embedded_reber import GRAMMAR
from lstm_cli.data import encode, read_sequences
from lstm_cli.predict import Run, load

HORIZONS = {"0.1 s": 10, "0.2 s": 20, "0.5 s": 50}
HISTORY, SPACING = 200, 100
DAY, WEEK = 24, 168
HOURS = (1, 6, 12, 24)


def successors(string: str) -> list[set[str]]:
    """Return what may follow each proper prefix of an embedded Reber string, the empty one first."""
    allowed, state = [{"B"}, {"T", "P"}, {"B"}], 0
    for symbol in string[3:-2]:
        allowed.append({following for following, _ in GRAMMAR[state]})
        state = dict(GRAMMAR[state])[symbol]
    return [*allowed, {string[1]}, {"E"}]


def reber(run: Run, path: Path) -> dict[str, float]:
    """Score a language model of embedded Reber strings."""
    strings = path.read_text().split()
    rows = read_sequences(path, run.schema)
    legal = remembered = 0
    for string, outputs in zip(strings, run.outputs(encode(run.schema, row) for row in rows), strict=True):
        order = (-outputs.values).argsort(axis=1)
        likeliest = [
            {run.schema.target.labels[k] for k in ranked[: len(allowed)]} == allowed
            for ranked, allowed in zip(order, successors(string), strict=False)
        ]
        legal += all(likeliest)
        remembered += likeliest[-2]
    return {"legal strings": legal / len(strings), "last symbol but one": remembered / len(strings)}


def pendulum(run: Run, path: Path) -> dict[str, float]:
    """Score a forecaster of the double pendulum's sines and cosines."""
    table = np.genfromtxt(path, delimiter=",", names=True)
    columns = ["sin1", "cos1", "sin2", "cos2"]
    states = np.stack([table[name] for name in columns], axis=1)
    starts, steps = [], max(HORIZONS.values())
    for number in np.unique(table["run"]):
        at = np.flatnonzero(table["run"] == number)
        starts += list(range(at[0] + HISTORY, at[-1] - steps, SPACING))
    given = [*columns, "seconds"]  # a config of lstm init reads the times too
    known = [{"run": str(start), **{name: table[name][start - HISTORY : start] for name in given}} for start in starts]
    forecasts = np.array([row["prediction"] for row in run.forecast(known, steps)])
    truth = np.stack([states[start : start + steps] for start in starts])
    difference = np.degrees(_angles(forecasts) - _angles(truth))
    error = np.abs((difference + 180) % 360 - 180)
    one_step = float(np.sqrt(np.square(forecasts[:, 0] - truth[:, 0]).mean()))
    return {"one step": one_step, **{name: float(np.median(error[:, step - 1])) for name, step in HORIZONS.items()}}


def _angles(states: np.ndarray) -> np.ndarray:
    return np.arctan2(states[..., 0::2], states[..., 1::2])


def hourly(run: Run, path: Path) -> dict[str, dict[str, float]]:
    """Score the forecasts that `lstm-predict` writes for a file without empty loads, and naive ones."""
    load_now = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")["load"]
    origins = np.arange(WEEK, len(load_now) - DAY)
    ahead = origins[:, None] + np.arange(1, DAY + 1)
    (row,) = run.predictions(encode(run.schema, sequence) for sequence in read_sequences(path, run.schema))
    forecasts = {
        "model": np.array([row["prediction"][origin] for origin in origins], float),
        "last value": np.repeat(load_now[origins, None], DAY, axis=1),
        "yesterday": load_now[ahead - DAY],
        "last week": load_now[ahead - WEEK],
    }
    return {name: _errors(forecast - load_now[ahead]) for name, forecast in forecasts.items()}


def _errors(error: np.ndarray) -> dict[str, float]:
    """Return the root mean squared and the mean absolute error (N, 24), over all hours and at some."""
    rmse, mae = np.sqrt(np.square(error).mean(axis=0)), np.abs(error).mean(axis=0)
    scores = {"rmse": float(np.sqrt(np.square(error).mean())), "mae": float(mae.mean())}
    return scores | {
        f"{name} at {hour} h": float(by_hour[hour - 1])
        for name, by_hour in (("rmse", rmse), ("mae", mae))
        for hour in HOURS
    }


def main() -> None:
    """Parse the command line and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["reber", "pendulum", "hourly"])
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    given = parser.parse_args()
    score = {"reber": reber, "pendulum": pendulum, "hourly": hourly}[given.task]
    print(json.dumps(score(load(given.run), given.data)))


if __name__ == "__main__":
    main()
