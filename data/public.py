"""Convert downloaded public data to the files that the configs read, under data/public.

README.md beside this script says what to download. The files written have the checksums in public.sha256:

    cd data/public && sha256sum --check --ignore-missing ../public.sha256
"""

import argparse
import csv
import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

Point = tuple[float, float]


def tiny_shakespeare(source: Path, output: Path) -> None:
    """Take the first nine tenths for training, the rest for validation."""
    text = source.read_bytes()
    cut = int(0.9 * len(text))
    (output / "train.txt").write_bytes(text[:cut])
    (output / "valid.txt").write_bytes(text[cut:])


def names(source: Path, output: Path) -> None:
    """Shuffle the names, and hold out 1,000 for the test and 1,000 for validation."""
    lines = source.read_text(encoding="utf-8").splitlines()
    random.Random(0).shuffle(lines)
    for name, part in (("test", lines[:1000]), ("valid", lines[1000:2000]), ("train", lines[2000:])):
        (output / f"{name}.txt").write_text("".join(line + "\n" for line in part), encoding="utf-8", newline="\n")


def jsb_chorales(source: Path, output: Path) -> None:
    """Write one chorale a line: the notes of each quarter as MIDI numbers."""
    splits = json.loads(source.read_text(encoding="utf-8"))
    for name, chorales in splits.items():
        rows = ({"id": f"{name}-{index}", "notes": notes} for index, notes in enumerate(chorales))
        text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
        (output / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


def double_pendulum(source: Path, output: Path) -> None:
    """Keep sine and cosine of each arm's angle (0 hangs down) in every fourth frame; 17 runs to train on, then 2."""
    for name, runs in (("train", range(17)), ("valid", range(17, 19))):
        with (output / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["run", "seconds", "sin1", "cos1", "sin2", "cos2"])
            for run in runs:
                writer.writerows(_arms(run, source / f"{run}.csv"))


def _arms(run: int, path: Path) -> Iterator[Sequence[str]]:
    """Yield rows of one recording, whose lines hold x and y of the pivot, of the joint and of the end, y downward."""
    for frame, line in enumerate(_every_fourth(path)):
        x0, y0, x1, y1, x2, y2 = map(float, line.replace(",", " ").split())
        angles = (*_sine_and_cosine((x0, y0), (x1, y1)), *_sine_and_cosine((x1, y1), (x2, y2)))
        yield [str(run), f"{frame / 100:.2f}", *(f"{value:.5f}" for value in angles)]


def _every_fourth(path: Path) -> Iterable[str]:
    return path.read_text(encoding="utf-8").splitlines()[::4]


def _sine_and_cosine(start: Point, end: Point) -> Point:
    across, down = end[0] - start[0], end[1] - start[1]
    length = math.hypot(across, down)
    return across / length, down / length


COMMANDS = {
    "tiny_shakespeare": tiny_shakespeare,
    "names": names,
    "jsb_chorales": jsb_chorales,
    "double_pendulum": double_pendulum,
}


def main() -> None:
    """Parse the command line and convert one data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=COMMANDS, help="the data set")
    parser.add_argument("source", type=Path, help="what was downloaded: a file, or for double_pendulum a folder")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(""), help="where data sets go (default: %(default)s)"
    )
    options = parser.parse_args()
    if not options.source.exists():
        parser.error(f"{options.source}: not found; data/README.md says where to get it")
    output = options.output / options.name
    output.mkdir(parents=True, exist_ok=True)
    COMMANDS[options.name](options.source, output)


if __name__ == "__main__":
    main()
