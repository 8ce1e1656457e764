"""Draw what trained closed loops do, from two runs: the pendulum's angle and its goal, a forecast and the measurements.

    lstm-train configs/pendulum_swing.yaml && lstm-train configs/oscillator.yaml
    python data/pictures.py runs/pendulum_swing runs/oscillator

It runs the code of the system that is stored in the first run.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import lstm_cli
from lstm_cli.engine.build import build_model
from lstm_cli.predict import Run
from lstm_cli.report.charts import Axis, Chart, Line, Point
from lstm_cli.report.rendering import picture

DATA = Path(__file__).parent


def untrained(run: Run) -> None:
    """Reset the weights of a run's model to their initial values."""
    fresh = build_model(run.config, run.schema, run.code)
    run.network.model.parameters.set_values(fresh.parameters.values())


def points(values: np.ndarray, start: int = 0) -> list[Point]:
    """Return values as points (step, value)."""
    return [(start + step, float(value)) for step, value in enumerate(values)]


def pendulum(folder: Path, which: int) -> Chart:
    """Draw the first arm's angle after one of the test starts: the trained controller, the untrained one, the goal."""
    row = json.loads((DATA / "pendulum" / "test.jsonl").read_text(encoding="utf-8").splitlines()[which])
    run = lstm_cli.load(folder, trust=True)
    (trained,) = run.steer([row])
    untrained(run)
    (before,) = run.steer([row])
    lines = []
    for name, found in (("trained", trained), ("untrained", before)):
        angles = [row["start"][0], *(state[0] for state in found["prediction"])]
        lines.append(Line(name, points(np.degrees(angles))))
    lines.append(Line("goal", points(np.full(len(angles), np.degrees(row["goal"][0])))))
    return Chart("Angle of the first arm, in degrees", lines, axes=[Axis("time in twentieths of a second")])


def oscillator(folder: Path, begin: int, known: int, steps: int) -> Chart:
    """Draw a stretch of the test series, and the forecast that has seen only its beginning."""
    series = np.loadtxt(DATA / "oscillator" / "test.csv", skiprows=1)[begin : begin + known + steps]
    (row,) = lstm_cli.load(folder).forecast([{"height": series[:known]}], steps)
    forecast = points(np.array([series[known - 1], *row["prediction"]]), known - 1)
    lines = [Line("forecast", forecast), Line("measured", points(series))]
    return Chart("A forecast", lines, axes=[Axis(f"measurements: the first {known} are seen")])


def main() -> None:
    """Parse the command line and draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pendulum", type=Path, help="run of configs/pendulum_swing.yaml")
    parser.add_argument("oscillator", type=Path, help="run of configs/oscillator.yaml")
    parser.add_argument("--start", type=int, default=3, help="which of the test starts (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=DATA / "pictures", help="folder to write to")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, chart in (
        ("pendulum_swing", pendulum(options.pendulum, options.start)),
        ("oscillator", oscillator(options.oscillator, 100, 20, 120)),
    ):
        (options.output / f"{name}.svg").write_text(picture(chart) or "", encoding="utf-8")


if __name__ == "__main__":
    main()
