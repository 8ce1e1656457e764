"""Make `theano_lstm.npz` out of the full numbers: ``python -m tests.theano_lstm.shrink FULL.npz``.

The full file has ``case/x``, ``y``, ``mask`` (or ``x0`` and ``target``), ``output``, ``cost`` and, one array for each
parameter, ``case/p0/NAME``, ``g0`` and ``p1``: before, the first gradient, after five updates. They were computed by
theano-lstm 0.0.15 on Theano 1.0.5 in float64.
"""

import sys

import numpy as np

from tests.support.parity import CASES, NUMBERS, digest, named


def shrink(full, name):
    """Return what the tests need of one case."""
    case = CASES[name]
    names = list(named(case.build()))
    small = {key: full[f"{name}/{key}"] for key in (*case.inputs, "output", "cost") if key != "lengths"}
    if "lengths" in case.inputs:
        small["lengths"] = full[f"{name}/mask"].sum(axis=0).astype("int64")
    small["p0"] = np.concatenate([full[f"{name}/p0/{parameter}"].ravel() for parameter in names])
    for stage in ("g0", "p1"):
        small[stage] = np.stack([digest(full[f"{name}/{stage}/{parameter}"]) for parameter in names])
    return small


if __name__ == "__main__":
    with np.load(sys.argv[1]) as full:
        small = {f"{name}/{key}": value for name in CASES for key, value in shrink(full, name).items()}
    np.savez_compressed(NUMBERS, **small)
