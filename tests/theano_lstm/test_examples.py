"""theano-lstm's three ways of use, as scripts."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = sorted(Path(__file__).with_name("examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_script_learns(path):
    results = runpy.run_path(str(path))
    assert np.isfinite(results["costs"]).all()
    assert results["costs"][-1] < results["costs"][0]
