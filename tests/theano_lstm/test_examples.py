"""theano-lstm's three ways of use, as scripts."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = sorted(Path(__file__).with_name("examples").glob("*.py"))


# Scan takes seconds to build and compile a graph; of three scripts that use it one is in the default run.
LONG = {"minibatch", "single_sequence"}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem in LONG)) for path in EXAMPLES],
)
def test_script_learns(path):
    results = runpy.run_path(str(path))
    assert np.isfinite(results["costs"]).all()
    assert results["costs"][-1] < results["costs"][0]
