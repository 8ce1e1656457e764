"""Sequences with three targets of different kinds."""

import numpy as np

KINDS = {"word": "category", "load": "number", "tags": "set"}
TAGS = [["p"], ["p", "q"], []]


def row_of(number, rng, *, per_step):
    """A sequence: the targets follow from the numbers of a step, or of the last one."""
    steps = int(rng.integers(2, 7))
    kinds, load = rng.integers(0, 3, steps), rng.normal(50, 20, steps).round(2)
    x = np.stack([kinds - 1 + rng.normal(0, 0.3, steps), load / 20], axis=1).tolist()
    row = {"id": f"s{number}", "x": x, "word": ["abc"[k] for k in kinds], "load": load.tolist()}
    row["tags"] = [TAGS[k] for k in kinds]
    if not per_step:
        row |= {name: row[name][-1] for name in KINDS}
    return row
