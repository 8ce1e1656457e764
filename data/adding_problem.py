"""Make the adding problem: each step has a number between 0 and 1 and a mark; the target is the sum of the marked two.

The longer the sequences, the longer a network must keep the first number without knowing when the second comes.
Files are numpy archives with `x` (sequence, step, 2), `lengths` and `y`. Always predicting 1 has a mean squared
error of 1/6.

S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. Neural Computation 9(8), section 5.4; here with numbers
from 0 to 1 instead of -1 to 1, one length for all, and the two marks anywhere.
"""

import argparse
from pathlib import Path

import numpy as np

DECIMALS = 4  # enough for the task, and the files compress to a third


def sequences(count: int, length: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return arrays `x` (count, length, 2), `lengths` (count,) and `y` (count,)."""
    numbers = rng.uniform(size=(count, length)).round(DECIMALS).astype(np.float32)
    first = rng.integers(length, size=count)
    second = (first + rng.integers(1, length, size=count)) % length
    rows = np.arange(count)
    marks = np.zeros_like(numbers)
    marks[rows, first] = marks[rows, second] = 1
    return {
        "x": np.stack([numbers, marks], axis=2),
        "lengths": np.full(count, length, np.int64),
        "y": numbers[rows, first] + numbers[rows, second],
    }


def main() -> None:
    """Parse the command line and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=100, help="steps of a sequence, 2 or more (default: %(default)s)")
    parser.add_argument("--train", type=int, default=50_000, help="training sequences (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1000, help="test sequences (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other sequences (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()
    if options.length < 2:
        parser.error("--length: two marks need 2 steps or more")
    rng = np.random.default_rng(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    for name in ("train", "test"):
        count = getattr(options, name)
        np.savez_compressed(options.output / f"{name}.npz", **sequences(count, options.length, rng))


if __name__ == "__main__":
    main()
