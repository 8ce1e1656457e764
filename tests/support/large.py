"""A process that trains on a copy of data several times as large as the memory it may take.

``python -m tests.support.large FOLDER MEGABYTES``: trains by the config in the folder within so much more private memory than
it has once everything is imported and compiled, and prints the digest of the weights and how much of the copy it had mapped.
"""

import resource
import sys
from pathlib import Path

from lstm_cli import train
from lstm_cli.config import load_config


def private() -> int:
    """Bytes of private memory that can be written, which is what ``ulimit -d`` limits; mapped files are not."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData"))


def main() -> None:
    folder, megabytes = Path(sys.argv[1]), int(sys.argv[2])
    train(load_config(folder / "small.yaml"), out=folder / "small")  # what has to be imported and compiled
    if megabytes:
        most = private() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    train(load_config(folder / "large.yaml"), out=folder / "large")


if __name__ == "__main__":
    main()
