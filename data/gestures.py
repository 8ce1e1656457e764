"""Make the quickstart's data: short recordings of a hand-held accelerometer, one of five gestures each.

A recording has 10 to 60 steps, as people move fast or slowly, and at each step the acceleration along three axes in
hundredths of g, gravity included. The device is held a little askew and its sensor is noisy. Clockwise and
counterclockwise circles start anywhere: only the order of their steps tells them apart.

    {"id": "train-0", "acceleration": [[-3, 12, 98], ...], "gesture": "shake"}
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

GRAVITY = 100.0
GRAVITY_VECTOR = np.array([0, 0, GRAVITY])
NOISE = 12.0


def clockwise(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Move around a circle one to one and a half times, starting anywhere; (steps, 3)."""
    angle = 2 * np.pi * (rng.uniform(1.0, 1.5) * time + rng.uniform())
    return np.stack([np.sin(angle), np.cos(angle), np.zeros_like(angle)], axis=1)


def counterclockwise(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Move around a circle the other way; (steps, 3)."""
    return clockwise(rng, time) * [-1, 1, 1]


def swipe(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Push to the right, then brake; (steps, 3)."""
    peak = rng.uniform(0.4, 0.6)
    push = np.where(time < peak, np.sin(np.pi * time / peak), -np.sin(np.pi * (time - peak) / (1 - peak)))
    return np.stack([push, np.zeros_like(push), np.zeros_like(push)], axis=1)


def shake(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Move back and forth along the first axis, at most as often as the steps can resolve; (steps, 3)."""
    times = rng.uniform(2.0, min(5.0, len(time) / 4))
    push = np.sin(2 * np.pi * (times * time + rng.uniform()))
    return np.stack([push, np.zeros_like(push), np.zeros_like(push)], axis=1)


def tap(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Knock once along the third axis; (steps, 3)."""
    step = np.arange(len(time)) - rng.integers(1, len(time) - 3)
    knock = np.where(step >= 0, 1.6 * np.exp(-step / 1.5) * np.cos(np.pi * step / 2), 0.0)
    return np.stack([np.zeros_like(knock), np.zeros_like(knock), knock], axis=1)


GESTURES: tuple[Callable[[np.random.Generator, np.ndarray], np.ndarray], ...] = (
    clockwise,
    counterclockwise,
    swipe,
    shake,
    tap,
)


def held_askew(rng: np.random.Generator) -> np.ndarray:
    """Return a random rotation (3, 3) by some 12 degrees about each axis."""
    rotation = np.eye(3)
    for first, second in ((0, 1), (1, 2), (0, 2)):
        angle = np.radians(rng.normal(0, 12))
        turn = np.eye(3)
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    return rotation


def recording(rng: np.random.Generator) -> tuple[list[list[int]], str]:
    """Return one recording (steps, 3) and its gesture."""
    gesture = GESTURES[rng.integers(len(GESTURES))]
    steps = int(np.clip(round(24 * np.exp(rng.normal(0, 0.4))), 10, 60))
    movement = gesture(rng, np.linspace(0, 1, steps)) * GRAVITY * rng.uniform(0.4, 0.8)
    felt = (movement + GRAVITY_VECTOR) @ held_askew(rng).T + rng.normal(0, NOISE, (steps, 3))
    return felt.round().astype(int).tolist(), gesture.__name__


def write(path: Path, count: int, rng: np.random.Generator) -> None:
    """Write recordings, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for index in range(count):
            acceleration, gesture = recording(rng)
            row = {"id": f"{path.stem}-{index}", "acceleration": acceleration, "gesture": gesture}
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def main() -> None:
    """Parse the command line and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=400, help="training recordings (default: %(default)s)")
    parser.add_argument("--test", type=int, default=100, help="test recordings (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other recordings (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    write(options.output / "train.jsonl", options.train, rng)
    write(options.output / "test.jsonl", options.test, rng)


if __name__ == "__main__":
    main()
