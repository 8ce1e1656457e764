"""A process that trains within a limit on its memory.

``python -m tests.support.large FOLDER BYTES CACHE``: trains ``FOLDER/small.json``, by which everything is imported and
compiled, and then ``FOLDER/large.json`` with ``data.cache`` CACHE in that many bytes more of private memory, with
building the copy. That is what ``ulimit -d`` limits; mapped files are not.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np

from lstm_cli import train


def private() -> int:
    """Bytes of private memory that can be written."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData"))


def main() -> None:
    """Train the small data, and the large data within the limit."""
    folder, most, cache = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    train(folder / "small.json", ["data.cache=always"], run=folder / f"first-{cache}", verbosity=-1)
    np.ones((500, 500)) @ np.ones((500, 500))  # OpenBLAS takes its buffers at the first large product
    limit = private() + most
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    train(folder / "large.json", [f"data.cache={cache}"], run=folder / f"run-{cache}", verbosity=-1)
    copies = Path(json.loads((folder / "place.json").read_text())).glob("*/train.arrow")
    sys.stdout.write(f"{max(path.stat().st_size for path in copies)}\n")


if __name__ == "__main__":
    main()
