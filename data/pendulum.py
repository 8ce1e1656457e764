"""Make starts and goals for a double pendulum that is driven by a motor at its first joint.

A start is the state of a pendulum some time after its release: angles and speeds (a1, w1, a2, w2). A goal is a
posture that the motor can hold: the first arm at an angle, the second one hanging down. The motion is integrated here
in plain numpy, in small steps of Runge and Kutta's fourth order; the system of the config takes larger, simpler ones.
"""

import argparse
import json
from pathlib import Path

import numpy as np

GRAVITY, FRICTION = 9.81, 0.5  # arms of length and mass 1
STEP, LONGEST = 0.005, 2.0  # seconds


def accelerations(state: np.ndarray, torque: float = 0.0) -> np.ndarray:
    """Return the derivative of states (…, 4) of angles and speeds (a1, w1, a2, w2), a torque at the first joint.

    2 a1'' + a2'' cos d = torque - w2² sin d - 2 g sin a1 - k w1
    a2'' + a1'' cos d = w1² sin d - g sin a2 - k w2,    d = a1 - a2
    """
    a1, w1, a2, w2 = np.moveaxis(state, -1, 0)
    sine, cosine = np.sin(a1 - a2), np.cos(a1 - a2)
    p = torque - w2**2 * sine - 2 * GRAVITY * np.sin(a1) - FRICTION * w1
    q = w1**2 * sine - GRAVITY * np.sin(a2) - FRICTION * w2
    bent = 1 + sine**2
    return np.stack([w1, (p - q * cosine) / bent, w2, (2 * q - p * cosine) / bent], axis=-1)


def moved(state: np.ndarray, torque: float = 0.0) -> np.ndarray:
    """Return states (…, 4) one small step later."""
    k1 = accelerations(state, torque)
    k2 = accelerations(state + STEP / 2 * k1, torque)
    k3 = accelerations(state + STEP / 2 * k2, torque)
    k4 = accelerations(state + STEP * k3, torque)
    return state + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def swings(count: int, rng: np.random.Generator) -> list[dict[str, object]]:
    """Return rows of starts and goals."""
    angles = rng.uniform(-1.2, 1.2, (count, 2))
    starts = np.stack([angles[:, 0], np.zeros(count), angles[:, 1], np.zeros(count)], axis=1)
    steps = rng.integers(0, round(LONGEST / STEP), count)  # of each pendulum, between its release and its start
    for step in range(steps.max()):
        starts = np.where((step < steps)[:, np.newaxis], moved(starts), starts)
    goals = rng.uniform(-0.6, 0.6, count)
    return [
        {"id": f"swing-{row}", "start": starts[row].round(4).tolist(), "goal": [round(float(goals[row]), 3), 0.0]}
        for row in range(count)
    ]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """Write rows, one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def main() -> None:
    """Parse the command line and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=512, help="starts to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=64, help="starts to test on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other starts (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    write(options.output / "train.jsonl", swings(options.train, rng))
    write(options.output / "test.jsonl", swings(options.test, rng))


if __name__ == "__main__":
    main()
