"""Make a noisy oscillator: two coupled swings of different periods, measured with noise.

x'' = -x - 0.1 x³ swings alone; y'' = -2.25 y + 0.2 x is driven by it. What is measured is x + y with noise, ten times
in every unit of time, but neither the speeds nor the single swings, which a forecast has to infer from the past.
"""

import argparse
from pathlib import Path

import numpy as np

STEP, EVERY = 0.01, 10  # units of time; integrated steps to a measurement
NOISE = 0.05


def derivative(state: np.ndarray) -> np.ndarray:
    """Return the derivative of the state (x, x', y, y')."""
    x, v, y, w = state
    return np.array([v, -x - 0.1 * x**3, w, -2.25 * y + 0.2 * x])


def measured(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` measurements with noise, and the values without it."""
    state, values = np.array([1.0, 0.0, 0.5, 0.0]), np.empty(count)
    for index in range(count * EVERY):
        if index % EVERY == 0:
            values[index // EVERY] = state[0] + state[2]
        middle = state + STEP / 2 * derivative(state)  # the midpoint rule
        state = state + STEP * derivative(middle)
    return values + rng.normal(0, NOISE, count), values


def main() -> None:
    """Parse the command line and write both series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=8000, help="measurements to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1000, help="measurements after them (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other noise (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()
    series, _ = measured(options.train + options.test, np.random.default_rng(options.seed))
    options.output.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", series[: options.train]), ("test", series[options.train :])):
        lines = ["height", *(f"{value:.3f}" for value in part)]
        (options.output / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
