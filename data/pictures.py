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
from lstm_cli.report.charts import HEIGHT, LEFT, WIDTH, Series, line_chart

DATA = Path(__file__).parent
STYLE = """
:root { --soft: #5b6475; --rule: #dfe3ea; --s0: #2f6fde; --s1: #d9622b; --s2: #2a9d5c; }
@media (prefers-color-scheme: dark) { :root { --soft: #a2abbb; --rule: #323946; --s0: #7aa7ff; --s1: #ff9d6b;
  --s2: #6fd39b; } }
text { fill: var(--soft); font: 13px system-ui, sans-serif; }
.grid { stroke: var(--rule); }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.s0 { stroke: var(--s0); }
.s1 { stroke: var(--s1); stroke-dasharray: 7 4; }
.s2 { stroke: var(--s2); stroke-width: 1.4; }
"""
LEGEND = 26  # height of the line with the names


def picture(title: str, axis: str, series: list[Series]) -> str:
    """Return a self-contained chart: with its own style, and the names of its lines above it."""
    chart = line_chart(title, series)
    head, _, rest = chart.partition("\n")
    frame = head.replace(f'viewBox="0 0 {WIDTH} {HEIGHT}"', f'viewBox="0 {-LEGEND} {WIDTH} {HEIGHT + LEGEND}"')
    frame = frame.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    keys, x = [], LEFT
    for place, line in enumerate(series):
        keys.append(f'<line class="line s{place}" x1="{x}" x2="{x + 22}" y1="-10" y2="-10"/>')
        keys.append(f'<text x="{x + 28}" y="-6">{line.name}</text>')
        x += 46 + 7 * len(line.name)
    rest = rest.replace(">step</text>", f">{axis}</text>")
    return "\n".join([frame, f"<style>{STYLE}</style>", *keys, rest, ""])


def untrained(run: Run) -> None:
    """Reset the weights of a run's model to their initial values."""
    fresh = build_model(run.config, run.schema, run.code)
    run.network.model.parameters.set_values(fresh.parameters.values())


def points(values: np.ndarray, start: int = 0) -> list[tuple[float, float]]:
    """Return values as points (step, value)."""
    return [(start + step, float(value)) for step, value in enumerate(values)]


def pendulum(folder: Path, which: int) -> str:
    """Draw the first arm's angle after one of the test starts: the trained controller, the untrained one, the goal."""
    row = json.loads((DATA / "pendulum" / "test.jsonl").read_text(encoding="utf-8").splitlines()[which])
    run = lstm_cli.load(folder, trust=True)
    (trained,) = run.steer([row])
    untrained(run)
    (before,) = run.steer([row])
    lines = []
    for name, found in (("trained", trained), ("untrained", before)):
        angles = [row["start"][0], *(state[0] for state in found["prediction"])]
        lines.append(Series(name, points(np.degrees(angles))))
    lines.append(Series("goal", points(np.full(len(angles), np.degrees(row["goal"][0])))))
    return picture("Angle of the first arm", "time in twentieths of a second; angle of the first arm in degrees", lines)


def oscillator(folder: Path, begin: int, known: int, steps: int) -> str:
    """Draw a stretch of the test series, and the forecast that has seen only its beginning."""
    series = np.loadtxt(DATA / "oscillator" / "test.csv", skiprows=1)[begin : begin + known + steps]
    (row,) = lstm_cli.load(folder).forecast([{"height": series[:known]}], steps)
    forecast = points(np.array([series[known - 1], *row["prediction"]]), known - 1)
    lines = [Series("forecast", forecast), Series("measured", points(series))]
    return picture("A forecast", f"measurements: the first {known} are seen", lines)


def main() -> None:
    """Parse the command line and draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pendulum", type=Path, help="run of configs/pendulum_swing.yaml")
    parser.add_argument("oscillator", type=Path, help="run of configs/oscillator.yaml")
    parser.add_argument("--start", type=int, default=3, help="which of the test starts (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=DATA / "pictures", help="folder to write to")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, drawn in (
        ("pendulum_swing", pendulum(options.pendulum, options.start)),
        ("oscillator", oscillator(options.oscillator, 100, 20, 120)),
    ):
        (options.output / f"{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
