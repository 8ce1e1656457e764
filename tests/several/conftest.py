import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from tests.support.data import write_jsonl
from tests.support.several import KINDS, row_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sequences with three targets each, some of which are missing, per sequence and per step."""
    folder, rng = tmp_path_factory.mktemp("several"), np.random.default_rng(0)
    for name, per_step, count in (("whole", False, 24), ("steps", True, 12)):
        rows = [row_of(number, rng, per_step=per_step) for number in range(count)]
        for number, row in enumerate(rows):
            if per_step:
                row["load"][0] = None if number % 3 == 0 else row["load"][0]
                row["word"][-1] = None if number % 4 == 0 else row["word"][-1]
            else:
                row["load"] = None if number % 5 == 1 else row["load"]
                row["word"] = None if number % 5 == 3 else row["word"]
        write_jsonl(folder / f"{name}.jsonl", rows)
    return folder


@pytest.fixture
def config(folder):
    def make(name="whole", target=KINDS, **sections):
        data = {"train": f"{name}.jsonl", "valid": None, "inputs": ["x"], "target": target}
        data |= {"missing": {"target": "skip"}, **sections.pop("data", {})}
        settings = {"threads": 1, "data": data, "model": {"layers": [5], "dropout": 0.0}, **sections}
        return config_from_mapping(settings, folder)

    return make
