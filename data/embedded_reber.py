"""Make strings of the embedded Reber grammar, one a line.

    embedded string = B T (Reber string) T E  or  B P (Reber string) P E

To predict the last symbol but one, a network must remember the second symbol over the whole Reber string between them.

S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. Neural Computation 9(8), experiment 1.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

# What may follow in each state: symbol and next state, equally likely. State 6 is the end.
GRAMMAR = (
    (("T", 1), ("P", 2)),
    (("S", 1), ("X", 3)),
    (("T", 2), ("V", 4)),
    (("X", 2), ("S", 5)),
    (("P", 3), ("V", 5)),
    (("E", 6),),
)


def reber(rng: random.Random) -> str:
    """Return a string of the Reber grammar."""
    symbols, state = "B", 0
    while state < len(GRAMMAR):
        symbol, state = rng.choice(GRAMMAR[state])
        symbols += symbol
    return symbols


def embedded(rng: random.Random) -> str:
    """Return a string of the embedded grammar."""
    frame = rng.choice("TP")
    return f"B{frame}{reber(rng)}{frame}E"


def is_legal(string: str) -> bool:
    """Whether the embedded grammar can make a string."""
    if len(string) < 5 or string[0] != "B" or string[1] not in "TP" or string[2] != "B":
        return False
    if string[-2:] != string[1] + "E":
        return False
    state = 0
    for symbol in string[3:-2]:
        if state == len(GRAMMAR):
            return False
        state = dict(GRAMMAR[state]).get(symbol, -1)
        if state < 0:
            return False
    return state == len(GRAMMAR)


def write(path: Path, strings: Sequence[str]) -> None:
    """Write strings, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(string + "\n" for string in strings), encoding="utf-8", newline="\n")


def main() -> None:
    """Parse the command line and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=2000, help="training strings (default: %(default)s)")
    parser.add_argument("--test", type=int, default=256, help="test strings (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other strings (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()
    rng = random.Random(options.seed)
    write(options.output / "train.txt", [embedded(rng) for _ in range(options.train)])
    write(options.output / "test.txt", [embedded(rng) for _ in range(options.test)])


if __name__ == "__main__":
    main()
